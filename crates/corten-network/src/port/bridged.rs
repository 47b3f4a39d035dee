//! A NIC on a bridge: a veth pair whose host's end is a port of it.

use corten_host::netlink::Socket;
use corten_host::netlink::bridge::PortOption;
use corten_host::undo::Undo;

use super::{Nic, Port, delete_host_link, filter, routes, veth, vlan_port};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::sysctl;

pub(super) fn attach(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let parent = nic.parent();
    let cable = veth::create(nic, nic.inherited("mtu", "bridge.mtu"), Some(parent), &mut undo)?;
    let host = cable.host.as_str();
    if let (Some(network), Some(known)) = (nic.network, nic.host()) {
        network.set_host(&known).map_err(|error| error.context("Failed creating DHCP static allocation"))?;
    }
    routes::add(nic, parent, &mut undo)?;
    if veth::is_limited(nic) {
        veth::limit(nic, host)?;
    }
    // The port needs no address of its own on the host, and listens to no router.
    for (name, value) in [("disable_ipv6", "1"), ("accept_ra", "0")] {
        sysctl::set_if_there(&format!("ipv6/conf/{host}/{name}"), value)?;
    }
    filter::apply(nic, host, &mut undo)?;
    // Deleting the link detaches it, so this step's way back is that of the veth pair.
    corten_host::undo::reach("attach the port to the bridge")?;
    plug(nic, host)?;
    let port = Port {
        link: cable.peer.clone(),
        guest_name: nic.get("name").to_string(),
        host_name: Some(cable.host.clone()),
        hwaddr: nic.get_or_volatile("hwaddr").to_string(),
        remember: Config::from([("host_name".into(), cable.host)]),
        take_back: false,
    };
    Ok((port, undo))
}

/// Attaches the host's end to the bridge, with its options, and switches it on.
fn plug(nic: &Nic<'_>, host: &str) -> Result<()> {
    let socket = Socket::open()?;
    let (bridge, port) = (socket.link(nic.parent())?, socket.link(host)?.index);
    if bridge.bridge.is_none() {
        return Err(Error::internal(format!("Parent device {:?} is not a bridge", nic.parent())));
    }
    socket.set_master(port, Some(bridge.index))?;
    if nic.is_on("security.port_isolation") {
        socket.set_port_option(port, PortOption::Isolated, true)?;
    }
    vlan_port::apply(nic, host)?;
    Ok(socket.set_up(port, true)?)
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
