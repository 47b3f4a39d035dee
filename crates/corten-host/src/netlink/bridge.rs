//! What only bridges and their ports have: options, VLANs, isolation (linux/if_bridge.h, linux/if_link.h).

use super::link::{family_fixed, fixed};
use super::mac::hex;
use super::message::{Request, attributes, u16_at, u32_at};
use super::{ACK, REQUEST, Result, Socket};

/// `AF_BRIDGE`: the bridge's own part of a link.
const FAMILY: u8 = 7;
/// `IFLA_AF_SPEC` of a bridge request.
const AF_SPEC: u16 = 26;
/// `IFLA_BRIDGE_VLAN_INFO`: `struct bridge_vlan_info`, flags and id.
const VLAN_INFO: u16 = 2;
/// `BRIDGE_VLAN_INFO_PVID`: frames that come in untagged belong to it.
const VLAN_PVID: u16 = 1 << 1;
/// `BRIDGE_VLAN_INFO_UNTAGGED`: its frames go out without a tag.
const VLAN_UNTAGGED: u16 = 1 << 2;

/// Attributes of a bridge (`IFLA_BR_…`).
mod option {
    pub(super) const FORWARD_DELAY: u16 = 1;
    pub(super) const STP_STATE: u16 = 5;
    pub(super) const VLAN_FILTERING: u16 = 7;
    pub(super) const BRIDGE_ID: u16 = 11;
    pub(super) const VLAN_DEFAULT_PVID: u16 = 39;
}

/// Options of a bridge's port (`IFLA_BRPORT_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOption {
    /// Frames may leave by the port they came in.
    Hairpin = 4,
    /// The port's neighbour may not reach other isolated ports.
    Isolated = 33,
}

/// A bridge's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeState {
    /// Priority and address as `8000.00163e0a0b0c`.
    pub id: String,
    /// Whether the spanning tree protocol runs.
    pub stp: bool,
    /// Hundredths of a second before a new port forwards.
    pub forward_delay: u32,
    /// VLAN of untagged frames on new ports; 0 is none.
    pub default_pvid: u16,
    /// Whether ports take only the VLANs they were given.
    pub vlan_filtering: bool,
}

impl BridgeState {
    pub(super) fn parse(data: &[u8]) -> BridgeState {
        let mut state = BridgeState::default();
        for (kind, value) in attributes(data) {
            match kind {
                option::BRIDGE_ID if value.len() == 8 => {
                    state.id = format!("{}.{}", hex(&value[..2]).replace(':', ""), hex(&value[2..]).replace(':', ""));
                }
                option::STP_STATE => state.stp = u32_at(value, 0) == Some(1),
                option::FORWARD_DELAY => state.forward_delay = u32_at(value, 0).unwrap_or(0),
                option::VLAN_DEFAULT_PVID => state.default_pvid = u16_at(value, 0).unwrap_or(0),
                option::VLAN_FILTERING => state.vlan_filtering = value.first() == Some(&1),
                _ => {}
            }
        }
        state
    }
}

impl Socket {
    /// Lets a bridge look at VLANs, or not.
    ///
    /// # Errors
    /// When `bridge` is none, or the kernel's bridges know no VLANs.
    pub fn set_vlan_filtering(&self, bridge: u32, on: bool) -> Result<()> {
        let mut request = Request::new(libc::RTM_NEWLINK, REQUEST | ACK, &fixed(bridge, 0, 0));
        request.nest(libc::IFLA_LINKINFO, |info| {
            info.put_str(libc::IFLA_INFO_KIND, "bridge");
            info.nest(libc::IFLA_INFO_DATA, |data| {
                data.put(option::VLAN_FILTERING, &[u8::from(on)]);
            });
        });
        self.change(&format!("setting VLAN filtering of bridge {bridge}"), request)
    }

    /// Switches an option of a bridge's port.
    ///
    /// # Errors
    /// When the link is no port of a bridge.
    pub fn set_port_option(&self, port: u32, which: PortOption, on: bool) -> Result<()> {
        let mut request = Request::new(libc::RTM_SETLINK, REQUEST | ACK, &family_fixed(FAMILY, port, 0, 0));
        request.nest(libc::IFLA_PROTINFO, |info| {
            info.put(which as u16, &[u8::from(on)]);
        });
        self.change(&format!("setting {which:?} of bridge port {port}"), request)
    }

    /// Lets a bridge's port take frames of the VLAN `id`; `untagged`: those without a tag, in and out.
    ///
    /// # Errors
    /// When the link is no port of a bridge.
    pub fn add_port_vlan(&self, port: u32, id: u16, untagged: bool) -> Result<()> {
        let flags = if untagged { VLAN_PVID | VLAN_UNTAGGED } else { 0 };
        self.port_vlan(libc::RTM_SETLINK, &format!("adding VLAN {id} to bridge port {port}"), port, id, flags)
    }

    /// Takes the VLAN `id` from a bridge's port.
    ///
    /// # Errors
    /// When the link is no port of a bridge.
    pub fn delete_port_vlan(&self, port: u32, id: u16) -> Result<()> {
        self.port_vlan(libc::RTM_DELLINK, &format!("taking VLAN {id} from bridge port {port}"), port, id, 0)
    }

    fn port_vlan(&self, verb: u16, doing: &str, port: u32, id: u16, flags: u16) -> Result<()> {
        let mut request = Request::new(verb, REQUEST | ACK, &family_fixed(FAMILY, port, 0, 0));
        request.nest(AF_SPEC, |spec| {
            let mut info = [0; 4];
            info[..2].copy_from_slice(&flags.to_ne_bytes());
            info[2..].copy_from_slice(&id.to_ne_bytes());
            spec.put(VLAN_INFO, &info);
        });
        self.change(doing, request)
    }
}
