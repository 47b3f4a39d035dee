//! Keys of `usb` devices.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::hardware_id::DeviceId;
use crate::value::mode::{FileMode, UnixId};

keys! {
    /// USB devices.
    USB {
        /// Group inside.
        GID: UnixId = "gid" { default: "0" };
        /// Octal mode inside.
        MODE: FileMode = "mode" { default: "0660", since: "container_nic_ipvlan_mode" };
        /// USB/PCI product, 4 hex digits.
        PRODUCTID: DeviceId = "productid";
        /// Refuse to start without it.
        REQUIRED: Bool = "required" { default: "false", since: "unix_device_hotplug" };
        /// Owner inside.
        UID: UnixId = "uid" { default: "0" };
        /// Vendor, 4 hex digits.
        VENDORID: DeviceId = "vendorid" { since: "usb_optional_vendorid" };
    }
}
