//! Routes of the host to networks behind a NIC (`ipv4.routes` and its like).

use corten_host::netlink::Socket;
use corten_host::netlink::route::{PROTO_BOOT, Route};
use corten_host::undo::Undo;

use super::Nic;
use crate::config::list;
use crate::error::{Error, Result};
use crate::subnet::Subnet;

/// Keys with lists of networks.
pub(super) const KEYS: [&str; 4] = ["ipv4.routes", "ipv6.routes", "ipv4.routes.external", "ipv6.routes.external"];

fn routes(nic: &Nic<'_>, link: u32) -> Result<Vec<Route>> {
    let texts = KEYS.iter().flat_map(|key| list(nic.get(key)));
    texts
        .map(|text| {
            let to: Subnet =
                text.parse().map_err(|error| Error::invalid(format!("Invalid route {text:?}: {error}")))?;
            Ok(Route::through(link, to.network().address, to.prefix, PROTO_BOOT))
        })
        .collect()
}

/// Whether the NIC has routes.
pub(super) fn are_there(nic: &Nic<'_>) -> bool {
    KEYS.iter().any(|key| !nic.get(key).is_empty())
}

/// Adds the NIC's routes out of the interface `through`.
pub(super) fn add(nic: &Nic<'_>, through: &str, undo: &mut Undo) -> Result<()> {
    if !are_there(nic) {
        return Ok(());
    }
    let socket = Socket::open()?;
    for route in routes(nic, socket.link(through)?.index)? {
        undo.step(
            "add a route to a NIC",
            || Ok::<_, Error>(socket.add_route(&route)?),
            |()| {
                move || Socket::open().and_then(|socket| socket.delete_route(&route)).map_err(|error| error.to_string())
            },
        )?;
    }
    Ok(())
}

/// Removes the NIC's routes out of the interface `through`; those that are gone already, with it or without, are fine.
pub(super) fn delete(nic: &Nic<'_>, through: &str) -> Result<()> {
    if !are_there(nic) {
        return Ok(());
    }
    let socket = Socket::open()?;
    let Some(link) = socket.find_link(through)? else { return Ok(()) };
    for route in routes(nic, link.index)? {
        match socket.delete_route(&route) {
            Err(error) if !error.is_missing() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
