//! Routes.

use std::net::IpAddr;

use super::address::{family, ip, octets};
use super::message::{Message, Request, attributes, u32_at};
use super::{ACK, CREATE, DUMP, EXCLUSIVE, REPLACE, REQUEST, Result, Socket};

/// Length of `struct rtmsg`.
const FIXED: usize = 12;
/// `RT_TABLE_MAIN`.
pub const MAIN: u32 = 254;
/// `RTPROT_KERNEL`: the kernel made it when an address was added.
pub const PROTO_KERNEL: u8 = 2;
/// `RTPROT_BOOT`: made by `ip route add` without a word about it; LXD's instance routes.
pub const PROTO_BOOT: u8 = 3;
/// `RTPROT_STATIC`: an administrator's; LXD's network routes.
pub const PROTO_STATIC: u8 = 4;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;

/// A route of any table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network it leads to; an unspecified address with 0 bits is the default route.
    pub destination: IpAddr,
    /// Bits of that network.
    pub prefix: u8,
    /// The next router.
    pub gateway: Option<IpAddr>,
    /// Index of the link it goes out by.
    pub link: Option<u32>,
    /// The address packets get that have none yet.
    pub source: Option<IpAddr>,
    /// Who made it (`RTPROT_…`).
    pub protocol: u8,
    /// The table (254 is main, 255 local).
    pub table: u32,
    /// Preference among equals, lower first.
    pub metric: Option<u32>,
    /// `RT_SCOPE_…`.
    pub scope: u8,
    /// `RTN_…`; 1 is an ordinary route.
    pub kind: u8,
}

impl Route {
    /// A route of the main table out of `link` to the network itself.
    pub fn through(link: u32, destination: IpAddr, prefix: u8, protocol: u8) -> Route {
        Route {
            destination,
            prefix,
            gateway: None,
            link: Some(link),
            source: None,
            protocol,
            table: MAIN,
            metric: None,
            // RT_SCOPE_LINK for IPv4 neighbours; IPv6 has no scopes.
            scope: if destination.is_ipv4() { 253 } else { 0 },
            kind: UNICAST,
        }
    }

    fn parse(message: &Message<'_>) -> Option<Route> {
        if message.kind != libc::RTM_NEWROUTE {
            return None;
        }
        let fixed = message.payload.get(..FIXED)?;
        let unspecified: IpAddr = match i32::from(fixed[0]) {
            libc::AF_INET => [0; 4].into(),
            libc::AF_INET6 => [0; 16].into(),
            _ => return None,
        };
        let mut route = Route {
            destination: unspecified,
            prefix: fixed[1],
            gateway: None,
            link: None,
            source: None,
            protocol: fixed[5],
            table: u32::from(fixed[4]),
            metric: None,
            scope: fixed[6],
            kind: fixed[7],
        };
        for (kind, value) in attributes(&message.payload[FIXED..]) {
            match kind {
                libc::RTA_DST => route.destination = ip(value)?,
                libc::RTA_GATEWAY => route.gateway = ip(value),
                libc::RTA_OIF => route.link = u32_at(value, 0),
                libc::RTA_PREFSRC => route.source = ip(value),
                libc::RTA_TABLE => route.table = u32_at(value, 0)?,
                libc::RTA_PRIORITY => route.metric = u32_at(value, 0),
                _ => {}
            }
        }
        Some(route)
    }

    fn request(&self, verb: u16, flags: u16) -> Request {
        let table = u8::try_from(self.table).unwrap_or(0);
        let mut fixed = [0; FIXED];
        fixed[..8].copy_from_slice(&[
            family(self.destination),
            self.prefix,
            0,
            0,
            table,
            self.protocol,
            self.scope,
            self.kind,
        ]);
        let mut request = Request::new(verb, REQUEST | ACK | flags, &fixed);
        request.put(libc::RTA_DST, &octets(self.destination)).put_u32(libc::RTA_TABLE, self.table);
        for (kind, address) in [(libc::RTA_GATEWAY, self.gateway), (libc::RTA_PREFSRC, self.source)] {
            if let Some(address) = address {
                request.put(kind, &octets(address));
            }
        }
        for (kind, number) in [(libc::RTA_OIF, self.link), (libc::RTA_PRIORITY, self.metric)] {
            if let Some(number) = number {
                request.put_u32(kind, number);
            }
        }
        request
    }
}

impl Socket {
    /// All routes of all tables of the namespace.
    ///
    /// # Errors
    /// When the kernel refuses to list.
    pub fn routes(&self) -> Result<Vec<Route>> {
        let request = || Request::new(libc::RTM_GETROUTE, REQUEST | DUMP, &[0; FIXED]);
        self.list("listing routes", request, Route::parse)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// When it is there (`EEXIST`), or its link is down or gone.
    pub fn add_route(&self, route: &Route) -> Result<()> {
        let doing = format!("adding the route to {}/{}", route.destination, route.prefix);
        self.change(&doing, route.request(libc::RTM_NEWROUTE, CREATE | EXCLUSIVE))
    }

    /// Adds a route, or puts it in the place of one that leads to the same network.
    ///
    /// # Errors
    /// When its link is down or gone.
    pub fn replace_route(&self, route: &Route) -> Result<()> {
        let doing = format!("setting the route to {}/{}", route.destination, route.prefix);
        self.change(&doing, route.request(libc::RTM_NEWROUTE, CREATE | REPLACE))
    }

    /// Removes a route.
    ///
    /// # Errors
    /// When it is not there.
    pub fn delete_route(&self, route: &Route) -> Result<()> {
        let doing = format!("removing the route to {}/{}", route.destination, route.prefix);
        self.change(&doing, route.request(libc::RTM_DELROUTE, 0))
    }
}
