//! A VLAN's interface on top of a parent, made where a NIC or network needs it and nobody has it yet.

use std::sync::{Mutex, PoisonError};

use corten_host::netlink::Socket;
use corten_host::undo::Undo;

use crate::config::{Config, flag, get};
use crate::error::{Error, Result};
use crate::sysctl;

/// One thread at a time makes interfaces of VLANs.
static TURN: Mutex<()> = Mutex::new(());

/// Makes `interface` for the keys `parent`, `vlan` and `gvrp`; says whether it had to. Without `vlan` there is nothing to make.
///
/// # Errors
/// When the kernel has no VLANs, or the parent cannot carry one.
pub fn create(config: &Config, interface: &str, undo: &mut Undo) -> Result<bool> {
    let (parent, vlan) = (get(config, "parent"), get(config, "vlan"));
    // Two instances that start at once may want the same one.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let socket = Socket::open()?;
    if vlan.is_empty() || socket.find_link(interface)?.is_some() {
        return Ok(false);
    }
    let id = vlan.parse().map_err(|_| Error::invalid(format!("Invalid VLAN ID {vlan:?}")))?;
    let lower = socket.link(parent)?.index;
    let failed = |error: corten_host::netlink::Error| {
        Error::from(error).context(format!("Failed to create VLAN interface {interface:?} on {parent:?}"))
    };
    socket
        .set_up(lower, true)
        .map_err(|error| Error::from(error).context(format!("Failed to bring up parent {parent:?}")))?;
    let name = interface.to_string();
    undo.step(
        "make a VLAN's interface",
        || socket.create_vlan(interface, lower, id, flag(config, "gvrp", false)).map_err(failed),
        |()| move || delete(&name).map_err(|error| error.to_string()),
    )?;
    let own = socket.link(interface)?.index;
    socket
        .set_up(own, true)
        .map_err(|error| Error::from(error).context(format!("Failed to bring up interface {interface:?}")))?;
    sysctl::set_if_there(&format!("ipv6/conf/{interface}/accept_ra"), "0")?;
    Ok(true)
}

/// Removes a VLAN's interface; that it is gone is fine.
///
/// # Errors
/// When it cannot be removed.
pub fn delete(interface: &str) -> Result<()> {
    Socket::open()?.delete_link_if_there(interface)?;
    Ok(())
}
