//! Addresses of links.

use std::net::IpAddr;

use super::message::{Message, Request, attributes, u32_at};
use super::{ACK, CREATE, DUMP, EXCLUSIVE, REQUEST, Result, Socket};

/// `RT_SCOPE_UNIVERSE`: valid everywhere.
pub const GLOBAL: u8 = 0;
/// Length of `struct ifaddrmsg`.
const FIXED: usize = 8;
/// `IFA_F_NODAD` (linux/if_addr.h): use the address at once, without asking whether others have it.
const NO_DUPLICATE_CHECK: u8 = 0x02;

/// An address that a link has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Index of the link.
    pub link: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of its network.
    pub prefix: u8,
    /// `RT_SCOPE_…`: 0 is global, 253 link, 254 host.
    pub scope: u8,
}

impl Address {
    fn parse(message: &Message<'_>) -> Option<Address> {
        if message.kind != libc::RTM_NEWADDR {
            return None;
        }
        let fixed = message.payload.get(..FIXED)?;
        let (mut address, mut local) = (None, None);
        for (kind, value) in attributes(&message.payload[FIXED..]) {
            match kind {
                // On point-to-point links IFA_ADDRESS is the other side, IFA_LOCAL this one.
                libc::IFA_ADDRESS => address = ip(value),
                libc::IFA_LOCAL => local = ip(value),
                _ => {}
            }
        }
        Some(Address { link: u32_at(fixed, 4)?, address: local.or(address)?, prefix: fixed[1], scope: fixed[3] })
    }
}

/// An address from its bytes in network order.
pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// An address's bytes in network order.
pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// `AF_INET` or `AF_INET6`.
pub(super) fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    u8::try_from(family).expect("address families are small numbers")
}

impl Socket {
    /// All addresses of all links of the namespace, IPv4 first.
    ///
    /// # Errors
    /// When the kernel refuses to list.
    pub fn addresses(&self) -> Result<Vec<Address>> {
        let request = || Request::new(libc::RTM_GETADDR, REQUEST | DUMP, &[0; FIXED]);
        self.list("listing addresses", request, Address::parse)
    }

    /// Gives a link an address of global scope. IPv6 addresses are usable at once (no duplicate address detection).
    ///
    /// # Errors
    /// When it has it already (`EEXIST`), or the family is switched off there.
    pub fn add_address(&self, link: u32, address: IpAddr, prefix: u8) -> Result<()> {
        let flags = if address.is_ipv6() { NO_DUPLICATE_CHECK } else { 0 };
        let mut request =
            Request::new(libc::RTM_NEWADDR, REQUEST | ACK | CREATE | EXCLUSIVE, &fixed(link, address, prefix, flags));
        request.put(libc::IFA_LOCAL, &octets(address)).put(libc::IFA_ADDRESS, &octets(address));
        if let IpAddr::V4(v4) = address
            && prefix < 31
        {
            let host = u32::MAX >> prefix;
            request.put(libc::IFA_BROADCAST, &(u32::from(v4) | host).to_be_bytes());
        }
        self.change(&format!("adding the address {address}/{prefix} to network interface {link}"), request)
    }

    /// Takes an address from a link.
    ///
    /// # Errors
    /// When it does not have it.
    pub fn delete_address(&self, link: u32, address: IpAddr, prefix: u8) -> Result<()> {
        let mut request = Request::new(libc::RTM_DELADDR, REQUEST | ACK, &fixed(link, address, prefix, 0));
        request.put(libc::IFA_LOCAL, &octets(address)).put(libc::IFA_ADDRESS, &octets(address));
        self.change(&format!("removing the address {address}/{prefix} from network interface {link}"), request)
    }
}

fn fixed(link: u32, address: IpAddr, prefix: u8, flags: u8) -> [u8; FIXED] {
    let mut bytes = [family(address), prefix, flags, GLOBAL, 0, 0, 0, 0];
    bytes[4..].copy_from_slice(&link.to_ne_bytes());
    bytes
}
