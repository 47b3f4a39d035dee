//! A NIC with a cable to the host itself: a veth pair, and what the administrator makes of its host's end.

use corten_host::netlink::Socket;
use corten_host::undo::Undo;

use super::{Nic, Port, routes, veth};
use crate::error::Result;

pub(super) fn attach(nic: &Nic<'_>, may_wait: bool) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let cable = veth::plan(nic, nic.get("mtu"), None)?;
    if may_wait && !routes::are_there(nic) && !veth::is_limited(nic) {
        return Ok((veth::port(nic, &cable, None), undo));
    }
    let peer = veth::create(&cable, &mut undo)?;
    corten_host::undo::reach("switch on the host's end")?;
    Socket::open()?.plug_in(&cable)?;
    routes::add(nic, &cable.host, &mut undo)?;
    if veth::is_limited(nic) {
        veth::limit(nic, &cable.host)?;
    }
    Ok((veth::port(nic, &cable, Some(peer)), undo))
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
