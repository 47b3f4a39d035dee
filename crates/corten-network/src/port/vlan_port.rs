//! The VLANs that a bridge's port belongs to (`vlan`, `vlan.tagged`).

use corten_host::netlink::Socket;

use super::Nic;
use crate::config::list;
use crate::error::{Error, Result};

/// Gives the port its VLANs.
pub(super) fn apply(nic: &Nic<'_>, host: &str) -> Result<()> {
    let (untagged, tagged) = (nic.get("vlan"), expand(nic.get("vlan.tagged"))?);
    if untagged.is_empty() && tagged.is_empty() {
        return Ok(());
    }
    let socket = Socket::open()?;
    let (bridge, port) = (socket.link(nic.parent())?, socket.link(host)?.index);
    let state = bridge
        .bridge
        .filter(|state| state.vlan_filtering)
        .ok_or_else(|| Error::internal(format!("VLAN filtering is not enabled in parent bridge {:?}", nic.parent())))?;
    if !untagged.is_empty() {
        let id = if untagged == "none" { None } else { Some(parse(untagged)?) };
        if state.default_pvid != 0 && id != Some(state.default_pvid) {
            socket
                .delete_port_vlan(port, state.default_pvid)
                .map_err(|error| Error::from(error).context("Failed removing default PVID membership"))?;
        }
        if let Some(id) = id {
            socket.add_port_vlan(port, id, true)?;
        }
    }
    for id in tagged {
        socket.add_port_vlan(port, id, false)?;
    }
    Ok(())
}

/// The ids of a list like `7,10-12`.
fn expand(text: &str) -> Result<Vec<u16>> {
    let mut ids = Vec::new();
    for entry in list(text) {
        let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
        ids.extend(parse(first)?..=parse(last)?);
    }
    Ok(ids)
}

fn parse(text: &str) -> Result<u16> {
    match text.trim().parse() {
        Ok(0) => Err(Error::invalid("VLAN ID 0 is not allowed for native Linux bridges")),
        Ok(id) if id < 4095 => Ok(id),
        _ => Err(Error::invalid(format!("Invalid VLAN ID {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_ranges() {
        assert_eq!(expand("7, 10-12").expect("ids"), [7, 10, 11, 12]);
        assert!(expand("0").is_err() && expand("4095").is_err() && expand("x").is_err());
        assert!(expand("").expect("none").is_empty());
    }
}
