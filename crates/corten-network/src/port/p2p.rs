//! A NIC with a cable to the host itself: a veth pair, and what the administrator makes of its host's end.

use corten_host::netlink::Socket;
use corten_host::undo::Undo;

use super::{Nic, Port, routes, veth};
use crate::config::Config;
use crate::error::Result;

pub(super) fn attach(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let cable = veth::create(nic, nic.get("mtu"), None, &mut undo)?;
    corten_host::undo::reach("switch on the host's end")?;
    let socket = Socket::open()?;
    socket.set_up(socket.link(&cable.host)?.index, true)?;
    // The routes go with the link, so there is nothing to take back of their own.
    routes::add(nic, &cable.host, &mut undo)?;
    if veth::is_limited(nic) {
        veth::limit(nic, &cable.host)?;
    }
    let port = Port {
        link: cable.peer,
        guest_name: nic.get("name").to_string(),
        host_name: Some(cable.host.clone()),
        hwaddr: nic.get_or_volatile("hwaddr").to_string(),
        remember: Config::from([("host_name".into(), cable.host)]),
        take_back: false,
    };
    Ok((port, undo))
}

pub(super) fn update(nic: &Nic<'_>, old: &Nic<'_>) -> Result<()> {
    let host = nic.get_or_volatile("host_name");
    if host.is_empty() {
        return Ok(());
    }
    let mut undo = Undo::default();
    routes::delete(old, host)?;
    routes::add(nic, host, &mut undo)?;
    if veth::is_limited(nic) || veth::is_limited(old) {
        veth::limit(nic, host)?;
    }
    undo.keep();
    Ok(())
}
