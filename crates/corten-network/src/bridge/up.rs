//! Bringing a bridge up, or taking over one that is up: each step looks first, and leaves alone what is right.

use corten_host::netlink::Socket;
use corten_host::netlink::link::Link;
use corten_host::undo::{Undo, reach};

use super::plan::Plan;
use super::{Bridge, address, bridge_link, forwarding};
use crate::config::list;
use crate::dnsmasq::hosts::Host;
use crate::dnsmasq::make_dir;
use crate::error::{Error, Result};
use crate::firewall::{self, NetworkRules};
use crate::{name, sysctl};

/// Brings the bridge up as its config says, and its DHCP server knowing `hosts`.
///
/// A bridge that this call made is gone again when a later step fails, and with it its addresses and routes.
pub(super) fn up(bridge: &Bridge, hosts: &[Host]) -> Result<()> {
    let plan = bridge.plan()?;
    let mut undo = Undo::default();
    make_dir(&bridge.place.dir, 0o711)?;
    undo.absorb(link(&plan)?);
    reach("IPv6 of the bridge")?;
    forwarding::prepare_ipv6(&plan)?;
    reach("settings of the bridge")?;
    settings(&plan, &bridge.place.mac_seed)?;
    undo.absorb(attach_interfaces(&plan)?);
    reach("addresses of the bridge")?;
    address::settle(&plan)?;
    reach("forwarding")?;
    forwarding::allow(&plan)?;
    undo.absorb(servers(bridge, &plan, hosts)?);
    undo.absorb(rules(&plan)?);
    undo.keep();
    Ok(())
}

/// Makes the link, unless it is there.
fn link(plan: &Plan) -> Result<Undo> {
    let mut undo = Undo::default();
    let socket = Socket::open()?;
    if let Some(there) = socket.find_link(&plan.name)? {
        if there.kind.as_deref() != Some("bridge") {
            return Err(Error::internal(format!("Network interface {:?} already exists and is no bridge", plan.name)));
        }
        return Ok(undo);
    }
    let name = plan.name.clone();
    undo.step(
        "make the bridge",
        || Ok::<_, Error>(socket.create_bridge(&plan.name)?),
        |()| move || delete_link(&name),
    )?;
    Ok(undo)
}

/// Sets what differs of MTU, hardware address and VLAN filtering, and switches the bridge on.
fn settings(plan: &Plan, mac_seed: &str) -> Result<()> {
    let socket = Socket::open()?;
    force_mtu(&socket, plan)?;
    let link = socket.link(&plan.name)?;
    if link.mtu != plan.mtu {
        socket.set_mtu(link.index, plan.mtu)?;
    }
    let mac = plan.hwaddr.unwrap_or_else(|| name::stable_mac(mac_seed));
    if link.address != mac.0 {
        socket.set_mac(link.index, mac)?;
    }
    if !link.bridge.as_ref().is_some_and(|bridge| bridge.vlan_filtering) {
        // Kernels without VLANs on bridges serve all but `vlan` of NICs; that key's own check says so.
        let _ = socket.set_vlan_filtering(link.index, true);
    }
    if !link.is_up() {
        socket.set_up(link.index, true)?;
    }
    Ok(())
}

/// A bridge takes the smallest MTU of its ports. A port of its own with the configured one lets it keep that while it
/// has no other; where the kernel has no dummy links it goes without, as LXD does.
fn force_mtu(socket: &Socket, plan: &Plan) -> Result<()> {
    let name = mtu_link(&plan.name);
    let there = socket.find_link(&name)?;
    if plan.forced_mtu && there.as_ref().is_some_and(|link| link.mtu == plan.mtu) {
        return Ok(());
    }
    if let Some(link) = there {
        socket.delete_link(link.index)?;
    }
    if plan.forced_mtu && socket.create_dummy(&name, Some(plan.mtu)).is_ok() {
        let index = socket.link(&name)?.index;
        socket.set_master(index, Some(bridge_link(socket, &plan.name)?))?;
        socket.set_up(index, true)?;
    }
    Ok(())
}

/// The name of the link that holds the bridge's MTU.
pub(super) fn mtu_link(bridge: &str) -> String {
    format!("{bridge}-mtu")
}

/// Makes the configured interfaces of the host ports of the bridge. Missing ones are left out.
fn attach_interfaces(plan: &Plan) -> Result<Undo> {
    let mut undo = Undo::default();
    if plan.external.is_empty() {
        return Ok(undo);
    }
    let socket = Socket::open()?;
    let bridge = bridge_link(&socket, &plan.name)?;
    let addresses = socket.addresses()?;
    for external in &plan.external {
        let Some(link) = socket.find_link(external)?.filter(|link| link.master != Some(bridge)) else { continue };
        let used = addresses.iter().any(|own| own.link == link.index && address::is_global_unicast(own.address));
        if used {
            return Err(Error::internal("Only unconfigured network interfaces can be bridged"));
        }
        let (index, before) = (link.index, link.master);
        undo.step(
            "attach an external interface",
            || Ok::<_, Error>(socket.set_master(index, Some(bridge))?),
            |()| {
                move || {
                    Socket::open()
                        .and_then(|socket| socket.set_master(index, before))
                        .map_err(|error| error.to_string())
                }
            },
        )?;
    }
    Ok(undo)
}

/// Detaches those of the interfaces `old` that are not in `new` (both comma-separated).
pub(super) fn release_interfaces(bridge: &str, old: &str, new: &str) -> Result<()> {
    let socket = Socket::open()?;
    let Some(bridge) = socket.find_link(bridge)? else { return Ok(()) };
    for external in list(old).filter(|external| !list(new).any(|kept| kept == *external)) {
        let attached = |link: &Link| link.master == Some(bridge.index);
        if let Some(link) = socket.find_link(external)?.filter(attached) {
            socket.set_master(link.index, None)?;
        }
    }
    Ok(())
}

/// Starts dnsmasq, or lets the one that runs go on.
fn servers(bridge: &Bridge, plan: &Plan, hosts: &[Host]) -> Result<Undo> {
    let mut undo = Undo::default();
    let dnsmasq = bridge.dnsmasq();
    if !plan.uses_dnsmasq() {
        dnsmasq.stop()?;
        dnsmasq.forget_leases()?;
        return Ok(undo);
    }
    undo.step(
        "start dnsmasq",
        || dnsmasq.ensure(plan, hosts, bridge.place.debug),
        |_| {
            let again = bridge.dnsmasq();
            move || again.stop().map_err(|error| error.to_string())
        },
    )?;
    Ok(undo)
}

fn rules(plan: &Plan) -> Result<Undo> {
    let mut undo = Undo::default();
    let rules = NetworkRules::of(plan);
    // A host without nft can still have networks that ask nothing of the firewall.
    if rules.is_empty() && !firewall::is_available() {
        return Ok(undo);
    }
    let name = plan.name.clone();
    undo.step(
        "set firewall rules",
        || firewall::set_network(&rules),
        |()| move || firewall::clear_network(&name).map_err(|error| error.to_string()),
    )?;
    Ok(undo)
}

fn delete_link(name: &str) -> Result<(), String> {
    let delete = || Socket::open()?.delete_link_if_there(name);
    delete().map(drop).map_err(|error: corten_host::netlink::Error| error.to_string())
}

/// IPv6 needs the kernel's; said before anything is made.
pub(super) fn require_ipv6(plan: &Plan) -> Result<()> {
    if plan.v6.is_some() && !sysctl::has_ipv6() {
        return Err(Error::internal("Network has ipv6.address but kernel IPv6 support is missing"));
    }
    Ok(())
}
