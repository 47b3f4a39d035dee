//! What a container's processes may not do: capabilities, devices, and how much of `/proc` and `/sys` is writable.

use corten_runtime::spec::{DeviceRule, Kernel};

/// Capabilities that LXD takes from privileged containers; in a user namespace they mean nothing outside.
pub const DROPPED: [&str; 5] = ["sys_time", "sys_module", "sys_rawio", "mac_admin", "mac_override"];

/// Devices that a privileged container may use: LXD's list. Nodes may be made of any, and opened of these.
const OPEN_DEVICES: [&str; 13] = [
    "b *:* m",
    "c *:* m",
    "c 136:* rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 10:229 rwm",
    "c 10:200 rwm",
];

/// The device list of a privileged container, all closed but the common ones.
pub fn device_rules() -> Vec<DeviceRule> {
    let open = OPEN_DEVICES.iter().map(|rule| DeviceRule { allow: true, rule: (*rule).to_string() });
    std::iter::once(DeviceRule { allow: false, rule: "a".to_string() }).chain(open).collect()
}

/// How the kernel's own files look inside.
pub fn kernel(privileged: bool, nesting: bool, named_systemd_hierarchy: bool) -> Kernel {
    Kernel { proc_mixed: privileged, sys_mixed: privileged, nesting, named_systemd_hierarchy, ..Kernel::default() }
}
