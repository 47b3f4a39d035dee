//! Rules about a bridge's addresses, in LXD's words. Those about single keys, and about names and words alone, are in
//! `corten-config`.

use crate::config::{Config, get, is_true, list};
use crate::error::{Error, Result};
use crate::subnet::{Range, Subnet};

/// Checks a bridge's keys against each other.
///
/// # Errors
/// The first rule that is broken.
pub fn check(config: &Config) -> Result<()> {
    mtu(config)?;
    hwaddr(config)?;
    for family in ["ipv4", "ipv6"] {
        ovn_ranges(config, family)?;
    }
    Ok(())
}

fn has_address(config: &Config, family: &str) -> bool {
    !["", "none"].contains(&get(config, &format!("{family}.address")))
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
    Ok(())
}

/// All members of a cluster get the same address, so they must not meet on one Ethernet.
fn hwaddr(config: &Config) -> Result<()> {
    if get(config, "bridge.hwaddr").is_empty() {
        return Ok(());
    }
    if get(config, "bridge.mode") == "fan" {
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
            (
                vec![("bridge.mtu", "1000"), ("ipv6.address", "fd42::1/64")],
                "The minimum MTU for an IPv6 network is 1280",
            ),
            (vec![("bridge.mtu", "60"), ("ipv4.address", "10.0.0.1/8")], "The minimum MTU for an IPv4 network is 68"),
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
            assert_eq!(check(&config).expect_err(message).to_string(), message);
        }
    }
}
