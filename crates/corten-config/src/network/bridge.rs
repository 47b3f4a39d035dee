//! Keys of networks of type `bridge`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::{OneOf, WordOr};
use crate::value::hardware_id::{InterfaceName, InterfaceNames};
use crate::value::ip::{Address, V4, V6};
use crate::value::ip_range::{RangeV4, RangeV6};
use crate::value::list::ListOf;
use crate::value::mac::MacAddress;
use crate::value::number::{Byte, InRange, Integer};
use crate::value::subnet::{HostV4, HostV6, NetworkV4, NetworkV6};
use crate::value::text::{Blob, Text};
use crate::value::vlan::{Mtu, TunnelPort};

keys! {
    /// A managed bridge.
    BRIDGE {
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
        /// Next hop announced.
        BGP_IPV4_NEXTHOP: V4 = "bgp.ipv4.nexthop" {
            default_text: "local address", condition: "BGP server", since: "network_bgp",
        };
        /// Next hop announced.
        BGP_IPV6_NEXTHOP: V6 = "bgp.ipv6.nexthop" {
            default_text: "local address", condition: "BGP server", since: "network_bgp",
        };
        /// Kernel bridge or Open vSwitch.
        BRIDGE_DRIVER: OneOf = "bridge.driver" of (OneOf(&["native", "openvswitch"])) { default: "native" };
        /// Host interfaces enslaved (must be unconfigured).
        BRIDGE_EXTERNAL_INTERFACES: InterfaceNames = "bridge.external_interfaces";
        /// MAC of the bridge.
        BRIDGE_HWADDR: MacAddress = "bridge.hwaddr" { since: "network_hwaddr" };
        /// Standard or Ubuntu Fan.
        BRIDGE_MODE: OneOf = "bridge.mode" of (OneOf(&["standard", "fan"])) { default: "standard" };
        /// MTU.
        BRIDGE_MTU: Mtu = "bridge.mtu" { default: "1500" };
        /// Domain in DHCP and DNS.
        DNS_DOMAIN: Text = "dns.domain" { default: "lxd" };
        /// Records from LXD, from clients, or none.
        DNS_MODE: OneOf = "dns.mode" of (OneOf(&["dynamic", "managed", "none"])) { default: "managed" };
        /// Search list.
        DNS_SEARCH: Text = "dns.search" { since: "network_dns_search" };
        /// Zone that gets A/AAAA.
        DNS_ZONE_FORWARD: Text = "dns.zone.forward" { default_text: "managed", since: "network_dns" };
        /// Zone that gets IPv4 PTR.
        DNS_ZONE_REVERSE_IPV4: Text = "dns.zone.reverse.ipv4" { default_text: "managed", since: "network_dns" };
        /// Zone that gets IPv6 PTR.
        DNS_ZONE_REVERSE_IPV6: Text = "dns.zone.reverse.ipv6" { default_text: "managed", since: "network_dns" };
        /// Fan overlay.
        FAN_OVERLAY_SUBNET: NetworkV4 = "fan.overlay_subnet" { default: "240.0.0.0/8", condition: "fan mode" };
        /// Fan tunnel.
        FAN_TYPE: OneOf = "fan.type" of (OneOf(&["vxlan", "ipip"])) { default: "vxlan", condition: "fan mode" };
        /// Fan underlay.
        FAN_UNDERLAY_SUBNET: WordOr<NetworkV4> = "fan.underlay_subnet" of (WordOr(&["auto"], NetworkV4)) {
            default_text: "auto (on create only)", condition: "fan mode",
        };
        /// Bridge address, CIDR; `auto` picks a free one, `none` off.
        IPV4_ADDRESS: WordOr<HostV4> = "ipv4.address" of (WordOr(&["none", "auto"], HostV4)) {
            default_text: "auto (on create only)", condition: "standard mode", since: "network",
        };
        /// DHCP server.
        IPV4_DHCP: Bool = "ipv4.dhcp" { default: "true", condition: "IPv4 address", since: "network_ovn_dhcp" };
        /// Lease time.
        IPV4_DHCP_EXPIRY: Text = "ipv4.dhcp.expiry" {
            default: "1h", condition: "IPv4 DHCP", since: "network_dhcp_expiry",
        };
        /// Router option.
        IPV4_DHCP_GATEWAY: V4 = "ipv4.dhcp.gateway" {
            default_text: "IPv4 address", condition: "IPv4 DHCP", since: "network_dhcp_gateway",
        };
        /// Address ranges FIRST-LAST.
        IPV4_DHCP_RANGES: ListOf<RangeV4> = "ipv4.dhcp.ranges" of (ListOf(RangeV4)) {
            default_text: "all addresses", condition: "IPv4 DHCP",
        };
        /// Add filter rules.
        IPV4_FIREWALL: Bool = "ipv4.firewall" {
            default: "true", condition: "IPv4 address", since: "network_firewall_filtering",
        };
        /// Masquerade outgoing.
        IPV4_NAT: Bool = "ipv4.nat" {
            default: "false", condition: "IPv4 address", since: "network_firewall_filtering",
        };
        /// SNAT to this instead.
        IPV4_NAT_ADDRESS: V4 = "ipv4.nat.address" { condition: "IPv4 address", since: "network_nat_address" };
        /// Before or after other rules.
        IPV4_NAT_ORDER: OneOf = "ipv4.nat.order" of (OneOf(&["before", "after"])) {
            default: "before", condition: "IPv4 address", since: "network_nat_order",
        };
        /// Addresses lent to OVN routers.
        IPV4_OVN_RANGES: ListOf<RangeV4> = "ipv4.ovn.ranges" of (ListOf(RangeV4));
        /// Further subnets behind the bridge.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) {
            condition: "IPv4 address", since: "network_routes",
        };
        /// Forward to and from the bridge.
        IPV4_ROUTING: Bool = "ipv4.routing" { default: "true", condition: "IPv4 address" };
        /// Bridge address, CIDR; `auto`, `none`.
        IPV6_ADDRESS: WordOr<HostV6> = "ipv6.address" of (WordOr(&["none", "auto"], HostV6)) {
            default_text: "auto (on create only)", condition: "standard mode", since: "network",
        };
        /// DHCPv6 (stateless unless stateful).
        IPV6_DHCP: Bool = "ipv6.dhcp" { default: "true", condition: "IPv6 address", since: "network_ovn_dhcp" };
        /// Lease time.
        IPV6_DHCP_EXPIRY: Text = "ipv6.dhcp.expiry" {
            default: "1h", condition: "IPv6 DHCP", since: "network_dhcp_expiry",
        };
        /// Address ranges.
        IPV6_DHCP_RANGES: ListOf<RangeV6> = "ipv6.dhcp.ranges" of (ListOf(RangeV6)) {
            default_text: "all addresses", condition: "IPv6 stateful DHCP",
        };
        /// Hand out addresses.
        IPV6_DHCP_STATEFUL: Bool = "ipv6.dhcp.stateful" { default: "false", condition: "IPv6 DHCP" };
        /// Add filter rules.
        IPV6_FIREWALL: Bool = "ipv6.firewall" {
            default: "true", condition: "IPv6 address", since: "network_firewall_filtering",
        };
        /// Masquerade outgoing.
        IPV6_NAT: Bool = "ipv6.nat" {
            default: "false", condition: "IPv6 address", since: "network_firewall_filtering",
        };
        /// SNAT to this instead.
        IPV6_NAT_ADDRESS: V6 = "ipv6.nat.address" { condition: "IPv6 address", since: "network_nat_address" };
        /// Before or after other rules.
        IPV6_NAT_ORDER: OneOf = "ipv6.nat.order" of (OneOf(&["before", "after"])) {
            default: "before", condition: "IPv6 address", since: "network_nat_order",
        };
        /// Addresses lent to OVN routers.
        IPV6_OVN_RANGES: ListOf<RangeV6> = "ipv6.ovn.ranges" of (ListOf(RangeV6));
        /// Further subnets behind the bridge.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) {
            condition: "IPv6 address", since: "network_routes",
        };
        /// Forward to and from the bridge.
        IPV6_ROUTING: Bool = "ipv6.routing" { default: "true", condition: "IPv6 address" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV4: Text = "maas.subnet.ipv4" { condition: "IPv4 address" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV6: Text = "maas.subnet.ipv6" { condition: "IPv6 address" };
        /// Lines added to the dnsmasq configuration.
        RAW_DNSMASQ: Blob = "raw.dnsmasq";
        /// ACLs applied, comma list.
        SECURITY_ACLS: Text = "security.acls" { since: "network_ovn_acl" };
        /// Fate of unmatched outgoing traffic.
        SECURITY_ACLS_DEFAULT_EGRESS_ACTION: OneOf = "security.acls.default.egress.action"
            of (OneOf(&["allow", "drop", "reject"])) {
            default: "reject", condition: "security.acls",
        };
        /// Log it.
        SECURITY_ACLS_DEFAULT_EGRESS_LOGGED: Bool = "security.acls.default.egress.logged" {
            default: "false", condition: "security.acls",
        };
        /// Fate of unmatched incoming traffic.
        SECURITY_ACLS_DEFAULT_INGRESS_ACTION: OneOf = "security.acls.default.ingress.action"
            of (OneOf(&["allow", "drop", "reject"])) {
            default: "reject", condition: "security.acls",
        };
        /// Log it.
        SECURITY_ACLS_DEFAULT_INGRESS_LOGGED: Bool = "security.acls.default.ingress.logged" {
            default: "false", condition: "security.acls",
        };
        /// Multicast group.
        TUNNEL_ANY_GROUP: Address = "tunnel.<name>.group" { default: "239.0.0.1", condition: "vxlan" };
        /// VNI.
        TUNNEL_ANY_ID: Integer = "tunnel.<name>.id" { default: "0", condition: "vxlan" };
        /// Interface it leaves by.
        TUNNEL_ANY_INTERFACE: InterfaceName = "tunnel.<name>.interface" {
            condition: "vxlan", since: "network_vxlan_interface",
        };
        /// Local end.
        TUNNEL_ANY_LOCAL: Address = "tunnel.<name>.local" { condition: "gre or vxlan" };
        /// UDP port.
        TUNNEL_ANY_PORT: TunnelPort = "tunnel.<name>.port" { default_text: "0", condition: "vxlan" };
        /// Gre or vxlan.
        TUNNEL_ANY_PROTOCOL: OneOf = "tunnel.<name>.protocol" of (OneOf(&["gre", "vxlan"])) {
            condition: "standard mode",
        };
        /// Far end.
        TUNNEL_ANY_REMOTE: Address = "tunnel.<name>.remote" { condition: "gre or vxlan" };
        /// Multicast TTL.
        TUNNEL_ANY_TTL: Byte = "tunnel.<name>.ttl" { default: "1", condition: "vxlan", since: "network_vxlan_ttl" };
        /// Free text.
        USER_ANY: Text = "user.*";
    }
}
