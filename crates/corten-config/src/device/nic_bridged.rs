//! Keys of `nic` devices on a bridge.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::WordOr;
use crate::value::hardware_id::InterfaceName;
use crate::value::ip::{V4, V6};
use crate::value::list::ListOf;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::rate::BitRate;
use crate::value::subnet::{NetworkV4, NetworkV6};
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan, VlanList};

keys! {
    /// A virtual pair whose host end is on a bridge.
    NIC_BRIDGED {
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// Host-side interface name.
        HOST_NAME: Text = "host_name" { default_text: "randomly assigned" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// Static DHCP lease; `none` with filtering = no IPv4.
        IPV4_ADDRESS: WordOr<V4> = "ipv4.address" of (WordOr(&["none"], V4)) { live: Live::Yes, since: "network" };
        /// Extra routes to it on the host.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) {
            live: Live::Yes, since: "network_routes",
        };
        /// Routes also announced upstream (BGP/OVN).
        IPV4_ROUTES_EXTERNAL: ListOf<NetworkV4> = "ipv4.routes.external" of (ListOf(NetworkV4)) {
            live: Live::Yes, since: "network_ovn_external_subnets",
        };
        /// Static DHCPv6 lease; `none` with filtering = no IPv6.
        IPV6_ADDRESS: WordOr<V6> = "ipv6.address" of (WordOr(&["none"], V6)) { live: Live::Yes, since: "network" };
        /// Extra routes to it on the host.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) {
            live: Live::Yes, since: "network_routes",
        };
        /// Routes also announced upstream (BGP/OVN).
        IPV6_ROUTES_EXTERNAL: ListOf<NetworkV6> = "ipv6.routes.external" of (ListOf(NetworkV6)) {
            live: Live::Yes, since: "network_ovn_external_subnets",
        };
        /// Bit/s out of the instance.
        LIMITS_EGRESS: BitRate = "limits.egress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Bit/s into the instance.
        LIMITS_INGRESS: BitRate = "limits.ingress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Cap for both directions.
        LIMITS_MAX: BitRate = "limits.max" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV4: Text = "maas.subnet.ipv4";
        /// MAAS subnet.
        MAAS_SUBNET_IPV6: Text = "maas.subnet.ipv6";
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "parent MTU" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Managed network; settles nictype and parent.
        NETWORK: Text = "network" { since: "network" };
        /// Host interface or bridge.
        PARENT: Text = "parent" { since: "network_vlan_physical" };
        /// Only its own IPv4 leaves it (with MAC filter).
        SECURITY_IPV4_FILTERING: Bool = "security.ipv4_filtering" {
            default: "false", live: Live::Yes, since: "container_nic_ipfilter",
        };
        /// Only its own IPv6 leaves it (with MAC filter).
        SECURITY_IPV6_FILTERING: Bool = "security.ipv6_filtering" {
            default: "false", live: Live::Yes, since: "container_nic_ipfilter",
        };
        /// Only its own MAC leaves it.
        SECURITY_MAC_FILTERING: Bool = "security.mac_filtering" {
            default: "false", live: Live::Yes, since: "network",
        };
        /// No traffic to other isolated ports.
        SECURITY_PORT_ISOLATION: Bool = "security.port_isolation" {
            default: "false", since: "instance_nic_bridged_port_isolation",
        };
        /// Untagged VLAN id.
        VLAN: WordOr<Vlan> = "vlan" of (WordOr(&["none"], Vlan)) { since: "network_vlan" };
        /// Tagged VLANs, comma list of ids and ranges.
        VLAN_TAGGED: VlanList = "vlan.tagged" { since: "instance_nic_bridged_vlan" };
    }
}
