//! Keys of networks of type `macvlan`.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::hardware_id::InterfaceName;
use crate::value::text::Text;
use crate::value::vlan::{Mtu, Vlan};

keys! {
    /// Defaults for `macvlan` interfaces.
    MACVLAN {
        /// Announce the VLAN by GVRP.
        GVRP: Bool = "gvrp" { default: "false", since: "network_gvrp" };
        /// MTU.
        MTU: Mtu = "mtu";
        /// Host interface or bridge.
        PARENT: InterfaceName = "parent" { required: true, since: "network_vlan_physical" };
        /// Untagged VLAN id.
        VLAN: Vlan = "vlan" { since: "network_vlan" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV4: Text = "maas.subnet.ipv4" { condition: "IPv4 address" };
        /// MAAS subnet.
        MAAS_SUBNET_IPV6: Text = "maas.subnet.ipv6" { condition: "IPv6 address" };
        /// Free text.
        USER_ANY: Text = "user.*";
    }
}
