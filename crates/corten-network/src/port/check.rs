//! Whether a NIC's keys agree with each other, with its network, and with the host; in LXD's words.

use std::net::IpAddr;

use super::{Nic, NicType};
use crate::config::{get, list};
use crate::error::{Error, Result};
use crate::interface;
use crate::network::Network;
use crate::registry::Kind;
use crate::subnet::Subnet;

/// Checks a NIC's keys against its network. Each key by itself and all of them together are checked by their table in
/// `corten-config`; that no other NIC has the same addresses, by those who know all instances.
///
/// # Errors
/// The first rule that is broken.
pub fn config(nic: &Nic<'_>) -> Result<()> {
    match (nic.nic_type()?, nic.network) {
        (NicType::Bridged, Some(network)) => on_network(nic, network),
        (NicType::Bridged, None) => on_foreign_bridge(nic),
        _ => Ok(()),
    }
}

fn on_network(nic: &Nic<'_>, network: &dyn Network) -> Result<()> {
    if network.kind() != Kind::Bridge {
        return Err(Error::invalid("Specified network must be of type bridge"));
    }
    let dhcp = network.dhcp();
    let v6 = dhcp.v6.filter(|_| dhcp.v6_stateful);
    address(nic, network, "ipv4", dhcp.v4, dhcp.v4.is_some())?;
    address(nic, network, "ipv6", dhcp.v6, v6.is_some())?;
    if nic.get("vlan") == "0" {
        return Err(Error::invalid("VLAN ID 0 is not allowed for native Linux bridges"));
    }
    if list(nic.get("vlan.tagged")).any(|id| id == "0") {
        return Err(Error::invalid("VLAN tagged ID 0 is not allowed for native Linux bridges"));
    }
    Ok(())
}

/// Checks the configured address of one family against what the network hands out.
fn address(nic: &Nic<'_>, network: &dyn Network, family: &str, dhcp: Option<Subnet>, given: bool) -> Result<()> {
    let key = format!("{family}.address");
    let (text, name) = (nic.get(&key), network.name());
    let filtered = nic.is_on(&format!("security.{family}_filtering"));
    if text.is_empty() {
        return Ok(());
    }
    if !given && !filtered {
        let off = if family == "ipv4" { "DHCP is disabled" } else { "DHCP or \"ipv6.dhcp.stateful\" are disabled" };
        return Err(Error::invalid(format!(
            "Cannot specify {key:?} when {off} (unless using security.{family}_filtering) on network {name:?}"
        )));
    }
    let own: Option<IpAddr> = text.parse().ok();
    if let (Some(subnet), false) = (dhcp, text == "none")
        && !own.is_some_and(|address| subnet.contains(address))
    {
        return Err(Error::invalid(format!("Device IP address {text:?} not within network {name:?} subnet")));
    }
    let Ok(bridge) = get(network.config(), &key).parse::<Subnet>() else { return Ok(()) };
    if text == "none" && !filtered {
        return Err(Error::invalid(format!("Cannot have {key} as none unless using security.{family}_filtering")));
    }
    if own == Some(bridge.address) {
        return Err(Error::invalid(format!(
            "IP address {text:?} is assigned to parent managed network device {:?}",
            nic.parent()
        )));
    }
    Ok(())
}

fn on_foreign_bridge(nic: &Nic<'_>) -> Result<()> {
    for (family, word) in [("ipv4", "IPv4"), ("ipv6", "IPv6")] {
        let key = format!("{family}.address");
        let has_address = !nic.get(&key).is_empty();
        let filtered = nic.is_on(&format!("security.{family}_filtering"));
        if filtered && !has_address {
            return Err(Error::invalid(format!(
                "{word} filtering requires a manually specified {key} when using an unmanaged parent bridge"
            )));
        }
        if !filtered && has_address && nic.get(&format!("maas.subnet.{family}")).is_empty() {
            return Err(Error::invalid(format!(
                "Cannot use manually specified {key} when using unmanaged parent bridge"
            )));
        }
    }
    Ok(())
}

/// Checks that the host has what the NIC needs at its start.
///
/// # Errors
/// What is missing.
pub fn environment(nic: &Nic<'_>) -> Result<()> {
    if nic.get("name").is_empty() {
        return Err(Error::internal("Requires name property to start"));
    }
    let parent = nic.parent();
    match nic.nic_type()? {
        NicType::P2p => Ok(()),
        _ if interface::exists(parent)? => Ok(()),
        NicType::Bridged => Err(Error::internal(format!("Parent device {parent:?} doesn't exist"))),
        NicType::Macvlan | NicType::Physical => Err(Error::internal(format!("Parent device '{parent}' doesn't exist"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::network::Place;
    use crate::registry::open;

    fn message(network: Option<&[(&str, &str)]>, device: &[(&str, &str)]) -> String {
        let map = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let place = Place { dir: "/nonexistent".into(), mac_seed: String::new(), debug: false };
        let network = network.map(|pairs| open(Kind::Bridge, "br0", &map(pairs), place));
        let (device, volatile) = (map(device), Config::new());
        let nic = Nic {
            project: "default",
            instance: "c1",
            device: "eth0",
            config: &device,
            volatile: &volatile,
            network: network.as_deref(),
        };
        config(&nic).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn nics_must_fit_their_network() {
        let net = [("ipv4.address", "10.0.0.1/24"), ("ipv6.address", "fd42::1/64")].as_slice();
        let off = [("ipv4.address", "10.0.0.1/24"), ("ipv4.dhcp", "false")].as_slice();
        for (network, device, text) in [
            (net, [("network", "br0")].as_slice(), ""),
            (net, &[("network", "br0"), ("ipv4.address", "10.0.0.9")], ""),
            (
                net,
                &[("network", "br0"), ("ipv4.address", "10.0.1.9")],
                "Device IP address \"10.0.1.9\" not within network \"br0\" subnet",
            ),
            (
                net,
                &[("network", "br0"), ("ipv4.address", "10.0.0.1")],
                "IP address \"10.0.0.1\" is assigned to parent managed network device \"br0\"",
            ),
            (
                net,
                &[("network", "br0"), ("ipv4.address", "none")],
                "Cannot have ipv4.address as none unless using security.ipv4_filtering",
            ),
            (
                off,
                &[("network", "br0"), ("ipv4.address", "10.0.0.9")],
                "Cannot specify \"ipv4.address\" when DHCP is disabled (unless using security.ipv4_filtering) on network \"br0\"",
            ),
            (
                net,
                &[("network", "br0"), ("ipv6.address", "fd42::9")],
                "Cannot specify \"ipv6.address\" when DHCP or \"ipv6.dhcp.stateful\" are disabled (unless using security.ipv6_filtering) on network \"br0\"",
            ),
            (net, &[("network", "br0"), ("vlan", "0")], "VLAN ID 0 is not allowed for native Linux bridges"),
        ] {
            assert_eq!(message(Some(network), device), text, "{device:?}");
        }
    }

    #[test]
    fn foreign_bridges_hand_out_nothing() {
        let on =
            |extra: &[(&str, &str)]| message(None, &[&[("nictype", "bridged"), ("parent", "virbr0")], extra].concat());
        assert_eq!(on(&[]), "");
        assert_eq!(
            on(&[("ipv4.address", "10.0.0.9")]),
            "Cannot use manually specified ipv4.address when using unmanaged parent bridge"
        );
        assert_eq!(
            on(&[("security.ipv6_filtering", "true")]),
            "IPv6 filtering requires a manually specified ipv6.address when using an unmanaged parent bridge"
        );
        assert_eq!(on(&[("security.ipv4_filtering", "true"), ("ipv4.address", "10.0.0.9")]), "");
        assert_eq!(message(None, &[("nictype", "x")]), "Invalid nictype \"x\"");
    }
}
