//! Making virtual links.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::link::fixed;
use super::mac::Mac;
use super::message::Request;
use super::{ACK, CREATE, EXCLUSIVE, REQUEST, Result, Socket};

/// `VETH_INFO_PEER` (linux/veth.h).
const VETH_PEER: u16 = 1;
/// `IFLA_MACVLAN_MODE` (linux/if_link.h).
const MACVLAN_MODE: u16 = 1;
/// `IFLA_VLAN_ID` (linux/if_link.h).
const VLAN_ID: u16 = 1;
/// `IFLA_VLAN_FLAGS` (linux/if_link.h): `struct ifla_vlan_flags`, flags and mask.
const VLAN_FLAGS: u16 = 2;
/// `VLAN_FLAG_GVRP` (linux/if_vlan.h): register the VLAN with the switch.
const VLAN_GVRP: u32 = 2;

/// How macvlan links of one parent reach each other (`MACVLAN_MODE_…`, linux/if_link.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacvlanMode {
    /// Not at all.
    Private = 1,
    /// By way of the switch outside.
    Vepa = 2,
    /// Directly.
    Bridge = 4,
    /// One link takes the parent over.
    Passthru = 8,
}

/// A pair of links like the two ends of a cable.
#[derive(Clone, Copy, Debug)]
pub struct Veth<'a> {
    /// Name of the end in the socket's namespace.
    pub host: &'a str,
    /// Name of the other end.
    pub peer: &'a str,
    /// Where the other end is made; none: in the same namespace.
    pub peer_namespace: Option<BorrowedFd<'a>>,
    /// Largest packet in bytes, of both ends.
    pub mtu: Option<u32>,
    /// Hardware address of the other end.
    pub peer_mac: Option<Mac>,
}

impl Socket {
    /// Makes a bridge, switched off.
    ///
    /// # Errors
    /// When the name is taken or not allowed.
    pub fn create_bridge(&self, name: &str) -> Result<()> {
        self.create(name, "bridge", None, |_| (), |_| ())
    }

    /// Makes a dummy link (a loop with a hardware address), switched off.
    ///
    /// # Errors
    /// When the name is taken or not allowed.
    pub fn create_dummy(&self, name: &str, mtu: Option<u32>) -> Result<()> {
        let top = |request: &mut Request| {
            if let Some(mtu) = mtu {
                request.put_u32(libc::IFLA_MTU, mtu);
            }
        };
        self.create(name, "dummy", None, top, |_| ())
    }

    /// Makes a veth pair; both ends are switched off (the kernel cannot make them otherwise).
    ///
    /// # Errors
    /// When a name is taken or not allowed.
    pub fn create_veth(&self, veth: &Veth<'_>) -> Result<()> {
        let mtu = |request: &mut Request| {
            if let Some(mtu) = veth.mtu {
                request.put_u32(libc::IFLA_MTU, mtu);
            }
        };
        self.create(veth.host, "veth", None, mtu, |data| {
            data.nest(VETH_PEER, |peer| {
                peer.raw(&fixed(0, 0, 0));
                peer.put_str(libc::IFLA_IFNAME, veth.peer);
                if let Some(netns) = veth.peer_namespace {
                    peer.put_u32(libc::IFLA_NET_NS_FD, netns.as_raw_fd().cast_unsigned());
                }
                if let Some(mac) = veth.peer_mac {
                    peer.put(libc::IFLA_ADDRESS, &mac.0);
                }
                mtu(peer);
            });
        })
    }

    /// Makes a link with its own hardware address on top of the link `parent`, switched off.
    ///
    /// # Errors
    /// When the parent cannot carry it, the name is taken, or the kernel has no macvlan.
    pub fn create_macvlan(&self, name: &str, parent: u32, mode: MacvlanMode) -> Result<()> {
        self.create(
            name,
            "macvlan",
            Some(parent),
            |_| (),
            |data| {
                data.put_u32(MACVLAN_MODE, mode as u32);
            },
        )
    }

    /// Makes a link that carries the VLAN `id` of the link `parent`, switched off.
    ///
    /// # Errors
    /// When the VLAN is there already, the name is taken, or the kernel has no 802.1q (`EOPNOTSUPP`).
    pub fn create_vlan(&self, name: &str, parent: u32, id: u16, gvrp: bool) -> Result<()> {
        self.create(
            name,
            "vlan",
            Some(parent),
            |_| (),
            |data| {
                data.put_u16(VLAN_ID, id);
                if gvrp {
                    let mut flags = [0; 8];
                    flags[..4].copy_from_slice(&VLAN_GVRP.to_ne_bytes());
                    flags[4..].copy_from_slice(&VLAN_GVRP.to_ne_bytes());
                    data.put(VLAN_FLAGS, &flags);
                }
            },
        )
    }

    fn create(
        &self,
        name: &str,
        kind: &str,
        parent: Option<u32>,
        top: impl FnOnce(&mut Request),
        data: impl FnOnce(&mut Request),
    ) -> Result<()> {
        let mut request = Request::new(libc::RTM_NEWLINK, REQUEST | ACK | CREATE | EXCLUSIVE, &fixed(0, 0, 0));
        request.put_str(libc::IFLA_IFNAME, name);
        if let Some(parent) = parent {
            request.put_u32(libc::IFLA_LINK, parent);
        }
        top(&mut request);
        request.nest(libc::IFLA_LINKINFO, |info| {
            info.put_str(libc::IFLA_INFO_KIND, kind);
            info.nest(libc::IFLA_INFO_DATA, data);
        });
        self.change(&format!("creating the {kind} interface {name:?}"), request)
    }
}
