//! Keys of `nic` devices of type `physical`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::hardware_id::InterfaceName;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// A host interface, handed over.
    NIC_PHYSICAL {
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
        /// Host interface or bridge.
        PARENT: Text = "parent" { required: true, since: "network_vlan_physical" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
    }
}
