//! Addresses with a prefix length (CIDR): those of networks (`10.0.0.0/24`) and those of hosts (`10.0.0.1/24`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;
use super::go_text::quoted;
use super::ip;

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address as written.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub prefix: u8,
}

impl Default for Cidr {
    fn default() -> Cidr {
        Cidr { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 0 }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}

impl Cidr {
    /// Reads `ADDRESS/BITS`.
    ///
    /// # Errors
    /// `invalid CIDR address: …`, Go's words.
    pub fn parse(text: &str) -> Result<Cidr, String> {
        let invalid = || format!("invalid CIDR address: {text}");
        let (address, bits) = text.split_once('/').ok_or_else(invalid)?;
        let written: IpAddr = address.parse().map_err(|_| invalid())?;
        let digits = bits.len() <= 3 && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = bits.parse().ok().filter(|_| digits).ok_or_else(invalid)?;
        match (written, ip::parse(address)) {
            (IpAddr::V4(_), Some(address)) if bits <= 32 => Ok(Cidr { address, prefix: bits }),
            // An IPv4 address in IPv6 dress has 96 bits before it.
            (IpAddr::V6(_), Some(IpAddr::V4(address))) if (96..=128).contains(&bits) => {
                Ok(Cidr { address: IpAddr::V4(address), prefix: bits - 96 })
            }
            (IpAddr::V6(_), Some(address @ IpAddr::V6(_))) if bits <= 128 => Ok(Cidr { address, prefix: bits }),
            _ => Err(invalid()),
        }
    }

    /// The address of the network: the bits behind the prefix are 0.
    pub fn network(&self) -> IpAddr {
        let prefix = u32::from(self.prefix);
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        }
    }

    /// Whether an address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let other = Cidr { address: address.to_canonical(), prefix: self.prefix };
        address.to_canonical().is_ipv4() == self.address.is_ipv4() && other.network() == self.network()
    }
}

/// Which address families are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn of(address: IpAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

fn network(text: &str, family: Family) -> Result<Cidr, String> {
    let cidr = Cidr::parse(text)?;
    if Family::of(cidr.address) != family {
        return Err(format!("Not an {} network {}", family.name(), quoted(text)));
    }
    if cidr.address != cidr.network() {
        return Err(format!("Not an {} network address {}", family.name(), quoted(text)));
    }
    Ok(cidr)
}

fn host(text: &str, family: Family) -> Result<Cidr, String> {
    let cidr = Cidr::parse(text)?;
    if Family::of(cidr.address) != family {
        return Err(format!("Not an {} address {}", family.name(), quoted(text)));
    }
    if cidr.address == cidr.network() {
        return Err(format!("Not a usable {} address {}", family.name(), quoted(text)));
    }
    Ok(cidr)
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident, $read:ident, $family:ident, $accepts:literal;)*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Kind for $name {
            type Value = Cidr;
            const WORD: &'static str = "string";
            fn parse(&self, text: &str) -> Result<Cidr, String> { $read(text, Family::$family) }
            fn accepts(&self) -> String { $accepts.to_owned() }
        }
    )* };
}

kinds! {
    /// An IPv4 network.
    NetworkV4, network, V4, "an IPv4 network such as 10.0.0.0/24";
    /// An IPv6 network.
    NetworkV6, network, V6, "an IPv6 network such as fd00::/64";
    /// An IPv4 address with its network's prefix, other than the network's own.
    HostV4, host, V4, "an IPv4 address with prefix such as 10.0.0.1/24";
    /// An IPv6 address with its network's prefix, other than the network's own.
    HostV6, host, V6, "an IPv6 address with prefix such as fd00::1/64";
}

/// Networks behind uplinks: `UPLINK:NETWORK`, separated by commas. That the uplink has them is for others to look at.
#[derive(Clone, Copy, Debug)]
pub struct UplinkSubnets;

impl Kind for UplinkSubnets {
    /// Name of the uplink network, and the network behind it.
    type Value = Vec<(String, Cidr)>;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Self::Value, String> {
        let pair = |item: &str| {
            let malformed =
                || format!("Subnet {} invalid, must be in the format of \"<uplink network>:<subnet>\"", quoted(item));
            let (uplink, subnet) = item.split_once(':').ok_or_else(malformed)?;
            let cidr = Cidr::parse(subnet)?;
            match cidr.address == cidr.network() {
                true => Ok((uplink.to_owned(), cidr)),
                false => Err(format!("Not an IP network address {}", quoted(subnet))),
            }
        };
        text.split(',').map(|item| pair(item.trim())).collect()
    }

    fn accepts(&self) -> String {
        "a comma separated list of UPLINK:NETWORK".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn networks_and_hosts() {
        assert!(NetworkV4.parse("10.0.0.0/24").is_ok() && NetworkV4.parse("0.0.0.0/0").is_ok());
        assert!(NetworkV6.parse("fd00::/64").is_ok() && HostV6.parse("fd00::1/64").is_ok());
        let cases = [
            (NetworkV4.parse("10.0.0.1/24"), "Not an IPv4 network address \"10.0.0.1/24\""),
            (NetworkV4.parse("fd00::/64"), "Not an IPv4 network \"fd00::/64\""),
            (HostV4.parse("10.0.0.0/24"), "Not a usable IPv4 address \"10.0.0.0/24\""),
            (HostV4.parse("10.0.0.1"), "invalid CIDR address: 10.0.0.1"),
            (HostV4.parse("10.0.0.1/33"), "invalid CIDR address: 10.0.0.1/33"),
            (HostV4.parse("10.0.0.1/+8"), "invalid CIDR address: 10.0.0.1/+8"),
            (HostV6.parse("10.0.0.1/24"), "Not an IPv6 address \"10.0.0.1/24\""),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Err(expected.to_owned()));
        }
    }

    #[test]
    fn membership() {
        let cidr = Cidr::parse("10.1.2.3/16").expect("a host");
        assert_eq!(cidr.network().to_string(), "10.1.0.0");
        assert!(cidr.contains("10.1.255.255".parse().expect("an address")));
        assert!(!cidr.contains("10.2.0.0".parse().expect("an address")));
        assert!(!cidr.contains("fd00::1".parse().expect("an address")));
    }

    proptest! {
        #[test]
        fn written_and_read_back(bits: u128, prefix in 0..=128_u8, four: bool) {
            let address = match four {
                true => IpAddr::V4(Ipv4Addr::from_bits((bits & u128::from(u32::MAX)) as u32)),
                false => IpAddr::V6(Ipv6Addr::from_bits(bits | 1 << 127)),
            };
            let cidr = Cidr { address, prefix: if four { prefix % 33 } else { prefix } };
            prop_assert_eq!(Cidr::parse(&cidr.to_string()), Ok(cidr));
        }
    }
}
