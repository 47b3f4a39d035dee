//! What a bridge's keys amount to: read once, with every default filled in. All else is derived from it.

use std::net::IpAddr;

use corten_host::netlink::mac::Mac;

use crate::config::{Config, flag, get, list};
use crate::error::{Error, Result};
use crate::network::Dhcp;
use crate::subnet::{Range, Subnet};

/// Largest packet where nothing else is configured.
const DEFAULT_MTU: u32 = 1500;
/// How long a lease is good for where nothing else is configured.
const DEFAULT_EXPIRY: &str = "1h";
/// The DNS zone where nothing else is configured.
const DEFAULT_DOMAIN: &str = "lxd";

/// A bridge as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The network's and the link's name.
    pub name: String,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Whether `mtu` was configured, so that it must hold even while no port is attached.
    pub forced_mtu: bool,
    /// The configured hardware address.
    pub hwaddr: Option<Mac>,
    /// Interfaces of the host to attach.
    pub external: Vec<String>,
    /// IPv4, where the bridge has an address.
    pub v4: Option<Family>,
    /// IPv6, where the bridge has an address.
    pub v6: Option<Family>,
    /// Names.
    pub dns: Dns,
    /// Lines for dnsmasq's own configuration file.
    pub raw_dnsmasq: String,
}

/// One address family of a bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The bridge's own address.
    pub subnet: Subnet,
    /// Whether addresses are handed out (for IPv6: more than the prefix).
    pub dhcp: bool,
    /// Whether IPv6 addresses are handed out one by one (`ipv6.dhcp.stateful`).
    pub stateful: bool,
    /// The ranges to hand out, as configured; empty: all.
    pub ranges: Vec<Range>,
    /// How long a lease is good for, in dnsmasq's words.
    pub expiry: String,
    /// The router that DHCP names, if another than the bridge.
    pub gateway: Option<IpAddr>,
    /// Address translation for what leaves the network.
    pub nat: Option<Nat>,
    /// Further networks behind the bridge.
    pub routes: Vec<Subnet>,
    /// Whether packets are forwarded from and to the bridge.
    pub routing: bool,
    /// Whether firewall rules are made.
    pub firewall: bool,
}

/// How a network's own addresses are hidden outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nat {
    /// The address that takes their place; none: that of the interface by which a packet leaves.
    pub address: Option<IpAddr>,
    /// Whether the rules go after those that are there; for xtables, where there is one list for all.
    pub after: bool,
}

/// Names of a bridge's guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// `managed`, `dynamic` or `none`.
    pub mode: Mode,
    /// The zone.
    pub domain: String,
    /// Zones that guests search, as configured.
    pub search: String,
}

/// Who says what a guest is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// LXD, by the instance's name.
    Managed,
    /// The guest itself.
    Dynamic,
    /// Nobody.
    Off,
}

impl Plan {
    /// Reads the keys of the network `name`.
    ///
    /// # Errors
    /// When a value cannot be read, or asks for what Corten does not have yet.
    pub fn of(name: &str, config: &Config) -> Result<Plan> {
        refuse_missing(config)?;
        let mtu = parse_optional(config, "bridge.mtu")?;
        let plan = Plan {
            name: name.to_string(),
            mtu: mtu.unwrap_or(DEFAULT_MTU),
            forced_mtu: mtu.is_some(),
            hwaddr: parse_optional(config, "bridge.hwaddr")?,
            external: list(get(config, "bridge.external_interfaces")).map(String::from).collect(),
            v4: Family::of(config, "ipv4")?,
            v6: Family::of(config, "ipv6")?,
            dns: Dns::of(config),
            raw_dnsmasq: get(config, "raw.dnsmasq").to_string(),
        };
        Ok(plan)
    }

    /// The families that the bridge has an address of, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.v4.iter().chain(&self.v6)
    }

    /// Whether dnsmasq runs for it.
    pub fn uses_dnsmasq(&self) -> bool {
        self.families().next().is_some()
    }

    /// Whether instances are known by their names.
    pub fn names_managed(&self) -> bool {
        self.dns.mode == Mode::Managed
    }

    /// What it hands out.
    pub fn dhcp(&self) -> Dhcp {
        let subnet = |family: &Option<Family>| family.as_ref().filter(|family| family.dhcp).map(|family| family.subnet);
        let ranges = |family: &Option<Family>| family.as_ref().map(|family| family.ranges.clone()).unwrap_or_default();
        Dhcp {
            v4: subnet(&self.v4),
            v6: subnet(&self.v6),
            v4_ranges: ranges(&self.v4),
            v6_ranges: ranges(&self.v6),
            v6_stateful: self.v6.as_ref().is_some_and(|family| family.stateful),
        }
    }
}

impl Family {
    fn of(config: &Config, family: &str) -> Result<Option<Family>> {
        let key = |suffix: &str| format!("{family}.{suffix}");
        let value = |suffix: &str| get(config, &key(suffix));
        if ["", "none"].contains(&value("address")) {
            return Ok(None);
        }
        let nat = flag(config, &key("nat"), false).then_some(()).map(|()| -> Result<Nat> {
            Ok(Nat { address: parse_optional(config, &key("nat.address"))?, after: value("nat.order") == "after" })
        });
        Ok(Some(Family {
            subnet: parse(config, &key("address"))?,
            dhcp: flag(config, &key("dhcp"), true),
            stateful: flag(config, &key("dhcp.stateful"), false),
            ranges: parse_list(config, &key("dhcp.ranges"))?,
            expiry: Some(value("dhcp.expiry")).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_EXPIRY).to_string(),
            gateway: parse_optional(config, &key("dhcp.gateway"))?,
            nat: nat.transpose()?,
            routes: parse_list(config, &key("routes"))?,
            routing: flag(config, &key("routing"), true),
            firewall: flag(config, &key("firewall"), true),
        }))
    }
}

impl Dns {
    fn of(config: &Config) -> Dns {
        Dns {
            mode: match get(config, "dns.mode") {
                "none" => Mode::Off,
                "dynamic" => Mode::Dynamic,
                _ => Mode::Managed,
            },
            domain: Some(get(config, "dns.domain"))
                .filter(|text| !text.is_empty())
                .unwrap_or(DEFAULT_DOMAIN)
                .to_string(),
            search: get(config, "dns.search").trim().to_string(),
        }
    }
}

/// Refuses what LXD's bridges have and Corten's do not yet.
fn refuse_missing(config: &Config) -> Result<()> {
    let refuse = |what: &str, key: &str| Err(Error::not_implemented(format!("{what} ({key}) are not implemented yet")));
    if get(config, "bridge.driver") == "openvswitch" {
        return refuse("Open vSwitch bridges", "bridge.driver");
    }
    if get(config, "bridge.mode") == "fan" {
        return refuse("Fan bridges", "bridge.mode");
    }
    if let Some(key) = config.iter().find(|(key, value)| key.starts_with("tunnel.") && !value.is_empty()) {
        return refuse("Tunnels", key.0);
    }
    Ok(())
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(config: &Config, key: &str) -> Result<T> {
    get(config, key).parse().map_err(|error| Error::internal(format!("Failed parsing {key}: {error}")))
}

fn parse_optional<T: std::str::FromStr<Err: std::fmt::Display>>(config: &Config, key: &str) -> Result<Option<T>> {
    if get(config, key).is_empty() { Ok(None) } else { parse(config, key).map(Some) }
}

fn parse_list<T: std::str::FromStr<Err: std::fmt::Display>>(config: &Config, key: &str) -> Result<Vec<T>> {
    let parsed = list(get(config, key))
        .map(|entry| entry.parse().map_err(|error| Error::internal(format!("Failed parsing {key}: {error}"))));
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
    }

    #[test]
    fn defaults_are_lxds() {
        let plan =
            Plan::of("br0", &config(&[("ipv4.address", "10.0.3.1/24"), ("ipv6.address", "none")])).expect("a plan");
        let v4 = plan.v4.clone().expect("IPv4");
        assert!(plan.v6.is_none() && plan.uses_dnsmasq() && plan.names_managed());
        assert_eq!((plan.mtu, plan.forced_mtu), (1500, false));
        assert_eq!((v4.dhcp, v4.routing, v4.firewall, v4.nat), (true, true, true, None));
        assert_eq!((v4.expiry.as_str(), plan.dns.domain.as_str()), ("1h", "lxd"));
        assert!(!Plan::of("br0", &Config::new()).expect("a plan").uses_dnsmasq());
    }

    #[test]
    fn what_is_not_there_yet_is_said_plainly() {
        for (key, value) in [("bridge.mode", "fan"), ("bridge.driver", "openvswitch"), ("tunnel.a.protocol", "gre")] {
            let error = Plan::of("br0", &config(&[(key, value)])).unwrap_err().to_string();
            assert!(error.contains("not implemented") && error.contains(key), "{error}");
        }
    }
}
