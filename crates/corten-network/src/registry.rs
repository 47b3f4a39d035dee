//! The kinds of networks: one line each.

use std::str::FromStr;

use corten_config::Entity;

use crate::bridge::{self, Bridge};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::macvlan::Macvlan;
use crate::network::{Network, Place};
use crate::physical::Physical;

/// A kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bridge with addresses, DHCP, DNS and firewall rules.
    Bridge,
    /// A parent interface for macvlan NICs.
    Macvlan,
    /// A parent interface to be taken over.
    Physical,
}

/// Each kind with its name in the API.
const KINDS: [(Kind, &str); 3] = [(Kind::Bridge, "bridge"), (Kind::Macvlan, "macvlan"), (Kind::Physical, "physical")];

/// Kinds that LXD has and Corten does not have yet.
const MISSING: [&str; 2] = ["ovn", "sriov"];

impl Kind {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// What a NIC on a network of this kind is, in the word of the key `nictype`.
    pub fn nic_type(self) -> &'static str {
        match self {
            Kind::Bridge => "bridged",
            Kind::Macvlan => "macvlan",
            Kind::Physical => "physical",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Kind> {
        match KINDS.iter().find(|(_, name)| *name == text) {
            Some((kind, _)) => Ok(*kind),
            None if MISSING.contains(&text) => {
                Err(Error::not_implemented(format!("Networks of type {text:?} are not implemented yet")))
            }
            None => Err(Error::invalid("Unknown driver")),
        }
    }
}

/// The network `name` of a kind with these keys. Touches nothing.
pub fn open(kind: Kind, name: &str, config: &Config, place: Place) -> Box<dyn Network> {
    match kind {
        Kind::Bridge => Box::new(Bridge::new(name, config, place)),
        Kind::Macvlan => Box::new(Macvlan::new(name, config, place)),
        Kind::Physical => Box::new(Physical::new(name, config, place)),
    }
}

/// Checks a network's name.
///
/// # Errors
/// In LXD's words.
pub fn check_name(kind: Kind, network: &str) -> Result<()> {
    Ok(corten_config::name::check_network(kind.as_str(), network)?)
}

/// Checks a network's keys: each by its table, and against each other.
///
/// # Errors
/// In LXD's words.
pub fn check_config(kind: Kind, name: &str, config: &Config) -> Result<()> {
    corten_config::check(Entity::Network(kind.as_str(), name), config)?;
    match kind {
        Kind::Bridge => bridge::check::check(config),
        Kind::Macvlan | Kind::Physical => Ok(()),
    }
}

/// Checks some of a network's keys, each by its table.
///
/// # Errors
/// In LXD's words.
pub fn check_keys(kind: Kind, name: &str, some: &Config) -> Result<()> {
    Ok(corten_config::check_keys(Entity::Network(kind.as_str(), name), some)?)
}

/// Fills in what a new network gets where its maker said nothing.
///
/// # Errors
/// When no free addresses were found.
pub fn fill_defaults(kind: Kind, config: &mut Config) -> Result<()> {
    match kind {
        Kind::Bridge => bridge::defaults::fill(config),
        Kind::Macvlan | Kind::Physical => Ok(()),
    }
}

/// Puts addresses in the place of `auto` in the keys that an existing network is to get.
///
/// # Errors
/// When no free addresses were found.
pub fn settle_auto(kind: Kind, config: &mut Config) -> Result<()> {
    match kind {
        Kind::Bridge => bridge::defaults::settle_auto(config),
        Kind::Macvlan | Kind::Physical => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_by_their_table_and_together() {
        let check = |pairs: [(&str, &str); 2]| {
            let config = pairs.map(|(key, value)| (key.to_string(), value.to_string())).into();
            check_config(Kind::Bridge, "br0", &config).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(check([("ipv4.address", "10.0.0.1/24"), ("user.x", "y")]), "");
        assert_eq!(
            check([("ipv4.address", "10.0.0.1/24"), ("ipv4.nat", "maybe")]),
            "Invalid value for network \"br0\" option \"ipv4.nat\": Invalid value for a boolean \"maybe\""
        );
        assert_eq!(
            check([("bridge.mtu", "1000"), ("ipv6.address", "none")]),
            "Invalid value for network \"br0\" option \"bridge.mtu\": Out of MTU range (1280-16384) \"1000\""
        );
        assert!(check_name(Kind::Bridge, "a").is_err() && check_name(Kind::Bridge, "lxdbr0").is_ok());
    }

    #[test]
    fn kinds_are_known_by_their_names() {
        for (kind, name) in KINDS {
            assert_eq!((name.parse::<Kind>().expect("a kind"), kind.as_str()), (kind, name));
        }
        assert_eq!("x".parse::<Kind>().unwrap_err().to_string(), "Unknown driver");
        assert!("ovn".parse::<Kind>().unwrap_err().to_string().contains("not implemented"));
    }
}
