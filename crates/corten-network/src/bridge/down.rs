//! Taking a bridge down.

use corten_host::netlink::Socket;

use super::Bridge;
use super::up::mtu_link;
use crate::error::Result;
use crate::firewall;

/// Removes the link, the firewall's rules and dnsmasq. Addresses and routes go with the link.
///
/// What is gone already is fine, so that a half-removed network can be removed.
pub(super) fn down(bridge: &Bridge) -> Result<()> {
    let socket = Socket::open()?;
    socket.delete_link_if_there(&bridge.name)?;
    socket.delete_link_if_there(&mtu_link(&bridge.name))?;
    bridge.dnsmasq().stop()?;
    if firewall::is_available() {
        firewall::clear_network(&bridge.name)?;
    }
    Ok(())
}
