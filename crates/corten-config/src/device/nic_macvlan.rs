//! Keys of `nic` devices of type `macvlan`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::hardware_id::InterfaceName;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// An interface with its own MAC on a host interface.
    NIC_MACVLAN {
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// Announce the VLAN by GVRP.
        GVRP: Bool = "gvrp" { default: "false", since: "network_gvrp" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
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
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
    }
}
