//! Neighbours: which hardware address was last seen behind which IP address.

use std::net::IpAddr;

use super::address::{family, ip, octets};
use super::message::{Message, Request, attributes, u16_at, u32_at};
use super::{ACK, CREATE, DUMP, EXCLUSIVE, REQUEST, Result, Socket};

/// Length of `struct ndmsg`.
const FIXED: usize = 12;
/// `NTF_PROXY`: answer for the address on behalf of another.
const PROXY: u8 = 0x08;

/// An entry of the neighbour table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Index of the link it is behind.
    pub link: u32,
    /// Its IP address.
    pub address: IpAddr,
    /// Its hardware address, when known.
    pub hwaddr: Vec<u8>,
    /// `NUD_…` bits (rtnetlink(7)).
    pub state: u16,
}

impl Neighbour {
    fn parse(message: &Message<'_>) -> Option<Neighbour> {
        if message.kind != libc::RTM_NEWNEIGH {
            return None;
        }
        let (mut address, mut hwaddr) = (None, Vec::new());
        for (kind, value) in attributes(message.payload.get(FIXED..)?) {
            match kind {
                libc::NDA_DST => address = ip(value),
                libc::NDA_LLADDR => hwaddr = value.to_vec(),
                _ => {}
            }
        }
        let (link, state) = (u32_at(message.payload, 4)?, u16_at(message.payload, 8)?);
        Some(Neighbour { link, address: address?, hwaddr, state })
    }
}

impl Socket {
    /// The IP neighbours of all links of the namespace.
    ///
    /// # Errors
    /// When the kernel refuses to list.
    pub fn neighbours(&self) -> Result<Vec<Neighbour>> {
        let request = || Request::new(libc::RTM_GETNEIGH, REQUEST | DUMP, &[0; FIXED]);
        self.list("listing neighbours", request, Neighbour::parse)
    }

    /// Answers on `link` for `address`, which is reached by another link (proxy ARP and NDP for one address).
    ///
    /// # Errors
    /// When the entry is there already.
    pub fn add_proxy_neighbour(&self, link: u32, address: IpAddr) -> Result<()> {
        let request = proxy(libc::RTM_NEWNEIGH, CREATE | EXCLUSIVE, link, address);
        self.change(&format!("answering for {address} on network interface {link}"), request)
    }

    /// Takes back [`Socket::add_proxy_neighbour`].
    ///
    /// # Errors
    /// When the entry is not there.
    pub fn delete_proxy_neighbour(&self, link: u32, address: IpAddr) -> Result<()> {
        let request = proxy(libc::RTM_DELNEIGH, 0, link, address);
        self.change(&format!("no longer answering for {address} on network interface {link}"), request)
    }
}

fn proxy(verb: u16, flags: u16, link: u32, address: IpAddr) -> Request {
    let mut fixed = [0; FIXED];
    fixed[0] = family(address);
    fixed[4..8].copy_from_slice(&link.to_ne_bytes());
    fixed[10] = PROXY;
    let mut request = Request::new(verb, REQUEST | ACK | flags, &fixed);
    request.put(libc::NDA_DST, &octets(address));
    request
}
