//! A macvlan network: no more than a parent interface and settings, on which NICs make their links.

use std::path::PathBuf;

use corten_api::network::{NetworkLease, NetworkState};

use crate::config::{Config, get};
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::lease::LeaseNic;
use crate::network::{Dhcp, Network, Place, Want};
use crate::registry::Kind;
use crate::{interface, state};

/// A macvlan network.
pub struct Macvlan {
    name: String,
    config: Config,
    dir: PathBuf,
}

impl Macvlan {
    /// The network `name` with these keys; touches nothing.
    pub fn new(name: &str, config: &Config, place: Place) -> Macvlan {
        Macvlan { name: name.to_string(), config: config.clone(), dir: place.dir }
    }
}

impl Network for Macvlan {
    fn kind(&self) -> Kind {
        Kind::Macvlan
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn check_new(&self) -> Result<()> {
        Ok(())
    }

    fn up(&self, _hosts: &[Host]) -> Result<Config> {
        require_parent(&self.config)?;
        Ok(Config::new())
    }

    fn down(&self) -> Result<()> {
        Ok(())
    }

    fn update(&self, _new: &Config, _hosts: &[Host]) -> Result<Config> {
        Ok(Config::new())
    }

    fn rename(&self, _new: &str, _hosts: &[Host]) -> Result<()> {
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        crate::bridge::remove_dir(&self.dir)
    }

    fn leases(&self, _nics: &[LeaseNic], _gateway: bool, _location: &str) -> Result<Vec<NetworkLease>> {
        Err(no_leases())
    }

    fn state(&self) -> Result<NetworkState> {
        state::of(&self.name)
    }

    fn dhcp(&self) -> Dhcp {
        Dhcp::default()
    }

    fn set_host(&self, _host: &Host) -> Result<()> {
        Ok(())
    }

    fn remove_host(&self, _host: &Host) -> Result<()> {
        Ok(())
    }

    fn settle_host(&self, host: &Host, _want: Want) -> Result<Host> {
        Ok(host.clone())
    }
}

/// Checks that the parent interface is there.
pub(crate) fn require_parent(config: &Config) -> Result<()> {
    let parent = get(config, "parent");
    if interface::exists(parent)? {
        return Ok(());
    }
    Err(Error::internal(format!("Parent interface {parent:?} not found")))
}

/// LXD's answer for a kind of network without leases.
pub(crate) fn no_leases() -> Error {
    Error::internal("Not implemented")
}
