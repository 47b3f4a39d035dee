//! What an instance's NIC gets: a link that is to be the guest's, and the host's end of it with all that hangs there.
//!
//! The order of a NIC's life: [`added`] when the device comes to an instance, [`attach`] at each start (or hot plug),
//! [`update`] for keys that change live, [`detach`] at each stop, [`removed`] when the device goes.

use corten_host::netlink::Socket;
use corten_host::netlink::cable::Cable;
use corten_host::undo::Undo;

use crate::config::{Config, get};
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::name;
use crate::network::Network;

pub mod bridged;
pub mod check;
pub mod filter;
pub mod macvlan;
pub mod move_link;
pub mod p2p;
pub mod physical;
mod routes;
mod veth;
pub mod vlan;
mod vlan_port;

/// Lets the bridge of the port `host_name` send back to it what came from it, where the host's firewall sees bridged
/// packets: without that an instance cannot reach itself by another address.
///
/// # Errors
/// When the port is not known or the kernel refuses.
pub fn send_back(host_name: &str) -> Result<()> {
    let seen = |key: &str| Ok::<_, Error>(crate::sysctl::get(key)?.is_some_and(|value| value.trim() == "1"));
    if !seen("bridge/bridge-nf-call-iptables")? && !seen("bridge/bridge-nf-call-ip6tables")? {
        return Ok(());
    }
    if host_name.is_empty() {
        return Err(Error::internal("Proxy cannot find bridge port host_name to enable hairpin mode"));
    }
    let path = format!("/sys/class/net/{host_name}/brport/hairpin_mode");
    corten_host::file::set(&path, "1").map_err(|error| {
        Error::from(error).context(format!("Error enabling hairpin mode on bridge port {host_name:?}"))
    })
}

/// What LXD's `nictype` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NicType {
    /// A cable to a bridge.
    Bridged,
    /// A cable to the host.
    P2p,
    /// A second address on an interface of the host.
    Macvlan,
    /// An interface of the host itself.
    Physical,
}

/// A NIC device of an instance, expanded from its profiles.
#[derive(Clone, Copy)]
pub struct Nic<'a> {
    /// The instance's project.
    pub project: &'a str,
    /// The instance's name.
    pub instance: &'a str,
    /// The device's name.
    pub device: &'a str,
    /// The device's keys.
    pub config: &'a Config,
    /// The instance's `volatile.DEVICE.*` keys, without that prefix.
    pub volatile: &'a Config,
    /// The managed network that `network` names, or that `parent` happens to be.
    pub network: Option<&'a dyn Network>,
}

/// What a NIC got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The link that is now on the host and is to be moved into the guest, switched off; empty with `cable`.
    pub link: String,
    /// Its name in the guest.
    pub guest_name: String,
    /// The link that stays on the host, if one does.
    pub host_name: Option<String>,
    /// The guest's hardware address, where it is known.
    pub hwaddr: String,
    /// `volatile.DEVICE.*` keys to remember, without that prefix; an empty value removes the key.
    pub remember: Config,
    /// Whether the link must be taken back from the guest's namespace before that ends ([`move_link::take_back`]):
    /// the kernel would hand it to the first namespace, or lose it.
    pub take_back: bool,
    /// What is to be made instead of a move, once the guest's namespace is there (only from [`prepare`]):
    /// `Socket::lay_cable(&cable, netns, &guest_name)`.
    pub cable: Option<Cable>,
}

impl<'a> Nic<'a> {
    /// What kind of NIC it is: by the network's kind, or else by `nictype`.
    ///
    /// # Errors
    /// When the kind is unknown or not to be had yet.
    pub fn nic_type(&self) -> Result<NicType> {
        let word = match self.network.filter(|_| !self.get("network").is_empty()) {
            Some(network) => network.kind().nic_type(),
            None => self.get("nictype"),
        };
        match word {
            "bridged" => Ok(NicType::Bridged),
            "p2p" => Ok(NicType::P2p),
            "macvlan" => Ok(NicType::Macvlan),
            "physical" => Ok(NicType::Physical),
            "routed" | "ipvlan" | "sriov" | "ovn" => {
                Err(Error::not_implemented(format!("NICs of nictype {word:?} are not implemented yet")))
            }
            _ => Err(Error::invalid(format!("Invalid nictype {word:?}"))),
        }
    }

    /// The value of one of the device's keys; for those that a network settles, the network's.
    pub fn get(&self, key: &str) -> &'a str {
        get(self.config, key)
    }

    /// The value of a key that may also be remembered.
    pub fn get_or_volatile(&self, key: &str) -> &'a str {
        match self.get(key) {
            "" => get(self.volatile, key),
            value => value,
        }
    }

    /// The parent interface.
    pub fn parent(&self) -> &'a str {
        match self.network.filter(|_| !self.get("network").is_empty()) {
            None => self.get("parent"),
            Some(network) => match network.kind() {
                crate::registry::Kind::Bridge => network.name(),
                _ => get(network.config(), "parent"),
            },
        }
    }

    /// A key that a NIC with `network` has from there.
    pub fn inherited(&self, key: &str, network_key: &str) -> &'a str {
        match self.network.filter(|_| !self.get("network").is_empty()) {
            Some(network) => get(network.config(), network_key),
            None => self.get(key),
        }
    }

    /// The NIC as its network's DHCP and DNS know it; none before it has a hardware address.
    pub fn host(&self) -> Option<Host> {
        Some(Host {
            project: self.project.to_string(),
            instance: self.instance.to_string(),
            device: self.device.to_string(),
            hwaddr: self.get_or_volatile("hwaddr").parse().ok()?,
            v4: self.get("ipv4.address").parse().ok(),
            v6: self.get("ipv6.address").parse().ok(),
            keep_v4: self.is_on("security.ipv4_filtering"),
            keep_v6: self.is_on("security.ipv6_filtering"),
        })
    }

    fn is_on(&self, key: &str) -> bool {
        crate::config::flag(self.config, key, false)
    }

    /// `INSTANCE.DEVICE`, by which the firewall's chains are called.
    fn label(&self) -> String {
        format!("{}.{}", name::instance(self.project, self.instance), self.device)
    }
}

/// Lets the NIC's network know it, before its first start.
///
/// # Errors
/// When DHCP cannot be told.
pub fn added(nic: &Nic<'_>) -> Result<()> {
    match (nic.network, nic.host()) {
        (Some(network), Some(host)) if nic.nic_type()? == NicType::Bridged => network.set_host(&host),
        _ => Ok(()),
    }
}

/// As [`attach`], but leaves the making of an ordinary veth pair to those who know the guest's namespace, which is far
/// quicker than a move: [`Port::cable`].
///
/// # Errors
/// As [`attach`].
pub fn prepare(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    begin(nic, true)
}

/// A name for the link that the NIC will leave on the host, drawn before that is made, so that it can be written down: a
/// `host_name` that is remembered is used. `None` for NICs whose link is named by something else.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn link_name(nic: &Nic<'_>) -> Result<Option<String>> {
    let prefix = match nic.nic_type() {
        Ok(NicType::Bridged | NicType::P2p) if nic.get("host_name").is_empty() => "veth",
        Ok(NicType::Macvlan) => "mac",
        // What is wrong with it is said by whoever makes it.
        _ => return Ok(None),
    };
    name::random_link(prefix).map(Some)
}

/// Makes the NIC's link. The steps come back with the port, so that a failed start takes them back; drop them kept
/// when the instance runs.
///
/// # Errors
/// When the parent is missing or anything cannot be made; all is as before then.
pub fn attach(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    begin(nic, false)
}

fn begin(nic: &Nic<'_>, may_wait: bool) -> Result<(Port, Undo)> {
    check::environment(nic)?;
    match nic.nic_type()? {
        NicType::Bridged => bridged::attach(nic, may_wait),
        NicType::P2p => p2p::attach(nic, may_wait),
        NicType::Macvlan => macvlan::attach(nic),
        NicType::Physical => physical::attach(nic),
    }
}

/// Brings changed keys into force on a NIC that is attached with the keys of `old`.
///
/// # Errors
/// What could not be changed.
pub fn update(nic: &Nic<'_>, old: &Nic<'_>) -> Result<()> {
    match nic.nic_type()? {
        NicType::Bridged => bridged::update(nic, old),
        NicType::P2p => p2p::update(nic, old),
        NicType::Macvlan | NicType::Physical => Ok(()),
    }
}

/// Takes down what [`attach`] made, after the guest is gone or has given the link back. What is gone already is fine.
/// `keep_vlan`: another instance uses the VLAN interface that this NIC made. Returns the keys to forget, with empty values.
///
/// # Errors
/// What could not be removed.
pub fn detach(nic: &Nic<'_>, keep_vlan: bool) -> Result<Config> {
    match nic.nic_type()? {
        NicType::Bridged => bridged::detach(nic)?,
        NicType::P2p => delete_host_link(nic)?,
        NicType::Macvlan => macvlan::detach(nic, keep_vlan)?,
        NicType::Physical => physical::detach(nic, keep_vlan)?,
    }
    let forget = ["host_name", "last_state.hwaddr", "last_state.mtu", "last_state.created"];
    Ok(forget.map(|key| (key.to_string(), String::new())).into())
}

/// Lets the NIC's network forget it, after the device went or its instance was deleted.
///
/// # Errors
/// When DHCP cannot be told.
pub fn removed(nic: &Nic<'_>) -> Result<()> {
    match (nic.network, nic.host()) {
        (Some(network), Some(host)) if nic.nic_type()? == NicType::Bridged => network.remove_host(&host),
        _ => Ok(()),
    }
}

/// Deletes the link that stayed on the host, and with it the guest's end.
fn delete_host_link(nic: &Nic<'_>) -> Result<()> {
    let name = nic.get_or_volatile("host_name");
    if !name.is_empty() {
        let socket = Socket::open()?;
        socket
            .delete_link_if_there(name)
            .map_err(|error| Error::from(error).context(format!("Failed to remove interface {name:?}")))?;
    }
    Ok(())
}
