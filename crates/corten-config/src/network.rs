//! Keys of networks by type, and rules that bind several of them.

pub mod bridge;
pub mod macvlan;
pub mod ovn;
pub mod physical;
pub mod sriov;
pub mod zone;

use corten_api::error::{Error, Result};

use crate::entity::Table;
use crate::key::Config;
use crate::value::list;

/// The table of a type of network.
pub fn table(kind: &str) -> Option<Table> {
    match kind {
        "bridge" => Some(bridge::BRIDGE),
        "macvlan" => Some(macvlan::MACVLAN),
        "ovn" => Some(ovn::OVN),
        "physical" => Some(physical::PHYSICAL),
        "sriov" => Some(sriov::SRIOV),
        _ => None,
    }
}

/// Refuses keys of tunnels and BGP peers that do not have the right number of parts.
pub(crate) fn check_names_of_keys(network: &str, config: &Config) -> Result<()> {
    for key in config.keys() {
        let parts: Vec<&str> = key.split('.').collect();
        let malformed = match parts[0] {
            "tunnel" => parts.len() != 3,
            // `bgp.ipv4.nexthop` is a key of its own; LXD refuses it by this very rule on every network, which no
            // one can want.
            "bgp" => parts.len() != 4 && !key.ends_with(".nexthop"),
            _ => false,
        };
        if malformed {
            return Err(Error::invalid(format!("Invalid network configuration key: {key}")));
        }
        if parts[0] == "tunnel" && network.len() + parts[1].len() > 14 {
            let message = format!("Network name too long for tunnel interface: {network}-{}", parts[1]);
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

/// Rules that bind several keys of a bridge.
pub(crate) fn check_together(kind: &str, network: &str, config: &Config) -> Result<()> {
    if kind != "bridge" {
        return Ok(());
    }
    let get = |key: &str| config.get(key).map_or("", String::as_str);
    let fan = get("bridge.mode") == "fan";
    if fan && network.len() > 11 {
        return Err(Error::invalid("Network name too long to use with the FAN (must be 11 characters or less)"));
    }
    for (key, _) in config.iter().filter(|(_, value)| !value.is_empty()) {
        let message = match key.split('.').next() {
            Some("ipv4") if fan && !FAN_IPV4.contains(&key.as_str()) => {
                "IPv4 configuration may not be set when in 'fan' mode"
            }
            Some("ipv6") if fan => "IPv6 configuration may not be set when in 'fan' mode",
            Some("fan") if !fan => "FAN configuration may only be set when in 'fan' mode",
            _ => continue,
        };
        return Err(Error::invalid(message));
    }
    check_fan_mtu(fan, get("fan.type"), get("bridge.mtu"))
}

/// Keys of IPv4 that count in fan mode too.
const FAN_IPV4: [&str; 4] = ["ipv4.dhcp.expiry", "ipv4.firewall", "ipv4.nat", "ipv4.nat.order"];

/// The headers of a fan's tunnel leave less room in a frame.
fn check_fan_mtu(fan: bool, kind: &str, mtu: &str) -> Result<()> {
    let mtu: i64 = mtu.parse().unwrap_or(0);
    match (fan, kind) {
        (true, "ipip") if mtu > 1480 => Err(Error::invalid("Maximum MTU for an IPIP FAN bridge is 1480")),
        (true, kind) if kind != "ipip" && mtu > 1450 => {
            Err(Error::invalid("Maximum MTU for a VXLAN FAN bridge is 1450"))
        }
        _ => Ok(()),
    }
}

/// Names of a bridge's tunnels, as its keys have them.
pub fn tunnels(config: &Config) -> Vec<&str> {
    let mut names: Vec<&str> =
        config.keys().filter_map(|key| key.strip_prefix("tunnel.")).filter_map(|rest| rest.split('.').next()).collect();
    names.dedup();
    names
}

/// Names of the access control lists that a network or interface has.
pub fn acls(config: &Config) -> impl Iterator<Item = &str> {
    list::items(config.get("security.acls").map_or("", String::as_str))
}
