//! Keys of `nic` devices of type `ipvlan`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::IpvlanMode;
use crate::value::hardware_id::InterfaceName;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// An interface that shares the MAC of a host interface.
    NIC_IPVLAN {
        /// Announce the VLAN by GVRP.
        GVRP: Bool = "gvrp" { default: "false", since: "network_gvrp" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// Static lease or fixed address.
        IPV4_ADDRESS: Text = "ipv4.address" { since: "network" };
        /// Default route, or not.
        IPV4_GATEWAY: Text = "ipv4.gateway" {
            default_text: "auto (l3s), - (l2)", since: "container_nic_routed_gateway",
        };
        /// Further routing table for its routes.
        IPV4_HOST_TABLE: Unsigned = "ipv4.host_table" { since: "container_nic_routed_host_table" };
        /// Static lease or fixed address.
        IPV6_ADDRESS: Text = "ipv6.address" { since: "network" };
        /// Default route, or not.
        IPV6_GATEWAY: Text = "ipv6.gateway" {
            default_text: "auto (l3s), - (l2)", since: "container_nic_routed_gateway",
        };
        /// Further routing table for its routes.
        IPV6_HOST_TABLE: Unsigned = "ipv6.host_table" { since: "container_nic_routed_host_table" };
        /// `l3s` or `l2`.
        MODE: IpvlanMode = "mode" { default: "l3s", since: "container_nic_ipvlan_mode" };
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "parent MTU" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Host interface or bridge.
        PARENT: Text = "parent" { required: true, since: "network_vlan_physical" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
    }
}
