//! A bridge's addresses and routes: what is wanted is added, what is not is removed, what is right stays.

use std::net::IpAddr;

use corten_host::netlink::Socket;
use corten_host::netlink::address::{Address, GLOBAL};
use corten_host::netlink::route::{MAIN, PROTO_BOOT, PROTO_STATIC, Route};

use super::plan::Plan;
use crate::error::Result;
use crate::subnet::Subnet;

/// Gives the bridge exactly the addresses and static routes of its plan. Routes of instances' NICs are kept: the kernel
/// drops all routes of a link with its last address, so they are put back where that happened.
pub(super) fn settle(plan: &Plan) -> Result<()> {
    let socket = Socket::open()?;
    let link = socket.link(&plan.name)?.index;
    let of_instances = routes(&socket, link, PROTO_BOOT)?;
    add_missing(&socket, plan, link)?;
    for extra in addresses(&socket, link)?.iter().filter(|address| !wanted(plan, address)) {
        socket.delete_address(link, extra.address, extra.prefix)?;
    }
    // With the first address of a network the kernel may have dropped others of it.
    add_missing(&socket, plan, link)?;
    settle_routes(&socket, plan, link)?;
    for route in of_instances {
        // Without an address of the family the route cannot be; it comes back with the NIC's next start.
        let _ = socket.replace_route(&route);
    }
    Ok(())
}

fn wanted(plan: &Plan, address: &Address) -> bool {
    plan.families().any(|family| (family.subnet.address, family.subnet.prefix) == (address.address, address.prefix))
}

fn addresses(socket: &Socket, link: u32) -> Result<Vec<Address>> {
    let all = socket.addresses()?;
    Ok(all.into_iter().filter(|address| address.link == link && address.scope == GLOBAL).collect())
}

fn add_missing(socket: &Socket, plan: &Plan, link: u32) -> Result<()> {
    let there = addresses(socket, link)?;
    for Subnet { address, prefix } in plan.families().map(|family| family.subnet) {
        if !there.iter().any(|own| (own.address, own.prefix) == (address, prefix)) {
            socket.add_address(link, address, prefix)?;
        }
    }
    Ok(())
}

fn routes(socket: &Socket, link: u32, protocol: u8) -> Result<Vec<Route>> {
    let own = |route: &Route| route.link == Some(link) && route.protocol == protocol && route.table == MAIN;
    Ok(socket.routes()?.into_iter().filter(own).collect())
}

fn settle_routes(socket: &Socket, plan: &Plan, link: u32) -> Result<()> {
    let wanted: Vec<Subnet> =
        plan.families().flat_map(|family| family.routes.iter().map(|route| route.network())).collect();
    let there = routes(socket, link, PROTO_STATIC)?;
    let leads = |route: &Route, to: &Subnet| (route.destination, route.prefix) == (to.address, to.prefix);
    for extra in there.iter().filter(|route| !wanted.iter().any(|to| leads(route, to))) {
        socket.delete_route(extra)?;
    }
    for to in wanted.iter().filter(|to| !there.iter().any(|route| leads(route, to))) {
        socket.add_route(&Route::through(link, to.address, to.prefix, PROTO_STATIC))?;
    }
    Ok(())
}

/// Whether an address is one that others reach: not of the loop, the link, a group or nobody.
pub(super) fn is_global_unicast(address: IpAddr) -> bool {
    let link = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(link || address.is_loopback() || address.is_multicast() || address.is_unspecified())
}
