//! A NIC that is an interface of the host itself, lent to the guest for as long as it runs.

use corten_host::netlink::Socket;
use corten_host::undo::Undo;

use super::{Nic, Port, macvlan, vlan};
use crate::config::{Config, flag, get};
use crate::error::{Error, Result};
use crate::interface;

pub(super) fn attach(nic: &Nic<'_>) -> Result<(Port, Undo)> {
    let mut undo = Undo::default();
    let host_name = interface::of_vlan(nic.parent(), nic.inherited("vlan", "vlan"))?;
    let created = vlan::create(&macvlan::vlan_keys(nic), &host_name, &mut undo)?;
    let socket = Socket::open()?;
    let before = socket.link(&host_name)?;
    let mut remember =
        Config::from([("host_name".into(), host_name.clone()), ("last_state.created".into(), created.to_string())]);
    if !created {
        remember.insert("last_state.mtu".into(), before.mtu.to_string());
        remember.insert("last_state.hwaddr".into(), before.hwaddr());
    }
    // Only what the device's own keys say: its remembered address is a veth's or macvlan's, not this card's.
    let own = Nic { volatile: &Config::new(), ..*nic };
    let (name, restored) = (host_name.clone(), remember.clone());
    undo.step(
        "set the interface's address",
        || macvlan::settings(&socket, &before, &own),
        |()| move || restore(&name, &restored).map_err(|error| error.to_string()),
    )?;
    let port = Port {
        link: host_name,
        guest_name: nic.get("name").to_string(),
        host_name: None,
        hwaddr: nic.get("hwaddr").to_string(),
        remember,
        take_back: true,
        cable: None,
    };
    Ok((port, undo))
}

pub(super) fn detach(nic: &Nic<'_>, keep_vlan: bool) -> Result<()> {
    if flag(nic.volatile, "last_state.created", false) {
        return macvlan::remove_vlan(nic, keep_vlan);
    }
    match get(nic.volatile, "host_name") {
        "" => Ok(()),
        host_name => restore(host_name, nic.volatile),
    }
}

/// Gives the interface back what it had before it was lent.
fn restore(host_name: &str, before: &Config) -> Result<()> {
    let socket = Socket::open()?;
    let Some(link) = socket.find_link(host_name)? else { return Ok(()) };
    // Some cards change their settings only while they are off.
    socket
        .set_up(link.index, false)
        .map_err(|error| Error::from(error).context(format!("Failed to bring down {host_name:?}")))?;
    if let Ok(mtu) = get(before, "last_state.mtu").parse::<u32>()
        && link.mtu != mtu
    {
        socket.set_mtu(link.index, mtu)?;
    }
    if let Ok(mac) = get(before, "last_state.hwaddr").parse::<corten_host::netlink::mac::Mac>()
        && link.address != mac.0
    {
        socket.set_mac(link.index, mac)?;
    }
    Ok(())
}
