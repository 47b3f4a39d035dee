//! Keys of networks of type `ovn`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::{OneOf, WordOr};
use crate::value::ip::{V4, V6};
use crate::value::mac::MacAddress;
use crate::value::subnet::{HostV4, HostV6};
use crate::value::text::Text;
use crate::value::vlan::Mtu;

keys! {
    /// A virtual network of OVN.
    OVN {
        /// Uplink network.
        NETWORK: Text = "network" { since: "network" };
        /// MAC of the bridge.
        BRIDGE_HWADDR: MacAddress = "bridge.hwaddr" { since: "network_hwaddr" };
        /// MTU.
        BRIDGE_MTU: Mtu = "bridge.mtu" { default: "1442" };
        /// Domain in DHCP and DNS.
        DNS_DOMAIN: Text = "dns.domain" { default: "lxd" };
        /// Search list.
        DNS_SEARCH: Text = "dns.search" { since: "network_dns_search" };
        /// Zone that gets A/AAAA.
        DNS_ZONE_FORWARD: Text = "dns.zone.forward" { since: "network_dns" };
        /// Zone that gets IPv4 PTR.
        DNS_ZONE_REVERSE_IPV4: Text = "dns.zone.reverse.ipv4" { since: "network_dns" };
        /// Zone that gets IPv6 PTR.
        DNS_ZONE_REVERSE_IPV6: Text = "dns.zone.reverse.ipv6" { since: "network_dns" };
        /// Router address, CIDR; `auto`, `none`.
        IPV4_ADDRESS: WordOr<HostV4> = "ipv4.address" of (WordOr(&["none", "auto"], HostV4)) {
            default_text: "auto (on create only)", condition: "standard mode", since: "network",
        };
        /// DHCP server.
        IPV4_DHCP: Bool = "ipv4.dhcp" { default: "true", condition: "IPv4 address", since: "network_ovn_dhcp" };
        /// Masquerade outgoing.
        IPV4_NAT: Bool = "ipv4.nat" {
            default: "false", condition: "IPv4 address", since: "network_firewall_filtering",
        };
        /// SNAT to this instead.
        IPV4_NAT_ADDRESS: V4 = "ipv4.nat.address" { condition: "IPv4 address", since: "network_nat_address" };
        /// Router address, CIDR; `auto`, `none`.
        IPV6_ADDRESS: WordOr<HostV6> = "ipv6.address" of (WordOr(&["none", "auto"], HostV6)) {
            default_text: "auto (on create only)", condition: "standard mode", since: "network",
        };
        /// DHCPv6 (stateless unless stateful).
        IPV6_DHCP: Bool = "ipv6.dhcp" { default: "true", condition: "IPv6 address", since: "network_ovn_dhcp" };
        /// Hand out addresses.
        IPV6_DHCP_STATEFUL: Bool = "ipv6.dhcp.stateful" { default: "false", condition: "IPv6 DHCP" };
        /// Masquerade outgoing.
        IPV6_NAT: Bool = "ipv6.nat" {
            default: "false", condition: "IPv6 address", since: "network_firewall_filtering",
        };
        /// SNAT to this instead.
        IPV6_NAT_ADDRESS: V6 = "ipv6.nat.address" { condition: "IPv6 address", since: "network_nat_address" };
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
        /// Free text.
        USER_ANY: Text = "user.*";
        /// IPv4 address on the uplink network.
        VOLATILE_NETWORK_IPV4_ADDRESS: Text = "volatile.network.ipv4.address";
        /// IPv6 address on the uplink network.
        VOLATILE_NETWORK_IPV6_ADDRESS: Text = "volatile.network.ipv6.address";
    }
}
