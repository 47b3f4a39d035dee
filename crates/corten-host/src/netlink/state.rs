//! What a namespace's interfaces look like to a user of the API: LXD's words for state, type and scope.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use super::link::{Counters, Link};
use super::{Result, Socket};

/// `IFF_BROADCAST`, `IFF_LOOPBACK`, `IFF_POINTOPOINT`, and LXD's names for them. The last that applies counts.
const TYPES: [(i32, &str); 3] =
    [(libc::IFF_BROADCAST, "broadcast"), (libc::IFF_LOOPBACK, "loopback"), (libc::IFF_POINTOPOINT, "point-to-point")];

/// One interface of a namespace, as `GET /1.0/instances/NAME/state` has it under `network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceState {
    /// Its name in the namespace.
    pub name: String,
    /// IPv4 addresses first, then IPv6, in the kernel's order.
    pub addresses: Vec<InterfaceAddress>,
    /// Its traffic, from its own side.
    pub counters: Counters,
    /// Hardware address; empty on the loopback interface.
    pub hwaddr: String,
    /// Index of the other end in the host's namespace, from which the caller finds `host_name`.
    pub peer: Option<u32>,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// `up` or `down`.
    pub state: &'static str,
    /// `broadcast`, `loopback`, `point-to-point` or `unknown`.
    pub kind: &'static str,
}

/// An address in the words of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// `inet` or `inet6`.
    pub family: &'static str,
    /// The address without its prefix.
    pub address: String,
    /// The prefix, as a decimal number.
    pub netmask: String,
    /// `global`, `link` or `local`.
    pub scope: &'static str,
}

/// Reads all interfaces of the namespace that `netns` refers to (an open `/proc/PID/ns/net`).
///
/// # Errors
/// When the namespace cannot be entered or read.
pub fn state_of(netns: BorrowedFd<'_>) -> Result<Vec<InterfaceState>> {
    Socket::in_namespace(netns)?.interface_states()
}

impl Socket {
    /// Reads all interfaces of the socket's namespace.
    ///
    /// # Errors
    /// When the kernel refuses to list.
    pub fn interface_states(&self) -> Result<Vec<InterfaceState>> {
        let addresses = self.addresses()?;
        let of = |index| {
            let own = addresses.iter().filter(move |address| address.link == index);
            own.map(|address| describe_address(address.address, address.prefix)).collect()
        };
        Ok(self.links()?.iter().map(|link| describe(link, of(link.index))).collect())
    }
}

/// One link with its addresses in the words of the API.
pub fn describe(link: &Link, addresses: Vec<InterfaceAddress>) -> InterfaceState {
    let has = |flag: i32| link.flags & flag.cast_unsigned() != 0;
    let kind = TYPES.iter().rev().find(|(flag, _)| has(*flag)).map_or("unknown", |(_, name)| name);
    InterfaceState {
        name: link.name.clone(),
        addresses,
        counters: link.counters,
        hwaddr: if has(libc::IFF_LOOPBACK) { String::new() } else { link.hwaddr() },
        peer: link.peer,
        mtu: link.mtu,
        state: if link.is_up() { "up" } else { "down" },
        kind,
    }
}

/// An address in the words of the API. The scope comes from the address, as LXD has it.
pub fn describe_address(address: IpAddr, prefix: u8) -> InterfaceAddress {
    let (local, link) = match address {
        IpAddr::V4(v4) => (v4.is_loopback(), v4.is_link_local()),
        IpAddr::V6(v6) => (v6.is_loopback(), v6.segments()[0] == 0xfe80),
    };
    InterfaceAddress {
        family: if address.is_ipv4() { "inet" } else { "inet6" },
        address: address.to_string(),
        netmask: prefix.to_string(),
        scope: match (local, link) {
            (true, _) => "local",
            (_, true) => "link",
            _ => "global",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_of_lxd() {
        for (address, family, scope) in [
            ("127.0.0.1", "inet", "local"),
            ("::1", "inet6", "local"),
            ("169.254.3.4", "inet", "link"),
            ("fe80::1", "inet6", "link"),
            ("10.0.0.1", "inet", "global"),
            ("fd42::1", "inet6", "global"),
        ] {
            let found = describe_address(address.parse().expect("an address"), 24);
            assert_eq!((found.family, found.scope, found.netmask.as_str()), (family, scope, "24"), "{address}");
        }
    }

    #[test]
    fn types_come_from_flags() {
        let with = |flags: i32| {
            let link = Link { flags: flags.cast_unsigned(), address: vec![2; 6], ..Link::default() };
            let state = describe(&link, Vec::new());
            (state.state, state.kind, state.hwaddr)
        };
        let mac = "02:02:02:02:02:02".to_string();
        assert_eq!(with(libc::IFF_UP | libc::IFF_LOOPBACK), ("up", "loopback", String::new()));
        assert_eq!(with(libc::IFF_BROADCAST), ("down", "broadcast", mac.clone()));
        assert_eq!(with(libc::IFF_POINTOPOINT), ("down", "point-to-point", mac.clone()));
        assert_eq!(with(0), ("down", "unknown", mac));
    }
}
