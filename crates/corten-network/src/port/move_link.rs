//! Moving a NIC's link into a running guest's namespace and back: hot plug, hot unplug, and the end of a guest that
//! has an interface on loan.

use std::os::fd::{AsFd, BorrowedFd};

use corten_host::netlink::Socket;
use corten_host::netlink::cable::Cable;
use corten_host::undo::Undo;

use super::Port;
use crate::error::{Error, Result};

/// Moves the port's link into `netns` under its guest's name, or makes its cable there, and switches it on.
///
/// # Errors
/// When the guest has a link of that name already. The link is where it was then.
pub fn give(port: &Port, netns: BorrowedFd<'_>) -> Result<()> {
    if let Some(cable) = &port.cable {
        return lay(cable, &port.guest_name, netns);
    }
    let (here, home) = (Socket::open()?, open_own_namespace()?);
    let mut undo = Undo::default();
    here.move_to_netns(here.link(&port.link)?.index, netns, &port.guest_name)?;
    let (there, back) = (Socket::in_namespace(netns)?, Socket::in_namespace(netns)?);
    let index = there.link(&port.guest_name)?.index;
    let name = port.link.clone();
    undo.push("move a link into a guest", move || {
        back.move_to_netns(index, home.as_fd(), &name).map_err(|error| error.to_string())
    });
    there.set_up(index, true)?;
    undo.keep();
    Ok(())
}

fn lay(cable: &Cable, guest_name: &str, netns: BorrowedFd<'_>) -> Result<()> {
    let (here, host) = (Socket::open()?, cable.host.clone());
    let mut undo = Undo::default();
    here.lay_cable(cable, netns, guest_name)?;
    undo.push("lay a cable into a guest", move || {
        here.delete_link_if_there(&host).map(drop).map_err(|error| error.to_string())
    });
    let there = Socket::in_namespace(netns)?;
    there.set_up(there.link(guest_name)?.index, true)?;
    undo.keep();
    Ok(())
}

/// Takes the link called `guest_name` out of `netns` and gives it back its name on the host. That it is gone is fine.
///
/// # Errors
/// When the host has a link of that name, or the namespace cannot be entered.
pub fn take_back(netns: BorrowedFd<'_>, guest_name: &str, host_name: &str) -> Result<()> {
    let there = Socket::in_namespace(netns)?;
    let Some(link) = there.find_link(guest_name)? else { return Ok(()) };
    let home = open_own_namespace()?;
    // A name can be changed, and another of its kind be met, only while the link is off.
    there.set_up(link.index, false)?;
    Ok(there.move_to_netns(link.index, home.as_fd(), host_name)?)
}

fn open_own_namespace() -> Result<std::fs::File> {
    let path = "/proc/thread-self/ns/net";
    std::fs::File::open(path).map_err(|error| Error::from(corten_host::file::Error::new("opening", path, error)))
}
