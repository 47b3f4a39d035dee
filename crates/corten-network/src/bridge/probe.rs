//! Whether somebody behind the default route already uses a network that is about to be chosen: an echo request to the
//! addresses that routers have (RFC 792).

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, recv, sendto, socket_with};

use crate::subnet::Subnet;

/// How long an answer may take. A route to a network in use is rarely longer; LXD waits a second.
const PATIENCE: Duration = Duration::from_millis(300);
/// Types of ICMP messages.
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;

/// Whether the first or the last address of an IPv4 network answers. A host that cannot ask hears no answer.
pub(super) fn answers(subnet: Subnet) -> bool {
    let ends = [subnet.host(1), subnet.host(-2)];
    let targets: Vec<Ipv4Addr> =
        ends.into_iter().filter_map(|end| if let IpAddr::V4(end) = end { Some(end) } else { None }).collect();
    let flags = SocketFlags::CLOEXEC;
    let Ok(socket) = socket_with(AddressFamily::INET, SocketType::RAW, flags, Some(ipproto::ICMP)) else {
        return false;
    };
    let asked = targets.iter().filter(|target| ask(&socket, **target)).count();
    asked > 0 && hear(&socket, &targets)
}

fn ask(socket: &OwnedFd, target: Ipv4Addr) -> bool {
    sendto(socket, &request(), SendFlags::empty(), &SocketAddrV4::new(target, 0)).is_ok()
}

/// An echo request with number and sequence 0.
fn request() -> [u8; 8] {
    let mut message = [ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0];
    let sum = !u16::from_be_bytes([message[0], message[1]]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

fn hear(socket: &OwnedFd, targets: &[Ipv4Addr]) -> bool {
    let end = Instant::now() + PATIENCE;
    let mut packet = [0; 256];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || set_socket_timeout(socket, Timeout::Recv, Some(left)).is_err() {
            return false;
        }
        match recv(socket, &mut packet, RecvFlags::empty()) {
            Ok((length, _)) if is_reply(&packet[..length.min(packet.len())], targets) => return true,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Whether an IPv4 packet is an echo reply from one of the targets.
fn is_reply(packet: &[u8], targets: &[Ipv4Addr]) -> bool {
    let header = packet.first().map_or(0, |byte| usize::from(byte & 0x0f) * 4);
    let source = packet.get(12..16).and_then(|part| <[u8; 4]>::try_from(part).ok()).map(Ipv4Addr::from);
    packet.get(header) == Some(&ECHO_REPLY) && source.is_some_and(|source| targets.contains(&source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replies_of_the_asked_count() {
        let targets = [Ipv4Addr::new(10, 0, 0, 1)];
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[12..16].copy_from_slice(&[10, 0, 0, 1]);
        assert!(is_reply(&packet, &targets));
        packet[20] = 3;
        assert!(!is_reply(&packet, &targets), "an error message is no reply");
        packet[20] = 0;
        packet[15] = 2;
        assert!(!is_reply(&packet, &targets), "another host");
        assert!(!is_reply(&[], &targets));
    }

    #[test]
    fn the_request_has_its_checksum() {
        let words = request().chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u32>();
        assert_eq!(words, 0xffff);
    }
}
