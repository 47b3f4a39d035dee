//! Ranges of addresses: `10.0.0.10-10.0.0.20`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::Kind;
use super::ip::{self, V4, V6};

/// A range of addresses, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: IpAddr,
    /// The last.
    pub last: IpAddr,
}

impl Default for Range {
    fn default() -> Range {
        let unset = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        Range { first: unset, last: unset }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.first, self.last)
    }
}

impl Range {
    /// Whether an address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        (self.first..=self.last).contains(&address) && address.is_ipv4() == self.first.is_ipv4()
    }
}

/// Reads both ends by one family's rule. As in LXD, their order is not looked at here.
fn range<K: Kind>(kind: &K, text: &str) -> Result<Range, String> {
    let Some((first, last)) = text.split_once('-') else {
        return Err("IP range must contain start and end IP addresses".to_owned());
    };
    let end = |text: &str| {
        kind.parse(text)?;
        ip::parse(text).ok_or_else(|| format!("Not an IP address {text:?}"))
    };
    Ok(Range { first: end(first)?, last: end(last)? })
}

/// A range of IPv4 addresses.
#[derive(Clone, Copy, Debug)]
pub struct RangeV4;

impl Kind for RangeV4 {
    type Value = Range;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Range, String> {
        range(&V4, text)
    }

    fn accepts(&self) -> String {
        "a range such as 10.0.0.10-10.0.0.20".to_owned()
    }
}

/// A range of IPv6 addresses.
#[derive(Clone, Copy, Debug)]
pub struct RangeV6;

impl Kind for RangeV6 {
    type Value = Range;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Range, String> {
        range(&V6, text)
    }

    fn accepts(&self) -> String {
        "a range such as fd00::10-fd00::20".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let range = RangeV4.parse("10.0.0.5-10.0.0.9").expect("a range");
        assert_eq!(range.to_string(), "10.0.0.5-10.0.0.9");
        assert!(range.contains("10.0.0.9".parse().expect("an address")));
        assert!(!range.contains("10.0.0.10".parse().expect("an address")));
        assert_eq!(RangeV4.parse("10.0.0.5"), Err("IP range must contain start and end IP addresses".to_owned()));
        assert_eq!(RangeV4.parse("10.0.0.5-fd00::1"), Err("Not an IPv4 address \"fd00::1\"".to_owned()));
        assert_eq!(RangeV6.parse("x-fd00::1"), Err("Not an IPv6 address \"x\"".to_owned()));
    }
}
