//! A physical network: a parent interface of the host that NICs take over, perhaps one VLAN of it.

use std::path::PathBuf;

use corten_api::network::{NetworkLease, NetworkState};
use corten_host::netlink::Socket;
use corten_host::undo::Undo;

use crate::bridge::remove_dir;
use crate::config::{Config, flag, get};
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::lease::LeaseNic;
use crate::macvlan::{no_leases, require_parent};
use crate::network::{Dhcp, Network, Place, Want};
use crate::port::vlan;
use crate::registry::Kind;
use crate::{interface, state};

/// The key that remembers whether the VLAN's interface is ours.
const CREATED: &str = "volatile.last_state.created";
/// What an interface's MTU becomes when a network with one of its own goes.
const USUAL_MTU: u32 = 1500;

/// A physical network.
pub struct Physical {
    name: String,
    config: Config,
    dir: PathBuf,
}

impl Physical {
    /// The network `name` with these keys; touches nothing.
    pub fn new(name: &str, config: &Config, place: Place) -> Physical {
        Physical { name: name.to_string(), config: config.clone(), dir: place.dir }
    }

    fn interface(&self) -> Result<String> {
        interface::of_vlan(get(&self.config, "parent"), get(&self.config, "vlan"))
    }
}

impl Network for Physical {
    fn kind(&self) -> Kind {
        Kind::Physical
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
        let mut undo = Undo::default();
        let interface = self.interface()?;
        let created = vlan::create(&self.config, &interface, &mut undo)?;
        if let Ok(mtu) = get(&self.config, "mtu").parse() {
            let socket = Socket::open()?;
            let index = socket.link(&interface)?.index;
            socket.set_mtu(index, mtu).map_err(|error| {
                Error::from(error).context(format!("Failed setting MTU \"{mtu}\" on {interface:?}"))
            })?;
        }
        undo.keep();
        // What was made at an earlier start stays ours.
        let mut remember = Config::new();
        if !flag(&self.config, CREATED, false) {
            remember.insert(CREATED.into(), created.to_string());
        }
        Ok(remember)
    }

    fn down(&self) -> Result<()> {
        let socket = Socket::open()?;
        let Some(link) = socket.find_link(&self.interface()?)? else { return Ok(()) };
        if !get(&self.config, "vlan").is_empty() && flag(&self.config, CREATED, false) {
            return Ok(socket.delete_link(link.index)?);
        }
        if !get(&self.config, "mtu").is_empty() {
            socket.set_mtu(link.index, USUAL_MTU)?;
        }
        Ok(())
    }

    fn update(&self, new: &Config, hosts: &[Host]) -> Result<Config> {
        let mut config = new.clone();
        let moved = ["parent", "vlan"].iter().any(|key| get(&self.config, key) != get(new, key));
        if moved {
            self.down()?;
            config.remove(CREATED);
        }
        let next = Physical { name: self.name.clone(), config, dir: self.dir.clone() };
        next.up(hosts).or_else(|failure| {
            self.up(hosts)?;
            Err(failure)
        })
    }

    fn rename(&self, _new: &str, _hosts: &[Host]) -> Result<()> {
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        self.down()?;
        remove_dir(&self.dir)
    }

    fn leases(&self, _nics: &[LeaseNic], _gateway: bool, _location: &str) -> Result<Vec<NetworkLease>> {
        Err(no_leases())
    }

    fn state(&self) -> Result<NetworkState> {
        state::of(&self.name)
    }

    fn dhcp(&self) -> Dhcp {
        let gateway = |key: &str| get(&self.config, key).parse().ok();
        Dhcp { v4: gateway("ipv4.gateway"), v6: gateway("ipv6.gateway"), ..Dhcp::default() }
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
