//! Rules about more than one key of a bridge, in LXD's words. The rules about single keys are in `corten-config`.

use crate::config::{Config, get, is_true, list};
use crate::error::{Error, Result};
use crate::subnet::{Range, Subnet};

/// Keys of IPv4 that a Fan bridge may have.
const FAN_IPV4: [&str; 4] = ["ipv4.dhcp.expiry", "ipv4.firewall", "ipv4.nat", "ipv4.nat.order"];

/// Checks the keys of the bridge `name` against each other.
///
/// # Errors
/// The first rule that is broken.
pub fn check(name: &str, config: &Config) -> Result<()> {
    tunnels(name, config)?;
    fan(name, config)?;
    mtu(config)?;
    hwaddr(config)?;
    for family in ["ipv4", "ipv6"] {
        ovn_ranges(config, family)?;
    }
    Ok(())
}

fn is_fan(config: &Config) -> bool {
    get(config, "bridge.mode") == "fan"
}

fn has_address(config: &Config, family: &str) -> bool {
    !["", "none"].contains(&get(config, &format!("{family}.address")))
}

/// Tunnel interfaces are called `NETWORK-TUNNEL`, which must fit an interface's name.
fn tunnels(name: &str, config: &Config) -> Result<()> {
    for key in config.keys().filter(|key| key.starts_with("tunnel.")) {
        let [_, tunnel, _] = key.split('.').collect::<Vec<_>>()[..] else {
            return Err(Error::invalid(format!("Invalid network configuration key: {key}")));
        };
        if name.len() + tunnel.len() > 14 {
            return Err(Error::invalid(format!("Network name too long for tunnel interface: {name}-{tunnel}")));
        }
    }
    Ok(())
}

fn fan(name: &str, config: &Config) -> Result<()> {
    if is_fan(config) && name.len() > 11 {
        return Err(Error::invalid("Network name too long to use with the FAN (must be 11 characters or less)"));
    }
    for (key, _) in config.iter().filter(|(_, value)| !value.is_empty()) {
        let wrong = match (is_fan(config), key) {
            (true, key) if key.starts_with("ipv4.") && !FAN_IPV4.contains(&key.as_str()) => {
                "IPv4 configuration may not be set when in 'fan' mode"
            }
            (true, key) if key.starts_with("ipv6.") => "IPv6 configuration may not be set when in 'fan' mode",
            (false, key) if key.starts_with("fan.") => "FAN configuration may only be set when in 'fan' mode",
            _ => continue,
        };
        return Err(Error::invalid(wrong));
    }
    Ok(())
}

fn mtu(config: &Config) -> Result<()> {
    let text = get(config, "bridge.mtu");
    if text.is_empty() {
        return Ok(());
    }
    let mtu: i64 = text.parse().map_err(|_| Error::invalid(format!("Invalid value for an integer: {text}")))?;
    for (family, least, word) in [("ipv6", 1280, "IPv6"), ("ipv4", 68, "IPv4")] {
        if has_address(config, family) && mtu < least {
            return Err(Error::invalid(format!("The minimum MTU for an {word} network is {least}")));
        }
    }
    let (word, most) = if get(config, "fan.type") == "ipip" { ("an IPIP", 1480) } else { ("a VXLAN", 1450) };
    if is_fan(config) && mtu > most {
        return Err(Error::invalid(format!("Maximum MTU for {word} FAN bridge is {most}")));
    }
    Ok(())
}

/// All members of a cluster get the same address, so they must not meet on one Ethernet.
fn hwaddr(config: &Config) -> Result<()> {
    if get(config, "bridge.hwaddr").is_empty() {
        return Ok(());
    }
    if is_fan(config) {
        return Err(Error::invalid("Cannot use static \"bridge.hwaddr\" MAC address in fan mode"));
    }
    let bare = get(config, "ipv4.address") == "none" && get(config, "ipv6.address") == "none";
    if bare && !get(config, "bridge.external_interfaces").is_empty() {
        return Err(Error::invalid(
            "Cannot use static \"bridge.hwaddr\" MAC address when bridge has no IP addresses and has external interfaces set",
        ));
    }
    Ok(())
}

/// Ranges kept for OVN must not be handed out by DHCP.
fn ovn_ranges(config: &Config, family: &str) -> Result<()> {
    let (ovn_key, dhcp_key) = (format!("{family}.ovn.ranges"), format!("{family}.dhcp.ranges"));
    if get(config, &ovn_key).is_empty() {
        return Ok(());
    }
    let dhcp_on =
        matches!(get(config, &format!("{family}.dhcp")), "") || is_true(get(config, &format!("{family}.dhcp")));
    let subnet: Option<Subnet> = dhcp_on.then(|| get(config, &format!("{family}.address")).parse().ok()).flatten();
    let stateful = family == "ipv4" || is_true(get(config, "ipv6.dhcp.stateful"));
    if subnet.is_some() && stateful && get(config, &dhcp_key).is_empty() {
        let what = if family == "ipv4" { "DHCPv4" } else { "stateful DHCPv6" };
        return Err(Error::invalid(format!(
            "\"{ovn_key}\" must be used in conjunction with non-overlapping \"{dhcp_key}\" when {what} is enabled"
        )));
    }
    let ranges = parse_ranges(config, &ovn_key, subnet)?;
    if family == "ipv6" && !(subnet.is_some() && stateful) {
        return Ok(());
    }
    for handed_out in parse_ranges(config, &dhcp_key, subnet)? {
        if let Some(range) = ranges.iter().find(|range| range.overlaps(handed_out)) {
            let range = format!("{}-{}", range.first, range.last);
            return Err(Error::invalid(format!(
                "The range specified in \"{ovn_key}\" ({range:?}) cannot overlap with \"{dhcp_key}\""
            )));
        }
    }
    Ok(())
}

fn parse_ranges(config: &Config, key: &str, within: Option<Subnet>) -> Result<Vec<Range>> {
    let failed = |error: String| Error::invalid(format!("Failed parsing {key}: {error}"));
    let mut ranges = Vec::new();
    for entry in list(get(config, key)) {
        let range: Range = entry.parse().map_err(failed)?;
        if let Some(subnet) = within
            && !(subnet.contains(range.first) && subnet.contains(range.last))
        {
            let network = subnet.network();
            return Err(failed(format!(
                "IP range {entry:?} does not fall within any of the allowed networks [{network}]"
            )));
        }
        ranges.push(range);
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_rules_are_told_in_lxds_words() {
        for (pairs, message) in [
            (vec![("fan.type", "ipip")], "FAN configuration may only be set when in 'fan' mode"),
            (
                vec![("bridge.mode", "fan"), ("ipv4.address", "10.0.0.1/8")],
                "IPv4 configuration may not be set when in 'fan' mode",
            ),
            (
                vec![("bridge.mode", "fan"), ("ipv6.nat", "true")],
                "IPv6 configuration may not be set when in 'fan' mode",
            ),
            (
                vec![("bridge.mtu", "1000"), ("ipv6.address", "fd42::1/64")],
                "The minimum MTU for an IPv6 network is 1280",
            ),
            (vec![("bridge.mtu", "60"), ("ipv4.address", "10.0.0.1/8")], "The minimum MTU for an IPv4 network is 68"),
            (vec![("bridge.mode", "fan"), ("bridge.mtu", "1500")], "Maximum MTU for a VXLAN FAN bridge is 1450"),
            (vec![("tunnel.a", "x")], "Invalid network configuration key: tunnel.a"),
            (vec![("tunnel.abcdefghijk.id", "1")], "Network name too long for tunnel interface: br00-abcdefghijk"),
            (
                vec![("ipv4.address", "10.0.0.1/24"), ("ipv4.ovn.ranges", "10.0.0.4-10.0.0.5")],
                "\"ipv4.ovn.ranges\" must be used in conjunction with non-overlapping \"ipv4.dhcp.ranges\" when DHCPv4 is enabled",
            ),
            (
                vec![
                    ("ipv4.address", "10.0.0.1/24"),
                    ("ipv4.ovn.ranges", "10.0.0.4-10.0.0.5"),
                    ("ipv4.dhcp.ranges", "10.0.0.5-10.0.0.9"),
                ],
                "The range specified in \"ipv4.ovn.ranges\" (\"10.0.0.4-10.0.0.5\") cannot overlap with \"ipv4.dhcp.ranges\"",
            ),
        ] {
            let config = pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
            assert_eq!(check("br00", &config).expect_err(message).to_string(), message);
        }
    }
}
