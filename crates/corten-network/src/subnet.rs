//! An address together with the size of its network, and ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use corten_host::netlink::mac::Mac;

/// An address and its network's bits, as `10.0.3.1/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The address, which may be one of a host.
    pub address: IpAddr,
    /// How many bits name the network.
    pub prefix: u8,
}

/// The text is no address with a prefix.
#[derive(Debug, thiserror::Error)]
#[error("invalid CIDR address: {0}")]
pub struct BadSubnet(String);

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Subnet, BadSubnet> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            let subnet = Subnet { address: address.parse().ok()?, prefix: prefix.parse().ok()? };
            (prefix.bytes().all(|digit| digit.is_ascii_digit()) && subnet.prefix <= subnet.bits()).then_some(subnet)
        };
        parse().ok_or_else(|| BadSubnet(text.to_string()))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}

impl Subnet {
    /// The one address.
    pub fn single(address: IpAddr) -> Subnet {
        Subnet { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// The bits of an address of its family.
    pub fn bits(self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// The network itself: the address with the host's bits cleared.
    #[must_use]
    pub fn network(self) -> Subnet {
        Subnet { address: from_number(self.address, number(self.address) & self.mask()), prefix: self.prefix }
    }

    /// Whether `address` is of this network.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && number(address) & self.mask() == number(self.address) & self.mask()
    }

    /// The `host`th address of the network; a negative one is counted from the end (-1 is the last).
    pub fn host(self, host: i64) -> IpAddr {
        let first = number(self.network().address);
        let from_end = if host < 0 { !self.mask() & self.all() } else { 0 };
        let offset = i128::from(if host < 0 { host + 1 } else { host });
        from_number(self.address, first.wrapping_add(from_end).wrapping_add_signed(offset))
    }

    /// The IPv6 address that a host with the hardware address `mac` gives itself in this network (RFC 4291, appendix A).
    pub fn eui64(self, mac: Mac) -> Option<Ipv6Addr> {
        let IpAddr::V6(network) = self.network().address else { return None };
        let [a, b, c, d, e, f] = mac.0;
        let mut octets = network.octets();
        octets[8..].copy_from_slice(&[a ^ 0x02, b, c, 0xff, 0xfe, d, e, f]);
        Some(octets.into())
    }

    fn all(self) -> u128 {
        if self.address.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX }
    }

    fn mask(self) -> u128 {
        let hosts = u32::from(self.bits() - self.prefix);
        self.all() & u128::MAX.checked_shl(hosts).unwrap_or(0)
    }
}

/// An address as a number.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The address of `family`'s family with that number, which is cut to its size.
pub fn from_number(family: IpAddr, number: u128) -> IpAddr {
    match family {
        // Cutting is meant: the upper bits of an IPv4 number are nothing.
        IpAddr::V4(_) => Ipv4Addr::from((number & u128::from(u32::MAX)) as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(number).into(),
    }
}

/// The addresses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: IpAddr,
    /// The last.
    pub last: IpAddr,
}

impl Range {
    /// Whether `address` is one of them.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && (number(self.first)..=number(self.last)).contains(&number(address))
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Range) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// Each of them.
    pub fn addresses(self) -> impl Iterator<Item = IpAddr> {
        (number(self.first)..=number(self.last)).map(move |at| from_number(self.first, at))
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Range, String> {
        let (first, last) =
            text.split_once('-').ok_or_else(|| format!("IP range {text:?} must contain start and end IP addresses"))?;
        let range = Range {
            first: first.parse().map_err(|_| format!("Start IP {first:?} is invalid"))?,
            last: last.parse().map_err(|_| format!("End IP {last:?} is invalid"))?,
        };
        if range.first.is_ipv4() != range.last.is_ipv4() || number(range.first) > number(range.last) {
            return Err(format!("Start IP {first:?} must be less than End IP {last:?}"));
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().expect("a subnet")
    }

    #[test]
    fn hosts_are_counted_from_both_ends() {
        for (network, host, address) in [
            ("10.0.3.1/24", 2, "10.0.3.2"),
            ("10.0.3.1/24", -2, "10.0.3.254"),
            ("10.0.3.1/16", -1, "10.0.255.255"),
            ("fd42:1::1/64", 2, "fd42:1::2"),
            ("fd42:1::1/64", -1, "fd42:1::ffff:ffff:ffff:ffff"),
            ("0.0.0.0/0", -1, "255.255.255.255"),
        ] {
            assert_eq!(subnet(network).host(host).to_string(), address, "{network} {host}");
        }
    }

    #[test]
    fn networks_contain_their_addresses() {
        assert_eq!(subnet("10.0.3.7/24").network().to_string(), "10.0.3.0/24");
        assert!(subnet("10.0.3.1/24").contains("10.0.3.200".parse().expect("address")));
        assert!(!subnet("10.0.3.1/24").contains("10.0.4.1".parse().expect("address")));
        assert!(!subnet("0.0.0.0/0").contains("::1".parse().expect("address")));
        assert!(subnet("::/0").contains("::1".parse().expect("address")));
        for bad in ["10.0.0.1", "10.0.0.1/33", "10.0.0.1/+8", "fd42::/129", "x/8", ""] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_names_itself_after_its_card() {
        let mac = "00:16:3e:01:02:03".parse().expect("a MAC");
        assert_eq!(
            subnet("fd42:1::1/64").eui64(mac).map(|ip| ip.to_string()).as_deref(),
            Some("fd42:1::216:3eff:fe01:203")
        );
        assert_eq!(subnet("10.0.0.0/8").eui64(mac), None);
    }

    #[test]
    fn ranges_know_their_bounds() {
        let range: Range = "10.0.0.5-10.0.0.9".parse().expect("a range");
        assert_eq!(range.addresses().count(), 5);
        assert!(range.contains("10.0.0.9".parse().expect("address")));
        assert!(range.overlaps("10.0.0.9-10.0.0.20".parse().expect("a range")));
        assert!(range.overlaps("10.0.0.1-10.0.0.20".parse().expect("a range")));
        assert!(!range.overlaps("10.0.0.10-10.0.0.20".parse().expect("a range")));
        assert!("10.0.0.9-10.0.0.5".parse::<Range>().is_err());
    }
}
