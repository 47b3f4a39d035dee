//! Keys of `nic` devices of type `p2p`.

use crate::key::Live;
use crate::table::keys;
use crate::value::hardware_id::InterfaceName;
use crate::value::list::ListOf;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::rate::BitRate;
use crate::value::subnet::{NetworkV4, NetworkV6};
use crate::value::text::Text;
use crate::value::vlan::Mtu;

keys! {
    /// A virtual pair whose host end is left alone.
    NIC_P2P {
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// Host-side interface name.
        HOST_NAME: Text = "host_name" { default_text: "randomly assigned" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// Extra routes to it on the host.
        IPV4_ROUTES: ListOf<NetworkV4> = "ipv4.routes" of (ListOf(NetworkV4)) {
            live: Live::Yes, since: "network_routes",
        };
        /// Extra routes to it on the host.
        IPV6_ROUTES: ListOf<NetworkV6> = "ipv6.routes" of (ListOf(NetworkV6)) {
            live: Live::Yes, since: "network_routes",
        };
        /// Bit/s out of the instance.
        LIMITS_EGRESS: BitRate = "limits.egress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Bit/s into the instance.
        LIMITS_INGRESS: BitRate = "limits.ingress" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// Cap for both directions.
        LIMITS_MAX: BitRate = "limits.max" { live: Live::Yes, since: "container_nic_routed_limits" };
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "kernel assigned" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
    }
}
