//! Keys of networks of type `physical`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::OneOf;
use crate::value::hardware_id::InterfaceName;
use crate::value::ip::Address;
use crate::value::ip_range::{RangeV4, RangeV6};
use crate::value::list::ListOf;
use crate::value::number::InRange;
use crate::value::subnet::{HostV4, HostV6, NetworkV4, NetworkV6};
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// A host interface as uplink.
    PHYSICAL {
        /// Announce the VLAN by GVRP.
        GVRP: Bool = "gvrp" { default: "false", since: "network_gvrp" };
        /// MTU.
        MTU: Mtu = "mtu";
        /// Host interface or bridge.
        PARENT: InterfaceName = "parent" { required: true, since: "network_vlan_physical" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
        /// Neighbour.
        BGP_PEERS_ANY_ADDRESS: Address = "bgp.peers.<name>.address" { condition: "BGP server" };
        /// Its AS.
        BGP_PEERS_ANY_ASN: InRange = "bgp.peers.<name>.asn" of (InRange(1, 4_294_967_294)) {
            condition: "BGP server",
        };
        /// Session password.
        BGP_PEERS_ANY_PASSWORD: Text = "bgp.peers.<name>.password" {
            default_text: "- (no password)", condition: "BGP server",
        };
        /// Name servers.
        DNS_NAMESERVERS: ListOf<Address> = "dns.nameservers" of (ListOf(Address)) { condition: "standard mode" };
        /// Gateway and subnet, CIDR.
        IPV4_GATEWAY: HostV4 = "ipv4.gateway" { condition: "standard mode", since: "container_nic_routed_gateway" };
        /// Addresses lent to OVN routers.
        IPV4_OVN_RANGES: ListOf<RangeV4> = "ipv4.ovn.ranges" of (ListOf(RangeV4));
        /// Subnets OVN children may use outside.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) {
            condition: "IPv4 address", since: "network_routes",
        };
        /// The same route may be used in several places.
        IPV4_ROUTES_ANYCAST: Bool = "ipv4.routes.anycast" {
            default: "false", condition: "IPv4 address", since: "network_physical_routes_anycast",
        };
        /// Gateway and subnet, CIDR.
        IPV6_GATEWAY: HostV6 = "ipv6.gateway" { condition: "standard mode", since: "container_nic_routed_gateway" };
        /// Addresses lent to OVN routers.
        IPV6_OVN_RANGES: ListOf<RangeV6> = "ipv6.ovn.ranges" of (ListOf(RangeV6));
        /// Subnets OVN children may use outside.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) {
            condition: "IPv6 address", since: "network_routes",
        };
        /// The same route may be used in several places.
        IPV6_ROUTES_ANYCAST: Bool = "ipv6.routes.anycast" {
            default: "false", condition: "IPv6 address", since: "network_physical_routes_anycast",
        };
        /// MAAS subnet.
        MAAS_SUBNET_IPV4: Text = "maas.subnet.ipv4" { condition: "IPv4 address" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV6: Text = "maas.subnet.ipv6" { condition: "IPv6 address" };
        /// How external addresses are reached: proxy ARP/NDP or routed.
        OVN_INGRESS_MODE: OneOf = "ovn.ingress_mode" of (OneOf(&["l2proxy", "routed"])) {
            default: "l2proxy", condition: "standard mode", since: "network_physical_ovn_ingress_mode",
        };
        /// Free text.
        USER_ANY: Text = "user.*";
        /// Whether we made the VLAN interface.
        VOLATILE_LAST_STATE_CREATED: Bool = "volatile.last_state.created";
    }
}
