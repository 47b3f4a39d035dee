//! When cloud-init in an instance must take it for a new one: then it gets another instance-id.

use crate::instance::{Devices, Instance};

/// Keys that cloud-init reads.
const KEYS: [&str; 6] = [
    "cloud-init.vendor-data",
    "cloud-init.user-data",
    "cloud-init.network-config",
    "user.vendor-data",
    "user.user-data",
    "user.network-config",
];

/// Whether a change from `old` to `new` is one that cloud-init has to act on: its own keys, or names of interfaces.
pub fn needs_new_id(old: &Instance, new: &Instance) -> bool {
    KEYS.iter().any(|key| old.get(key) != new.get(key)) || names(&old.expanded_devices) != names(&new.expanded_devices)
}

/// What the interfaces are called, as far as that is decided.
fn names(devices: &Devices) -> std::collections::BTreeSet<&str> {
    let nics = devices.iter().filter(|(_, options)| options.get("type").is_some_and(|kind| kind == "nic"));
    nics.map(|(device, options)| {
        options.get("name").filter(|name| !name.is_empty()).map_or(device.as_str(), String::as_str)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;

    fn instance(keys: &[(&str, &str)], nic: &[(&str, &str)]) -> Instance {
        let map = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let mut options = map(nic);
        options.insert("type".into(), "nic".into());
        let expanded_devices = Devices::from([("eth0".to_string(), options)]);
        Instance { expanded_config: map(keys), expanded_devices, ..Instance::default() }
    }

    #[test]
    fn what_cloud_init_reads_changes_the_id_and_nothing_else_does() {
        let old = instance(&[("user.foo", "a")], &[]);
        for (new, wanted) in [
            (instance(&[("user.foo", "b")], &[]), false),
            (instance(&[("user.foo", "a")], &[("user.foo", "bar")]), false),
            (instance(&[("user.foo", "a")], &[("name", "eth0")]), false),
            (instance(&[("user.foo", "a")], &[("name", "foo")]), true),
            (instance(&[("cloud-init.user-data", "x")], &[]), true),
            (instance(&[("user.network-config", "x")], &[]), true),
        ] {
            assert_eq!(needs_new_id(&old, &new), wanted, "{new:?}");
        }
    }
}
