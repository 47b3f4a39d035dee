//! A managed bridge: a link of the host with addresses, DHCP and DNS by dnsmasq, and firewall rules.

use std::path::{Path, PathBuf};

use corten_api::network::{NetworkLease, NetworkState};
use corten_host::netlink::Socket;

use crate::config::{Config, get};
use crate::dnsmasq::hosts::Host;
use crate::dnsmasq::{Dnsmasq, allocate, hosts, release};
use crate::error::{Error, Result};
use crate::lease::{self, LeaseNic};
use crate::network::{Dhcp, Network, Place, Want};
use crate::registry::Kind;
use crate::{interface, state};
use plan::Plan;

mod address;
pub mod check;
pub mod defaults;
mod down;
mod forwarding;
mod lease_list;
pub mod plan;
mod probe;
mod up;

/// A bridge network.
pub struct Bridge {
    name: String,
    config: Config,
    place: Place,
}

impl Bridge {
    /// The network `name` with these keys; touches nothing.
    pub fn new(name: &str, config: &Config, place: Place) -> Bridge {
        Bridge { name: name.to_string(), config: config.clone(), place }
    }

    fn plan(&self) -> Result<Plan> {
        Plan::of(&self.name, &self.config)
    }

    fn dnsmasq(&self) -> Dnsmasq {
        Dnsmasq::new(&self.name, &self.place.dir)
    }

    /// The same network with other keys.
    fn with(&self, config: &Config) -> Bridge {
        Bridge::new(&self.name, config, self.place.clone())
    }

    fn sibling(&self, new: &str) -> PathBuf {
        self.place.dir.parent().unwrap_or(Path::new("/")).join(new)
    }
}

impl Network for Bridge {
    fn kind(&self) -> Kind {
        Kind::Bridge
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn check_new(&self) -> Result<()> {
        if interface::exists(&self.name)? {
            return Err(Error::internal(format!("Network interface {:?} already exists", self.name)));
        }
        Ok(())
    }

    fn up(&self, hosts: &[Host]) -> Result<Config> {
        up::up(self, hosts)?;
        Ok(Config::new())
    }

    fn down(&self) -> Result<()> {
        down::down(self)
    }

    fn update(&self, new: &Config, hosts: &[Host]) -> Result<Config> {
        let next = self.with(new);
        next.plan()?;
        up::release_interfaces(&self.name, get(&self.config, EXTERNAL), get(new, EXTERNAL))?;
        if let Err(failure) = up::up(&next, hosts) {
            return Err(match up::up(self, hosts) {
                Ok(()) => failure,
                Err(second) => failure.context(format!("going back to the old configuration failed too ({second})")),
            });
        }
        Ok(Config::new())
    }

    fn rename(&self, new: &str, hosts: &[Host]) -> Result<()> {
        let to = self.sibling(new);
        let next = Bridge::new(new, &self.config, Place { dir: to.clone(), ..self.place.clone() });
        next.check_new()?;
        let running = interface::exists(&self.name)?;
        down::down(self)?;
        let moved = move_dir(&self.place.dir, &to);
        let outcome = moved.and_then(|()| up::up(&next, hosts));
        if let Err(failure) = outcome {
            // Back to the old name, as far as it goes; the first failure is the one to tell.
            if to.exists() {
                move_dir(&to, &self.place.dir)?;
            }
            if running {
                up::up(self, hosts)?;
            }
            return Err(failure);
        }
        Ok(())
    }

    fn delete(&self) -> Result<()> {
        down::down(self)?;
        remove_dir(&self.place.dir)
    }

    fn leases(&self, nics: &[LeaseNic], gateway: bool, location: &str) -> Result<Vec<NetworkLease>> {
        let given = self.dnsmasq().leases()?;
        Ok(lease_list::list(&self.plan()?, &given, nics, gateway, location))
    }

    fn state(&self) -> Result<NetworkState> {
        state::of(&self.name)
    }

    fn dhcp(&self) -> Dhcp {
        self.plan().map(|plan| plan.dhcp()).unwrap_or_default()
    }

    fn set_host(&self, host: &Host) -> Result<()> {
        if !self.plan()?.uses_dnsmasq() {
            return Ok(());
        }
        let dnsmasq = self.dnsmasq();
        let _turn = dnsmasq.turn();
        if hosts::write(&dnsmasq, &hosts::keeping(&dnsmasq, host)?, self.plan()?.names_managed())? {
            dnsmasq.reload()?;
        }
        Ok(())
    }

    fn remove_host(&self, host: &Host) -> Result<()> {
        let dnsmasq = self.dnsmasq();
        let _turn = dnsmasq.turn();
        if interface::exists(&self.name)? {
            release::release(&self.plan()?, &dnsmasq.leases()?, host)?;
        }
        if hosts::remove(&dnsmasq, host)? {
            dnsmasq.reload()?;
        }
        Ok(())
    }

    fn settle_host(&self, host: &Host, want: Want) -> Result<Host> {
        let (plan, dnsmasq) = (self.plan()?, self.dnsmasq());
        let _turn = dnsmasq.turn();
        // What was settled before is among the allocations, and holds only while the ranges have it.
        let mut kept = hosts::keeping(&dnsmasq, host)?;
        if want.v4 {
            kept.v4 = host.v4;
        }
        if want.v6 {
            kept.v6 = host.v6;
        }
        let settled = allocate::settle(&plan, &dnsmasq.allocations()?, &kept, want)?;
        if plan.uses_dnsmasq() && hosts::write(&dnsmasq, &settled, plan.names_managed())? {
            dnsmasq.reload()?;
        }
        Ok(settled)
    }
}

/// The key that lists interfaces of the host to be ports of the bridge.
const EXTERNAL: &str = "bridge.external_interfaces";

/// The link of a bridge that must be there.
fn bridge_link(socket: &Socket, name: &str) -> Result<u32> {
    Ok(socket.link(name)?.index)
}

fn move_dir(from: &Path, to: &Path) -> Result<()> {
    remove_dir(to)?;
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(corten_host::file::Error::new(format!("moving {} to", from.display()), to, error).into())
        }
        _ => Ok(()),
    }
}

pub(crate) fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(corten_host::file::Error::new("removing", dir, error).into())
        }
        _ => Ok(()),
    }
}

/// Leases known to dnsmasq; re-exported for the list of leases.
pub use lease::Lease;
