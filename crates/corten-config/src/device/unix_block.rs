//! Keys of `unix-block` devices.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::mode::{DeviceNumber, FileMode, UnixId};
use crate::value::path::DevicePath;
use crate::value::text::Text;

keys! {
    /// A block device node.
    UNIX_BLOCK {
        /// Group inside.
        GID: UnixId = "gid" { default: "0" };
        /// Device major.
        MAJOR: DeviceNumber = "major" { default_text: "device on host", since: "unix_device_rename" };
        /// Device minor.
        MINOR: DeviceNumber = "minor" { default_text: "device on host", since: "unix_device_rename" };
        /// Octal mode inside.
        MODE: FileMode = "mode" { default: "0660", since: "container_nic_ipvlan_mode" };
        /// Where it appears inside.
        PATH: Text = "path" { since: "unix_device_rename" };
        /// Refuse to start without it; else it comes and goes.
        REQUIRED: Bool = "required" { default: "true", since: "unix_device_hotplug" };
        /// Host node; source or path needed.
        SOURCE: DevicePath = "source" { since: "unix_device_rename" };
        /// Owner inside.
        UID: UnixId = "uid" { default: "0" };
    }
}
