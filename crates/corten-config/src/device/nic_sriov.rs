//! Keys of `nic` devices of type `sriov`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::hardware_id::InterfaceName;
use crate::value::mac::MacAddress;
use crate::value::number::Unsigned;
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// A virtual function of a host interface.
    NIC_SRIOV {
        /// VM boot order, higher first.
        BOOT_PRIORITY: Unsigned = "boot.priority" { since: "vm_boot_priority" };
        /// MAC.
        HWADDR: MacAddress = "hwaddr" { default_text: "randomly assigned" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV4: Text = "maas.subnet.ipv4";
        /// MAAS subnet.
        MAAS_SUBNET_IPV6: Text = "maas.subnet.ipv6";
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "kernel assigned" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Managed network; settles nictype and parent.
        NETWORK: Text = "network" { since: "network" };
        /// Host interface or bridge.
        PARENT: Text = "parent" { since: "network_vlan_physical" };
        /// Only its own MAC leaves it.
        SECURITY_MAC_FILTERING: Bool = "security.mac_filtering" { default: "false", since: "network" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
    }
}
