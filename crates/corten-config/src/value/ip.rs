//! IP addresses. As in Go, an IPv4 address written as `::ffff:10.0.0.1` counts as IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;
use super::go_text::quoted;

/// Reads an address of either family.
pub fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// An address of either family.
#[derive(Clone, Copy, Debug)]
pub struct Address;

/// An address of either family as its type; unset is `::`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip(pub IpAddr);

impl Default for Ip {
    fn default() -> Ip {
        Ip(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    }
}

impl Kind for Address {
    type Value = Ip;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Ip, String> {
        parse(text).map(Ip).ok_or_else(|| format!("Not an IP address {}", quoted(text)))
    }

    fn accepts(&self) -> String {
        "an IP address".to_owned()
    }
}

/// An IPv4 address; unset is `0.0.0.0`.
#[derive(Clone, Copy, Debug)]
pub struct V4;

/// An IPv4 address that has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip4(pub Ipv4Addr);

impl Default for Ip4 {
    fn default() -> Ip4 {
        Ip4(Ipv4Addr::UNSPECIFIED)
    }
}

impl Kind for V4 {
    type Value = Ip4;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Ip4, String> {
        match parse(text) {
            Some(IpAddr::V4(address)) => Ok(Ip4(address)),
            _ => Err(format!("Not an IPv4 address {}", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "an IPv4 address".to_owned()
    }
}

/// An IPv6 address; unset is `::`.
#[derive(Clone, Copy, Debug)]
pub struct V6;

/// An IPv6 address that has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip6(pub Ipv6Addr);

impl Default for Ip6 {
    fn default() -> Ip6 {
        Ip6(Ipv6Addr::UNSPECIFIED)
    }
}

impl Kind for V6 {
    type Value = Ip6;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Ip6, String> {
        match parse(text) {
            Some(IpAddr::V6(address)) => Ok(Ip6(address)),
            _ => Err(format!("Not an IPv6 address {}", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "an IPv6 address".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        assert!(Address.parse("10.0.0.1").is_ok() && Address.parse("fd00::1").is_ok());
        assert_eq!(V4.parse("::ffff:10.0.0.1"), Ok(Ip4(Ipv4Addr::new(10, 0, 0, 1))));
        assert_eq!(Address.parse("10.0.0.1/24"), Err("Not an IP address \"10.0.0.1/24\"".to_owned()));
        assert_eq!(V4.parse("10.0.0.256"), Err("Not an IPv4 address \"10.0.0.256\"".to_owned()));
        assert_eq!(V4.parse("010.0.0.1"), Err("Not an IPv4 address \"010.0.0.1\"".to_owned()));
        assert_eq!(V6.parse("10.0.0.1"), Err("Not an IPv6 address \"10.0.0.1\"".to_owned()));
    }
}
