//! A NIC on a bridge: a veth pair whose host's end is a port of it.

use corten_host::netlink::Socket;
use corten_host::netlink::bridge::PortOption;
use corten_host::netlink::cable::Cable;
use corten_host::undo::Undo;

use super::{Nic, Port, delete_host_link, filter, routes, veth, vlan_port};
use crate::error::{Error, Result};

pub(super) fn attach(nic: &Nic<'_>, may_wait: bool) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let parent = nic.parent();
    require_bridge(parent)?;
    let cable = veth::plan(nic, nic.inherited("mtu", "bridge.mtu"), Some(parent))?;
    if let (Some(network), Some(known)) = (nic.network, nic.host()) {
        network.set_host(&known).map_err(|error| error.context("Failed creating DHCP static allocation"))?;
    }
    routes::add(nic, parent, &mut undo)?;
    if may_wait && is_plain(nic) {
        return Ok((veth::port(nic, &cable, None), undo));
    }
    let peer = veth::create(&cable, &mut undo)?;
    if veth::is_limited(nic) {
        veth::limit(nic, &cable.host)?;
    }
    filter::apply(nic, &cable.host, &mut undo)?;
    // Deleting the link detaches it, so this step's way back is that of the veth pair.
    corten_host::undo::reach("attach the port to the bridge")?;
    plug(nic, &cable)?;
    Ok((veth::port(nic, &cable, Some(peer)), undo))
}

/// Whether the host's end is a port like any other, so that it can be made together with the guest's end.
fn is_plain(nic: &Nic<'_>) -> bool {
    let has_vlans = ["vlan", "vlan.tagged"].iter().any(|key| !nic.get(key).is_empty());
    !(has_vlans || veth::is_limited(nic) || filter::is_on(nic) || nic.is_on("security.port_isolation"))
}

fn require_bridge(parent: &str) -> Result<()> {
    if Socket::open()?.link(parent)?.bridge.is_none() {
        return Err(Error::internal(format!("Parent device {parent:?} is not a bridge")));
    }
    Ok(())
}

/// Attaches the host's end to the bridge, with its options, and switches it on.
fn plug(nic: &Nic<'_>, cable: &Cable) -> Result<()> {
    let socket = Socket::open()?;
    socket.plug_in(cable)?;
    if nic.is_on("security.port_isolation") {
        socket.set_port_option(socket.link(&cable.host)?.index, PortOption::Isolated, true)?;
    }
    vlan_port::apply(nic, &cable.host)
}

pub(super) fn update(nic: &Nic<'_>, old: &Nic<'_>) -> Result<()> {
    let host = nic.get_or_volatile("host_name");
    let mut undo = Undo::default();
    if old.get("ipv6.address") != nic.get("ipv6.address")
        && let (Some(network), Some(known)) = (old.network, old.host())
    {
        // A guest may have several IPv6 leases, and would keep the old one beside the new one.
        network.remove_host(&known)?;
    }
    if !host.is_empty() {
        routes::delete(old, old.parent())?;
        routes::add(nic, nic.parent(), &mut undo)?;
        if veth::is_limited(nic) || veth::is_limited(old) {
            veth::limit(nic, host)?;
        }
        if filter::is_on(old) && !filter::is_on(nic) {
            filter::remove(old)?;
        }
        filter::apply(nic, host, &mut undo)?;
    }
    super::added(nic)?;
    if !host.is_empty() && old.get("ipv6.address") != nic.get("ipv6.address") {
        bounce(host)?;
    }
    undo.keep();
    Ok(())
}

/// Pulls the cable for a moment, so that the guest asks for its address again.
fn bounce(host: &str) -> Result<()> {
    let socket = Socket::open()?;
    if let Some(link) = socket.find_link(host)? {
        socket.set_up(link.index, false)?;
        socket.set_up(link.index, true)?;
    }
    Ok(())
}

pub(super) fn detach(nic: &Nic<'_>) -> Result<()> {
    delete_host_link(nic)?;
    routes::delete(nic, nic.parent())?;
    filter::remove(nic)
}
