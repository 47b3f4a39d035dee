//! Keys of `nic` devices on an OVN network.

use crate::key::Live;
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::OneOf;
use crate::value::hardware_id::InterfaceName;
use crate::value::ip::{V4, V6};
use crate::value::list::ListOf;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::subnet::{NetworkV4, NetworkV6};
use crate::value::text::Text;
use crate::value::vlan::Mtu;

keys! {
    /// A port of a virtual switch.
    NIC_OVN {
        /// `none` or `sriov`.
        ACCELERATION: OneOf = "acceleration" of (OneOf(&["none", "sriov"])) {
            default: "none", since: "ovn_nic_acceleration",
        };
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// Host-side interface name.
        HOST_NAME: Text = "host_name" { default_text: "randomly assigned" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// Static address.
        IPV4_ADDRESS: V4 = "ipv4.address" { since: "network" };
        /// Extra routes to it on the host.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) { since: "network_routes" };
        /// Routes also announced upstream (BGP/OVN).
        IPV4_ROUTES_EXTERNAL: ListOf<NetworkV4> = "ipv4.routes.external" of (ListOf(NetworkV4)) {
            since: "network_ovn_external_subnets",
        };
        /// Static address.
        IPV6_ADDRESS: V6 = "ipv6.address" { since: "network" };
        /// Extra routes to it on the host.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) { since: "network_routes" };
        /// Routes also announced upstream (BGP/OVN).
        IPV6_ROUTES_EXTERNAL: ListOf<NetworkV6> = "ipv6.routes.external" of (ListOf(NetworkV6)) {
            since: "network_ovn_external_subnets",
        };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Managed network; settles nictype and parent.
        NETWORK: Text = "network" { required: true, since: "network" };
        /// ACLs applied, comma list.
        SECURITY_ACLS: Text = "security.acls" { live: Live::Yes, since: "network_ovn_acl" };
        /// Fate of unmatched outgoing traffic.
        SECURITY_ACLS_DEFAULT_EGRESS_ACTION: OneOf = "security.acls.default.egress.action"
            of (OneOf(&["allow", "drop", "reject"])) {
            default: "reject",
        };
        /// Log it.
        SECURITY_ACLS_DEFAULT_EGRESS_LOGGED: Bool = "security.acls.default.egress.logged" { default: "false" };
        /// Fate of unmatched incoming traffic.
        SECURITY_ACLS_DEFAULT_INGRESS_ACTION: OneOf = "security.acls.default.ingress.action"
            of (OneOf(&["allow", "drop", "reject"])) {
            default: "reject",
        };
        /// Log it.
        SECURITY_ACLS_DEFAULT_INGRESS_LOGGED: Bool = "security.acls.default.ingress.logged" { default: "false" };
        /// Taken from the network.
        MTU: Mtu = "mtu";
    }
}
