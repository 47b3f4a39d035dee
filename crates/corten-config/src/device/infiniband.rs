//! Keys of `infiniband` devices.

use crate::table::keys;
use crate::value::hardware_id::InterfaceName;
use crate::value::mac::InfinibandAddress;
use crate::value::text::Text;
use crate::value::vlan::Mtu;

keys! {
    /// An InfiniBand interface or virtual function.
    INFINIBAND {
        /// MAC.
        HWADDR: InfinibandAddress = "hwaddr" { default_text: "randomly assigned" };
        /// MTU.
        MTU: Mtu = "mtu" { default_text: "parent MTU" };
        /// Interface name inside.
        NAME: InterfaceName = "name" { default_text: "kernel assigned" };
        /// Host interface or bridge.
        PARENT: Text = "parent" { required: true, since: "network_vlan_physical" };
    }
}
