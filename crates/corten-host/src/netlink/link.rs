//! Links (network interfaces): what they are, and changing one that is there.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::bridge::BridgeState;
use super::mac::{Mac, hex};
use super::message::{Message, Request, attributes, text, u16_at, u32_at, u64_at};
use super::{ACK, DUMP, Error, REQUEST, Result, Socket};
use rustix::io::Errno;

/// The interface is switched on (`IFF_UP`).
pub const UP: u32 = libc::IFF_UP.cast_unsigned();
/// Length of `struct ifinfomsg`.
const FIXED: usize = 16;
/// `IFLA_STATS64` begins with these 64-bit counters (`struct rtnl_link_stats64`).
const COUNTERS: usize = 8;

/// What the kernel counted on a link since it was made, from the link's own side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that came in.
    pub packets_received: u64,
    /// Packets that went out.
    pub packets_sent: u64,
    /// Bytes that came in.
    pub bytes_received: u64,
    /// Bytes that went out.
    pub bytes_sent: u64,
    /// Packets that came in broken.
    pub errors_received: u64,
    /// Packets that could not be sent.
    pub errors_sent: u64,
    /// Incoming packets that were dropped.
    pub dropped_inbound: u64,
    /// Outgoing packets that were dropped.
    pub dropped_outbound: u64,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name in its namespace.
    pub name: String,
    /// `IFF_…` flags (netdevice(7)).
    pub flags: u32,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Hardware address; six bytes for Ethernet, none for some tunnels.
    pub address: Vec<u8>,
    /// Kind of a virtual link (`bridge`, `veth`, `macvlan`, `vlan`, `dummy`, …); none for hardware.
    pub kind: Option<String>,
    /// Index of the bridge or bond it belongs to.
    pub master: Option<u32>,
    /// Index of the other end (veth) or of the parent (macvlan, vlan), which may be in another namespace.
    pub peer: Option<u32>,
    /// The id that this namespace has for the other end's namespace, when that is another one.
    pub peer_namespace: Option<i32>,
    /// Its traffic.
    pub counters: Counters,
    /// What only bridges have.
    pub bridge: Option<BridgeState>,
    /// The VLAN id of a link of kind `vlan`.
    pub vlan_id: Option<u16>,
}

impl Link {
    /// Whether it is switched on.
    pub fn is_up(&self) -> bool {
        self.flags & UP != 0
    }

    /// The hardware address as colon-separated hex; empty when there is none.
    pub fn hwaddr(&self) -> String {
        hex(&self.address)
    }

    /// Reads an `RTM_NEWLINK` message.
    fn parse(message: &Message<'_>) -> Option<Link> {
        if message.kind != libc::RTM_NEWLINK {
            return None;
        }
        let mut link =
            Link { index: u32_at(message.payload, 4)?, flags: u32_at(message.payload, 8)?, ..Link::default() };
        for (kind, value) in attributes(message.payload.get(FIXED..)?) {
            match kind {
                libc::IFLA_IFNAME => link.name = text(value),
                libc::IFLA_MTU => link.mtu = u32_at(value, 0)?,
                libc::IFLA_ADDRESS => link.address = value.to_vec(),
                libc::IFLA_MASTER => link.master = u32_at(value, 0),
                libc::IFLA_LINK => link.peer = u32_at(value, 0).filter(|index| *index != 0),
                libc::IFLA_LINK_NETNSID => link.peer_namespace = u32_at(value, 0).map(u32::cast_signed),
                libc::IFLA_STATS64 => link.counters = counters(value)?,
                libc::IFLA_LINKINFO => link.read_info(value),
                _ => {}
            }
        }
        Some(link)
    }

    fn read_info(&mut self, info: &[u8]) {
        let mut data: &[u8] = &[];
        for (kind, value) in attributes(info) {
            match kind {
                libc::IFLA_INFO_KIND => self.kind = Some(text(value)),
                libc::IFLA_INFO_DATA => data = value,
                _ => {}
            }
        }
        match self.kind.as_deref() {
            Some("bridge") => self.bridge = Some(BridgeState::parse(data)),
            // IFLA_VLAN_ID is 1 (linux/if_link.h).
            Some("vlan") => {
                self.vlan_id = attributes(data).find(|(kind, _)| *kind == 1).and_then(|(_, id)| u16_at(id, 0))
            }
            _ => {}
        }
    }
}

fn counters(value: &[u8]) -> Option<Counters> {
    let mut number = [0; COUNTERS];
    for (position, slot) in number.iter_mut().enumerate() {
        *slot = u64_at(value, position * 8)?;
    }
    Some(Counters {
        packets_received: number[0],
        packets_sent: number[1],
        bytes_received: number[2],
        bytes_sent: number[3],
        errors_received: number[4],
        errors_sent: number[5],
        dropped_inbound: number[6],
        dropped_outbound: number[7],
    })
}

/// `struct ifinfomsg` for the link `index`; the bits of `change` among `flags` are to be set so.
pub(super) fn fixed(index: u32, flags: u32, change: u32) -> [u8; FIXED] {
    family_fixed(0, index, flags, change)
}

/// As [`fixed`], for requests that go to one address family's part of a link.
pub(super) fn family_fixed(family: u8, index: u32, flags: u32, change: u32) -> [u8; FIXED] {
    let mut bytes = [0; FIXED];
    bytes[0] = family;
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&change.to_ne_bytes());
    bytes
}

impl Socket {
    /// All links of the namespace, in the kernel's order.
    ///
    /// # Errors
    /// When the kernel refuses to list.
    pub fn links(&self) -> Result<Vec<Link>> {
        let request = || Request::new(libc::RTM_GETLINK, REQUEST | DUMP, &fixed(0, 0, 0));
        self.list("listing network interfaces", request, Link::parse)
    }

    /// The link called `name`; none when there is no such link.
    ///
    /// # Errors
    /// When the kernel refuses for another reason.
    pub fn find_link(&self, name: &str) -> Result<Option<Link>> {
        let mut request = Request::new(libc::RTM_GETLINK, REQUEST | ACK, &fixed(0, 0, 0));
        request.put_str(libc::IFLA_IFNAME, name);
        self.find(&format!("looking up the network interface {name:?}"), request)
    }

    /// The link with this index; none when there is no such link. So the name of a guest's other end is found.
    ///
    /// # Errors
    /// When the kernel refuses for another reason.
    pub fn find_link_index(&self, index: u32) -> Result<Option<Link>> {
        let request = Request::new(libc::RTM_GETLINK, REQUEST | ACK, &fixed(index, 0, 0));
        self.find(&format!("looking up network interface {index}"), request)
    }

    fn find(&self, doing: &str, request: Request) -> Result<Option<Link>> {
        let mut found = None;
        match self.exchange(doing, request, |message| found = Link::parse(message)) {
            Ok(()) => Ok(found),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The link called `name`.
    ///
    /// # Errors
    /// `ENODEV` when there is no such link.
    pub fn link(&self, name: &str) -> Result<Link> {
        self.find_link(name)?
            .ok_or_else(|| Error::new(format!("looking up the network interface {name:?}"), Errno::NODEV))
    }

    /// Switches a link on or off.
    ///
    /// # Errors
    /// What the kernel says, for instance that the link is gone.
    pub fn set_up(&self, index: u32, up: bool) -> Result<()> {
        let (flags, word) = if up { (UP, "up") } else { (0, "down") };
        let request = Request::new(libc::RTM_NEWLINK, REQUEST | ACK, &fixed(index, flags, UP));
        self.change(&format!("bringing {word} network interface {index}"), request)
    }

    /// Sets the largest packet size in bytes.
    ///
    /// # Errors
    /// When the link cannot have it.
    pub fn set_mtu(&self, index: u32, mtu: u32) -> Result<()> {
        self.set(index, &format!("setting the MTU {mtu} of network interface {index}"), |request| {
            request.put_u32(libc::IFLA_MTU, mtu);
        })
    }

    /// Sets the hardware address.
    ///
    /// # Errors
    /// When the link cannot have it.
    pub fn set_mac(&self, index: u32, mac: Mac) -> Result<()> {
        self.set(index, &format!("setting the MAC address {mac} of network interface {index}"), |request| {
            request.put(libc::IFLA_ADDRESS, &mac.0);
        })
    }

    /// Makes the link a port of the bridge `master`, or of none.
    ///
    /// # Errors
    /// When `master` is no bridge, or does not take this link.
    pub fn set_master(&self, index: u32, master: Option<u32>) -> Result<()> {
        let doing = match master {
            Some(bridge) => format!("attaching network interface {index} to bridge {bridge}"),
            None => format!("detaching network interface {index} from its bridge"),
        };
        self.set(index, &doing, |request| {
            request.put_u32(libc::IFLA_MASTER, master.unwrap_or(0));
        })
    }

    /// Gives the link another name. Most links must be down for it.
    ///
    /// # Errors
    /// When the name is taken or not allowed, or the link is up.
    pub fn rename_link(&self, index: u32, name: &str) -> Result<()> {
        self.set(index, &format!("renaming network interface {index} to {name:?}"), |request| {
            request.put_str(libc::IFLA_IFNAME, name);
        })
    }

    /// Moves the link into another network namespace under `name`. It arrives switched off and without addresses,
    /// and its index may have changed.
    ///
    /// # Errors
    /// When the link cannot leave its namespace, or the name is taken there.
    pub fn move_to_netns(&self, index: u32, netns: BorrowedFd<'_>, name: &str) -> Result<()> {
        self.set(index, &format!("moving network interface {index} into another namespace as {name:?}"), |request| {
            request.put_u32(libc::IFLA_NET_NS_FD, netns.as_raw_fd().cast_unsigned());
            request.put_str(libc::IFLA_IFNAME, name);
        })
    }

    /// As [`Socket::move_to_netns`], into the namespace of the process `pid`.
    ///
    /// # Errors
    /// As there, and when there is no such process.
    pub fn move_to_process(&self, index: u32, pid: u32, name: &str) -> Result<()> {
        self.set(index, &format!("moving network interface {index} to process {pid} as {name:?}"), |request| {
            request.put_u32(libc::IFLA_NET_NS_PID, pid);
            request.put_str(libc::IFLA_IFNAME, name);
        })
    }

    /// Deletes a virtual link; of a veth pair both ends.
    ///
    /// # Errors
    /// When it is hardware, or gone already.
    pub fn delete_link(&self, index: u32) -> Result<()> {
        let request = Request::new(libc::RTM_DELLINK, REQUEST | ACK, &fixed(index, 0, 0));
        self.change(&format!("deleting network interface {index}"), request)
    }

    /// Deletes the virtual link called `name`, if there is one; says whether there was.
    ///
    /// # Errors
    /// As [`Socket::delete_link`], but not when it is gone.
    pub fn delete_link_if_there(&self, name: &str) -> Result<bool> {
        let Some(link) = self.find_link(name)? else { return Ok(false) };
        match self.delete_link(link.index) {
            Ok(()) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(Error::new(format!("deleting network interface {name:?}"), error.errno)),
        }
    }

    fn set(&self, index: u32, doing: &str, fill: impl FnOnce(&mut Request)) -> Result<()> {
        let mut request = Request::new(libc::RTM_NEWLINK, REQUEST | ACK, &fixed(index, 0, 0));
        fill(&mut request);
        self.change(doing, request)
    }
}
