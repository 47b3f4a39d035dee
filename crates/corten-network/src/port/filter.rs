//! What a port may send: rules from `security.mac_filtering`, `security.ipv4_filtering` and `security.ipv6_filtering`.

use corten_host::undo::Undo;

use super::Nic;
use crate::config::list;
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::firewall::{self, PortRules};
use crate::network::Want;
use crate::subnet::Subnet;
use crate::sysctl;

const KEYS: [&str; 3] = ["security.mac_filtering", "security.ipv4_filtering", "security.ipv6_filtering"];

/// Whether the NIC is filtered at all.
pub fn is_on(nic: &Nic<'_>) -> bool {
    KEYS.iter().any(|key| nic.is_on(key))
}

/// Puts the NIC's rules in force on the host's end `host_name`, or removes those that were there.
///
/// # Errors
/// When no address can be settled, or nft is missing or refuses.
pub fn apply(nic: &Nic<'_>, host_name: &str, undo: &mut Undo) -> Result<()> {
    if nic.is_on("security.ipv6_filtering") {
        require_bridge_netfilter()?;
    }
    if !is_on(nic) {
        return Ok(());
    }
    let host = nic.host().ok_or_else(|| Error::internal("Failed to set network filters: require hwaddr defined"))?;
    let rules = rules(nic, host_name, &settle(nic, &host)?)?;
    let label = rules.label.clone();
    undo.step(
        "set a port's firewall rules",
        || firewall::set_port(&rules),
        |()| move || firewall::clear_port(&label).map_err(|error| error.to_string()),
    )
}

/// Removes the rules of a NIC that is filtered.
///
/// # Errors
/// When nft is missing or refuses.
pub fn remove(nic: &Nic<'_>) -> Result<()> {
    if is_on(nic) { firewall::clear_port(&nic.label()) } else { Ok(()) }
}

/// Chooses the addresses that the NIC may use, where its keys name none and its network hands some out.
fn settle(nic: &Nic<'_>, host: &Host) -> Result<Host> {
    let wants = |family: &str, key: &str| nic.is_on(key) && nic.get(family).is_empty();
    let want = Want {
        v4: wants("ipv4.address", "security.ipv4_filtering"),
        v6: wants("ipv6.address", "security.ipv6_filtering"),
    };
    match nic.network {
        Some(network) if want.v4 || want.v6 => network.settle_host(host, want),
        _ => Ok(host.clone()),
    }
}

fn rules(nic: &Nic<'_>, host_name: &str, host: &Host) -> Result<PortRules> {
    let v4 = host.v4.map(|address| Subnet::single(address.into()));
    let v6 = host.v6.map(|address| Subnet::single(address.into()));
    Ok(PortRules {
        label: nic.label(),
        host_name: host_name.to_string(),
        hwaddr: host.hwaddr,
        v4: allowed(nic, "ipv4", v4)?,
        v6: allowed(nic, "ipv6", v6)?,
    })
}

/// The networks that the NIC may use: its address and what is routed to it. None: any; empty: none at all, which is what
/// `none` means, and what a network without addresses amounts to.
fn allowed(nic: &Nic<'_>, family: &str, own: Option<Subnet>) -> Result<Option<Vec<Subnet>>> {
    if !nic.is_on(&format!("security.{family}_filtering")) {
        return Ok(None);
    }
    let Some(own) = own else { return Ok(Some(Vec::new())) };
    let mut networks = vec![own];
    for key in [format!("{family}.routes"), format!("{family}.routes.external")] {
        for text in list(nic.get(&key)) {
            networks.push(text.parse().map_err(|error| Error::invalid(format!("Invalid route {text:?}: {error}")))?);
        }
    }
    Ok(Some(networks))
}

/// The kernel shows bridged IPv6 to the filters only when it is told to.
fn require_bridge_netfilter() -> Result<()> {
    let refuse =
        |reason: &str| Err(Error::internal(format!("security.ipv6_filtering requires bridge netfilter: {reason}")));
    match sysctl::get("bridge/bridge-nf-call-ip6tables")?.as_deref() {
        None => refuse("br_netfilter kernel module not loaded"),
        Some("1") => Ok(()),
        Some(_) => refuse("sysctl net.bridge.bridge-nf-call-ip6tables not enabled"),
    }
}
