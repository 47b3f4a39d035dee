//! Access lists of a bridge: what may pass between its guests and all others, as plain data, and putting it in force.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{nft_acl, run};
use crate::error::{Error, Result};
use crate::subnet::{Range, Subnet};

/// Which way packets go, as a guest sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the guests.
    Ingress,
    /// From the guests.
    Egress,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nobody is told.
    Drop,
    /// The sender is told.
    Reject,
    /// It passes.
    Allow,
}

/// What a rule asks of a packet beyond its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing.
    #[default]
    Any,
    /// TCP or UDP (`tcp`, `udp`), from and to one of these ports, first and last; empty: any.
    Ports {
        /// `tcp` or `udp`.
        name: &'static str,
        /// The sender's.
        source: Vec<(u16, u16)>,
        /// The receiver's.
        destination: Vec<(u16, u16)>,
    },
    /// ICMP of IPv4, or ICMPv6, of this type and code.
    Icmp {
        /// Whether it is that of IPv6.
        v6: bool,
        /// The type; none: any.
        kind: Option<u8>,
        /// The code; none: any.
        code: Option<u8>,
    },
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which packets it looks at.
    pub direction: Direction,
    /// What it does with those that fit.
    pub action: Action,
    /// From one of these; empty: from anywhere.
    pub source: Vec<Subject>,
    /// To one of these; empty: to anywhere.
    pub destination: Vec<Subject>,
    /// What else it asks.
    pub protocol: Protocol,
    /// By what name the kernel's log is told of a packet that fits (at most 29 letters); none: it is not.
    pub log: Option<String>,
}

/// Addresses that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One address.
    One(IpAddr),
    /// A network.
    Network(Subnet),
    /// From one address to another.
    Between(Range),
}

impl Subject {
    /// Whether these are addresses of IPv4.
    pub fn is_ipv4(self) -> bool {
        match self {
            Subject::One(address) => address.is_ipv4(),
            Subject::Network(subnet) => subnet.address.is_ipv4(),
            Subject::Between(range) => range.first.is_ipv4(),
        }
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Subject> {
        let one = || text.parse().ok().map(Subject::One);
        let network = || text.parse().ok().map(Subject::Network);
        let between = || text.contains('-').then(|| text.parse().ok().map(Subject::Between)).flatten();
        one()
            .or_else(network)
            .or_else(between)
            .ok_or_else(|| Error::internal(format!("Unsupported nftables subject {text:?}")))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::One(address) => write!(out, "{address}"),
            Subject::Network(subnet) => write!(out, "{}", subnet.network()),
            Subject::Between(range) => write!(out, "{}-{}", range.first, range.last),
        }
    }
}

/// Makes these the rules of the bridge `network`, the first that fits counting, in place of all its former ones, at once.
///
/// # Errors
/// When nft is not installed (Debian's `nftables`) or refuses.
pub fn set_network(network: &str, rules: &[Rule]) -> Result<()> {
    run(&nft_acl::network(network, rules)).map_err(|error| error.context("Failed applying ACL rules to network"))
}

/// Takes all rules of the bridge `network` away.
///
/// # Errors
/// As [`set_network`].
pub fn clear_network(network: &str) -> Result<()> {
    run(&nft_acl::clear_network(network)).map_err(|error| error.context("Failed removing ACL rules from network"))
}
