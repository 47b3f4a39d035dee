//! Rate limits of a link: traffic going out is shaped, traffic coming in policed (tc-htb(8), tc-police(8)).

use super::message::Request;
use super::{ACK, CREATE, EXCLUSIVE, REQUEST, Result, Socket};
use rustix::io::Errno;

/// Parent of the queue that a link sends from (`TC_H_ROOT`).
const ROOT: u32 = 0xffff_ffff;
/// Parent of the hook for what a link receives (`TC_H_INGRESS`).
const INGRESS: u32 = 0xffff_fff1;
/// The shaper's handle, `1:0`.
const SHAPER: u32 = 0x1_0000;
/// The shaper's one class, `1:10`, to which all traffic goes by default.
const CLASS: u32 = 0x1_0010;
/// The handle of the hook for incoming traffic, `ffff:0`.
const HOOK: u32 = 0xffff_0000;
/// `TCA_KIND` and `TCA_OPTIONS` (linux/rtnetlink.h).
const KIND: u16 = 1;
const OPTIONS: u16 = 2;
/// Largest packet that the policer lets through, and the burst it allows, in bytes; LXD's values.
const POLICE_MTU: u32 = 64 * 1024;
const POLICE_BURST: u64 = 1024 * 1024;
/// Burst of the shaper in bytes: what tc(8) takes on kernels with high resolution timers.
const SHAPE_BURST: u64 = 1600;
/// The packet scheduler counts time in units of 64 ns (`PSCHED_SHIFT`, net/pkt_sched.h).
const TICK: u64 = 64;

impl Socket {
    /// Sets the rates of a link in bits per second; `send` for what leaves by it, `receive` for what arrives.
    /// Without a value the direction is not limited. For the host's end of a veth pair, `send` is what the guest gets.
    ///
    /// # Errors
    /// When the kernel has no `htb`, `ingress`, `u32` or `police`.
    pub fn set_rates(&self, link: u32, send: Option<u64>, receive: Option<u64>) -> Result<()> {
        for (parent, handle) in [(ROOT, 0), (INGRESS, HOOK)] {
            let request = Request::new(libc::RTM_DELQDISC, REQUEST | ACK, &fixed(link, handle, parent, 0));
            match self.change(&format!("clearing the limits of network interface {link}"), request) {
                Err(error) if !error.is_missing() && error.errno != Errno::INVAL => return Err(error),
                _ => {}
            }
        }
        if let Some(bits) = send {
            self.shape(link, bits.div_ceil(8).max(1))?;
        }
        if let Some(bits) = receive {
            self.police(link, bits.div_ceil(8).max(1))?;
        }
        Ok(())
    }

    fn shape(&self, link: u32, rate: u64) -> Result<()> {
        let doing = format!("limiting what network interface {link} sends");
        let mut queue = new(libc::RTM_NEWQDISC, fixed(link, SHAPER, ROOT, 0), "htb");
        queue.nest(OPTIONS, |options| {
            // TCA_HTB_INIT: struct tc_htb_glob; version, quantum divisor, default class, two fields for reading.
            options.put(2, &words(&[3, 10, CLASS & 0xffff, 0, 0]));
        });
        self.change(&doing, queue)?;
        let mut class = new(libc::RTM_NEWTCLASS, fixed(link, CLASS, SHAPER, 0), "htb");
        class.nest(OPTIONS, |options| {
            let spec = rate_spec(rate, 0);
            let burst = ticks(SHAPE_BURST, rate);
            // TCA_HTB_PARMS: struct tc_htb_opt; rate, ceiling, their bursts, then quantum, level, priority.
            options.put(1, &[spec.as_slice(), &spec, &words(&[burst, burst, 0, 0, 0])].concat());
            // TCA_HTB_RATE64 and TCA_HTB_CEIL64 are for rates that do not fit 32 bits.
            if u32::try_from(rate).is_err() {
                options.put(6, &rate.to_ne_bytes()).put(7, &rate.to_ne_bytes());
            }
        });
        self.change(&doing, class)
    }

    fn police(&self, link: u32, rate: u64) -> Result<()> {
        let doing = format!("limiting what network interface {link} receives");
        self.change(&doing, new(libc::RTM_NEWQDISC, fixed(link, HOOK, INGRESS, 0), "ingress"))?;
        // Any priority and all protocols (ETH_P_ALL, in network order).
        let info = (1 << 16) | u32::from(3u16.to_be());
        let mut filter = new(libc::RTM_NEWTFILTER, fixed(link, 0, HOOK, info), "u32");
        filter.nest(OPTIONS, |options| {
            // TCA_U32_SEL: struct tc_u32_sel with one key that matches everything; terminal.
            let mut selector = [0; 32];
            (selector[0], selector[2]) = (1, 1);
            options.put(5, &selector);
            // TCA_U32_ACT, a list of actions.
            options.nest(7, |actions| {
                actions.nest(1, |action| {
                    action.put_str(KIND, "police").nest(OPTIONS, |police| write_policer(police, rate));
                });
            });
        });
        self.change(&doing, filter)
    }
}

fn write_policer(police: &mut Request, rate: u64) {
    let cell = 9u8; // The first power of two that cuts POLICE_MTU into no more than 256 cells.
    let spec = rate_spec(rate, cell);
    // struct tc_police: index, action (TC_ACT_SHOT), limit, burst, mtu, rate, peak rate, three fields for reading.
    let head = words(&[0, 2, 0, ticks(POLICE_BURST, rate), POLICE_MTU]);
    police.put(1, &[head.as_slice(), &spec, &[0; 12], &[0; 12]].concat());
    // TCA_POLICE_RATE: how long a packet of each size takes.
    let table: Vec<u32> = (1..=256u64).map(|cells| ticks(cells << cell, rate)).collect();
    police.put(2, &words(&table));
    // TCA_POLICE_RATE64.
    if u32::try_from(rate).is_err() {
        police.put(8, &rate.to_ne_bytes());
    }
}

/// `struct tcmsg`.
fn fixed(link: u32, handle: u32, parent: u32, info: u32) -> Vec<u8> {
    words(&[0, link, handle, parent, info])
}

fn new(verb: u16, fixed: Vec<u8>, kind: &str) -> Request {
    let mut request = Request::new(verb, REQUEST | ACK | CREATE | EXCLUSIVE, &fixed);
    request.put_str(KIND, kind);
    request
}

/// `struct tc_ratespec`: cell size, Ethernet, no overhead, cell alignment -1, no minimum, bytes per second.
fn rate_spec(rate: u64, cell: u8) -> [u8; 12] {
    let mut spec = [0; 12];
    (spec[0], spec[1]) = (cell, 1);
    spec[4..6].copy_from_slice(&(-1i16).to_ne_bytes());
    spec[8..].copy_from_slice(&u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes());
    spec
}

/// How long `bytes` take at `rate` bytes per second, in the scheduler's units.
fn ticks(bytes: u64, rate: u64) -> u32 {
    let time = u128::from(bytes) * 1_000_000_000 / u128::from(rate) / u128::from(TICK);
    u32::try_from(time).unwrap_or(u32::MAX)
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_rates() {
        assert_eq!(ticks(1_000_000, 1_000_000), 15_625_000);
        assert_eq!(ticks(1600, 125_000_000), 200);
        assert_eq!(ticks(u64::from(u32::MAX), 1), u32::MAX);
    }
}
