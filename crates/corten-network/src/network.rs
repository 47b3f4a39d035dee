//! What every kind of network can do.

use std::path::PathBuf;

use corten_api::network::{NetworkLease, NetworkState};

use crate::config::Config;
use crate::dnsmasq::hosts::Host;
use crate::error::Result;
use crate::lease::LeaseNic;
use crate::registry::Kind;
use crate::subnet::{Range, Subnet};

/// Where a network keeps its files, and what it needs to know of the daemon.
#[derive(Clone, Debug)]
pub struct Place {
    /// `LXD_DIR/networks/NAME`. All directories above must be searchable by others, since dnsmasq gives up root.
    pub dir: PathBuf,
    /// From what the bridge's hardware address is made when none is configured. The same seed gives the same address:
    /// the server certificate's fingerprint and the network's row id.
    pub mac_seed: String,
    /// Whether dnsmasq also logs each request.
    pub debug: bool,
}

/// What a network hands out by DHCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dhcp {
    /// The IPv4 network, when DHCP is on.
    pub v4: Option<Subnet>,
    /// The IPv6 network, when DHCP or router advertisements are on.
    pub v6: Option<Subnet>,
    /// The ranges to take from; empty: all of the network.
    pub v4_ranges: Vec<Range>,
    /// As `v4_ranges`.
    pub v6_ranges: Vec<Range>,
    /// Whether IPv6 addresses are handed out too, not only made by the guests.
    pub v6_stateful: bool,
}

/// A network of one kind with its name and config. Opening one touches nothing; its methods act on the host.
pub trait Network: Send + Sync {
    /// Its kind.
    fn kind(&self) -> Kind;

    /// Its name.
    fn name(&self) -> &str;

    /// Its keys.
    fn config(&self) -> &Config;

    /// Checks, before the network is first brought up, that nothing on the host stands in its way.
    ///
    /// # Errors
    /// In LXD's words, what does.
    fn check_new(&self) -> Result<()>;

    /// Brings the network up, or takes over one that is up already without disturbing it: what is as the config wants
    /// it stays untouched. `hosts` are the NICs of all instances on it, running or not: DHCP and DNS forget all
    /// others, and so do addresses that were settled for filtering. Returns keys to remember in the config.
    ///
    /// # Errors
    /// What could not be had. What this call had made is gone again then.
    fn up(&self, hosts: &[Host]) -> Result<Config>;

    /// Takes the network down. Ports of running instances lose their bridge.
    ///
    /// # Errors
    /// What could not be removed. A network that is down already is fine.
    fn down(&self) -> Result<()>;

    /// Makes a network that is up with the own config like `new`; on failure like the own config again.
    /// Returns keys to remember in the config.
    ///
    /// # Errors
    /// As [`Network::up`].
    fn update(&self, new: &Config, hosts: &[Host]) -> Result<Config>;

    /// Gives the network another name: down, files moved, and up. Its directory becomes the sibling called `new`.
    ///
    /// # Errors
    /// When the name is taken; the network is as before then.
    fn rename(&self, new: &str, hosts: &[Host]) -> Result<()>;

    /// Takes the network down and removes its files.
    ///
    /// # Errors
    /// What could not be removed.
    fn delete(&self) -> Result<()>;

    /// The addresses in use, as `GET /1.0/networks/NAME/leases` lists them. `nics` are those of the instances in the
    /// project asked for; `gateway` whether the network's own addresses are listed (it is asked from its own project);
    /// `location` the server's name.
    ///
    /// # Errors
    /// When the network's kind has no leases, or they cannot be read.
    fn leases(&self, nics: &[LeaseNic], gateway: bool, location: &str) -> Result<Vec<NetworkLease>>;

    /// Its interface as `GET /1.0/networks/NAME/state` shows it.
    ///
    /// # Errors
    /// When the interface is not there.
    fn state(&self) -> Result<NetworkState>;

    /// What it hands out.
    fn dhcp(&self) -> Dhcp;

    /// Remembers an instance's NIC, so that DHCP and DNS know it. A network without these does nothing.
    ///
    /// # Errors
    /// When the file cannot be written or dnsmasq not be told.
    fn set_host(&self, host: &Host) -> Result<()>;

    /// Forgets an instance's NIC and gives back what it had leased.
    ///
    /// # Errors
    /// When the file cannot be removed or dnsmasq not be told.
    fn remove_host(&self, host: &Host) -> Result<()>;

    /// Chooses the addresses that a NIC keeps under address filtering, and remembers them. None where the network
    /// hands out no addresses of that family.
    ///
    /// # Errors
    /// When no address is left.
    fn settle_host(&self, host: &Host, want: Want) -> Result<Host>;
}

/// Which families a NIC must have a settled address of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}
