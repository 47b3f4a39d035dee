//! A NIC with its own hardware address on an interface of the host: a macvlan link, all of it the guest's.

use corten_host::netlink::Socket;
use corten_host::netlink::create::MacvlanMode;
use corten_host::netlink::link::Link;
use corten_host::undo::Undo;

use super::{Nic, Port, delete_host_link, vlan};
use crate::config::{Config, flag, get};
use crate::error::{Error, Result};
use crate::{interface, name};

pub(super) fn attach(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let lower = interface::of_vlan(nic.parent(), nic.inherited("vlan", "vlan"))?;
    let created = vlan::create(&vlan_keys(nic), &lower, &mut undo)?;
    let host_name = match get(nic.volatile, "host_name") {
        "" => name::random_link("mac")?,
        drawn => drawn.to_string(),
    };
    let socket = Socket::open()?;
    let (parent, made) = (socket.link(&lower)?.index, host_name.clone());
    undo.step(
        "make a macvlan",
        || Ok::<_, Error>(socket.create_macvlan(&host_name, parent, MacvlanMode::Bridge)?),
        |()| move || vlan::delete(&made).map_err(|error| error.to_string()),
    )?;
    corten_host::undo::reach("set the macvlan's address")?;
    settings(&socket, &socket.link(&host_name)?, nic)?;
    let remember = [("host_name", host_name.clone()), ("last_state.created", created.to_string())];
    let port = Port {
        link: host_name,
        guest_name: nic.get("name").to_string(),
        host_name: None,
        hwaddr: nic.get_or_volatile("hwaddr").to_string(),
        remember: remember.map(|(key, value)| (key.to_string(), value)).into(),
        take_back: false,
        cable: None,
    };
    Ok((port, undo))
}

/// The keys by which a VLAN's interface is made.
pub(super) fn vlan_keys(nic: &Nic<'_>) -> Config {
    let keys =
        [("parent", nic.parent()), ("vlan", nic.inherited("vlan", "vlan")), ("gvrp", nic.inherited("gvrp", "gvrp"))];
    keys.map(|(key, value)| (key.to_string(), value.to_string())).into()
}

/// Gives the link the configured hardware address and MTU.
pub(super) fn settings(socket: &Socket, link: &Link, nic: &Nic<'_>) -> Result<()> {
    let (hwaddr, mtu) = (nic.get_or_volatile("hwaddr"), nic.inherited("mtu", "mtu"));
    if !hwaddr.is_empty() {
        let failed = |error: String| Error::internal(format!("Failed to set the MAC address: {error}"));
        let mac = hwaddr.parse().map_err(|error: corten_host::netlink::mac::BadMac| failed(error.to_string()))?;
        socket.set_mac(link.index, mac).map_err(|error| failed(error.to_string()))?;
    }
    if !mtu.is_empty() {
        let failed = |error: String| Error::internal(format!("Failed setting MTU {mtu:?} on {:?}: {error}", link.name));
        let size = mtu.parse().map_err(|error: std::num::ParseIntError| failed(error.to_string()))?;
        socket.set_mtu(link.index, size).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

pub(super) fn detach(nic: &Nic<'_>, keep_vlan: bool) -> Result<()> {
    delete_host_link(nic)?;
    remove_vlan(nic, keep_vlan)
}

/// Removes the VLAN's interface that this NIC made.
pub(super) fn remove_vlan(nic: &Nic<'_>, keep: bool) -> Result<()> {
    if flag(nic.volatile, "last_state.created", false) && !keep && !get(&vlan_keys(nic), "vlan").is_empty() {
        vlan::delete(&interface::of_vlan(nic.parent(), nic.inherited("vlan", "vlan"))?)?;
    }
    Ok(())
}
