//! Firewall rules as plain data, and putting them in force. One renderer writes them for nft(8).

use corten_host::command::Command;
use corten_host::netlink::mac::Mac;

use crate::bridge::plan::{Family, Nat, Plan};
use crate::error::Result;
use crate::subnet::Subnet;

pub mod acl;
pub mod forward;
pub mod nft;
mod nft_acl;

/// What a bridge network wants of the firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkRules {
    /// The bridge.
    pub name: String,
    /// Whether IPv4 packets from and to the bridge are forwarded (else rejected); none: no rule about it.
    pub forward_v4: Option<bool>,
    /// As `forward_v4`.
    pub forward_v6: Option<bool>,
    /// Whether guests may use the host's DNS: there is a rule for either family.
    pub dns: bool,
    /// Whether guests may use the host's DHCP and ICMP for IPv4.
    pub dhcp_v4: bool,
    /// As `dhcp_v4`.
    pub dhcp_v6: bool,
    /// Networks whose addresses are translated.
    pub nat: Vec<(Subnet, Nat)>,
}

impl NetworkRules {
    /// The rules for a bridge.
    pub fn of(plan: &Plan) -> NetworkRules {
        let (v4, v6) = (guarded(plan.v4.as_ref()), guarded(plan.v6.as_ref()));
        let nat = |family: &Family| family.nat.map(|nat| (family.subnet.network(), nat));
        NetworkRules {
            name: plan.name.clone(),
            forward_v4: v4.map(|family| family.routing),
            forward_v6: v6.map(|family| family.routing),
            dns: v4.is_some() || v6.is_some(),
            dhcp_v4: v4.is_some_and(|family| family.dhcp),
            dhcp_v6: v6.is_some_and(|family| family.dhcp),
            nat: plan.families().filter_map(nat).collect(),
        }
    }

    /// Whether there is any rule.
    pub fn is_empty(&self) -> bool {
        !self.dns && self.nat.is_empty()
    }
}

fn guarded(family: Option<&Family>) -> Option<&Family> {
    family.filter(|family| family.firewall)
}

/// What an instance's port of a bridge may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRules {
    /// `INSTANCE.DEVICE`, the instance with its project before it; names the chains.
    pub label: String,
    /// The host's end.
    pub host_name: String,
    /// The only hardware address it may use.
    pub hwaddr: Mac,
    /// The only IPv4 networks it may use; none: any, empty: no IPv4 at all.
    pub v4: Option<Vec<Subnet>>,
    /// As `v4`.
    pub v6: Option<Vec<Subnet>>,
}

/// Puts a network's rules in the place of all its former ones, at once.
///
/// # Errors
/// When nft is not installed (Debian's `nftables`) or refuses.
pub fn set_network(rules: &NetworkRules) -> Result<()> {
    run(&nft::network(rules)).map_err(|error| error.context("Failed to setup firewall"))
}

/// Removes all rules of the network `name`.
///
/// # Errors
/// As [`set_network`].
pub fn clear_network(name: &str) -> Result<()> {
    run(&nft::clear_network(name)).map_err(|error| error.context("Failed deleting firewall"))
}

/// Puts a port's rules in the place of all its former ones, at once.
///
/// # Errors
/// As [`set_network`].
pub fn set_port(rules: &PortRules) -> Result<()> {
    run(&nft::port(rules)).map_err(|error| {
        error.context(format!("Failed adding bridge filter rules for instance device {:?} (bridge)", rules.label))
    })
}

/// Removes all rules of the port `label`.
///
/// # Errors
/// As [`set_network`].
pub fn clear_port(label: &str) -> Result<()> {
    run(&nft::clear_port(label))
        .map_err(|error| error.context(format!("Failed clearing bridge filter rules for instance device {label:?}")))
}

/// Drops what comes from the host's end `host_name` with an address that is not routed back there.
///
/// # Errors
/// As [`set_network`].
pub fn set_reverse_path(label: &str, host_name: &str) -> Result<()> {
    run(&nft::reverse_path(label, host_name)).map_err(|error| {
        error.context(format!("Failed adding reverse path filter rules for instance device {label:?} (inet)"))
    })
}

/// Takes back [`set_reverse_path`].
///
/// # Errors
/// As [`set_network`].
pub fn clear_reverse_path(label: &str) -> Result<()> {
    run(&nft::clear_reverse_path(label)).map_err(|error| {
        error.context(format!("Failed clearing reverse path filter rules for instance device {label:?}"))
    })
}

/// One transaction: either all of `text` is in force afterwards, or nothing of it.
fn run(text: &str) -> Result<()> {
    Command::new("nft", "nftables").args(["-f", "-"]).input(text).run()?;
    Ok(())
}

/// Whether nft is installed.
pub fn is_available() -> bool {
    Command::new("nft", "nftables").find().is_some()
}
