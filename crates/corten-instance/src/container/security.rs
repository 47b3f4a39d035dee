//! What a container's processes may not do: capabilities, devices, and how much of `/proc` and `/sys` is writable.

use corten_host::cgroup::devices::DEFAULT_ALLOWED;
use corten_runtime::spec::{DeviceRule, Kernel};

/// Capabilities that LXD takes from privileged containers; in a user namespace they mean nothing outside.
pub const DROPPED: [&str; 5] = ["sys_time", "sys_module", "sys_rawio", "mac_admin", "mac_override"];

/// The device list of a privileged container, all closed but the common ones.
pub fn device_rules() -> Vec<DeviceRule> {
    let open = DEFAULT_ALLOWED.iter().map(|rule| DeviceRule { allow: true, rule: (*rule).to_string() });
    std::iter::once(DeviceRule { allow: false, rule: "a".to_string() }).chain(open).collect()
}

/// How the kernel's own files look inside.
pub fn kernel(privileged: bool, nesting: bool, named_systemd_hierarchy: bool) -> Kernel {
    Kernel { proc_mixed: privileged, sys_mixed: privileged, nesting, named_systemd_hierarchy, ..Kernel::default() }
}
