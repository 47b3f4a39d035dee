//! Keys of `nic` devices of type `routed`.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::Gateway;
use crate::value::hardware_id::InterfaceName;
use crate::value::ip::{V4, V6};
use crate::value::list::ListOf;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::rate::BitRate;
use crate::value::subnet::{NetworkV4, NetworkV6};
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// A virtual pair with routes on the host.
    NIC_ROUTED {
        /// Announce the VLAN by GVRP.
        GVRP: Bool = "gvrp" { default: "false", since: "network_gvrp" };
        /// Host-side interface name.
        HOST_NAME: Text = "host_name" { default_text: "randomly assigned" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// Static lease or fixed address.
        IPV4_ADDRESS: ListOf<V4> = "ipv4.address" of (ListOf(V4)) { since: "network" };
        /// Default route, or not.
        IPV4_GATEWAY: Gateway = "ipv4.gateway" { default: "auto", since: "container_nic_routed_gateway" };
        /// Address of the host end.
        IPV4_HOST_ADDRESS: V4 = "ipv4.host_address" {
            default: "169.254.0.1", since: "container_nic_routed_host_address",
        };
        /// Further routing table for its routes.
        IPV4_HOST_TABLE: Unsigned = "ipv4.host_table" { since: "container_nic_routed_host_table" };
        /// Refuse an address in use on the parent.
        IPV4_NEIGHBOR_PROBE: Bool = "ipv4.neighbor_probe" {
            default: "true", since: "instance_nic_routed_neighbor_probe",
        };
        /// Extra routes to it on the host.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) { since: "network_routes" };
        /// Static lease or fixed address.
        IPV6_ADDRESS: ListOf<V6> = "ipv6.address" of (ListOf(V6)) { since: "network" };
        /// Default route, or not.
        IPV6_GATEWAY: Gateway = "ipv6.gateway" { default: "auto", since: "container_nic_routed_gateway" };
        /// Address of the host end.
        IPV6_HOST_ADDRESS: V6 = "ipv6.host_address" {
            default: "fe80::1", since: "container_nic_routed_host_address",
        };
        /// Further routing table for its routes.
        IPV6_HOST_TABLE: Unsigned = "ipv6.host_table" { since: "container_nic_routed_host_table" };
        /// Refuse an address in use on the parent.
        IPV6_NEIGHBOR_PROBE: Bool = "ipv6.neighbor_probe" {
            default: "true", since: "instance_nic_routed_neighbor_probe",
        };
        /// Extra routes to it on the host.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) { since: "network_routes" };
        /// Bit/s out of the instance.
        LIMITS_EGRESS: BitRate = "limits.egress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Bit/s into the instance.
        LIMITS_INGRESS: BitRate = "limits.ingress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Cap for both directions.
        LIMITS_MAX: BitRate = "limits.max" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "parent MTU" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Host interface or bridge.
        PARENT: Text = "parent" { since: "network_vlan_physical" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
    }
}
