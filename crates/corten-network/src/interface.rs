//! Small questions about the host's interfaces, each answered by one netlink request.

use corten_host::netlink::Socket;
use corten_host::netlink::link::Link;

use crate::error::Result;

/// Whether the host has an interface called `name`.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn exists(name: &str) -> Result<bool> {
    Ok(!name.is_empty() && find(name)?.is_some())
}

/// The interface called `name`, if there is one.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn find(name: &str) -> Result<Option<Link>> {
    Ok(Socket::open()?.find_link(name)?)
}

/// The interface that carries VLAN `vlan` of `parent`: one that is there, or else the name that a new one gets.
/// Without a VLAN the parent itself.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn of_vlan(parent: &str, vlan: &str) -> Result<String> {
    let Ok(id) = vlan.parse::<u16>() else { return Ok(parent.to_string()) };
    let socket = Socket::open()?;
    let there = match socket.find_link(parent)? {
        Some(lower) => {
            let carries = |link: &Link| link.vlan_id == Some(id) && link.peer == Some(lower.index);
            socket.links()?.into_iter().find(carries)
        }
        None => None,
    };
    Ok(there.map_or_else(|| format!("{parent}.{vlan}"), |link| link.name))
}

/// The kind of an interface in LXD's words for `type` of an unmanaged network.
pub fn api_type(link: &Link) -> &'static str {
    match link.kind.as_deref() {
        _ if link.name == "lo" => "loopback",
        Some("bridge") => "bridge",
        Some("bond") => "bond",
        Some("vlan") => "vlan",
        None => "physical",
        Some(_) => "unknown",
    }
}
