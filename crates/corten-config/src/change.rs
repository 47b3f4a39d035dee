//! What differs between two configurations, and what that asks of something that runs.

use std::collections::BTreeSet;

use crate::Devices;
use crate::device;
use crate::entity::{Entity, lookup};
use crate::key::{Aspect, Config, Live};

/// Names of the keys whose values differ; a key without value is a key that is not set.
pub fn keys(old: &Config, new: &Config) -> Vec<String> {
    let value = |config: &Config, key: &str| config.get(key).filter(|text| !text.is_empty()).cloned();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|key| value(old, key) != value(new, key)).cloned().collect()
}

/// What a change of keys asks of a running instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// What is to be applied again.
    pub aspects: BTreeSet<Aspect>,
    /// Keys that wait for the next start.
    pub at_next_start: Vec<String>,
}

/// Sorts changed keys of an instance by what they ask for.
pub fn effect(changed: &[String]) -> Effect {
    let mut effect = Effect::default();
    for name in changed {
        match lookup(Entity::Profile, name).map_or(Live::No, |key| key.facts().live) {
            Live::Yes => {}
            Live::Apply(aspect) => {
                effect.aspects.insert(aspect);
            }
            Live::No => effect.at_next_start.push(name.clone()),
        }
    }
    effect
}

/// Keys that may be changed on a running virtual machine; any other is refused there.
pub fn machine_takes_live(key: &str) -> bool {
    const EXACT: [&str; 6] = [
        "cluster.evacuate",
        "limits.memory",
        "security.agent.metrics",
        "security.secureboot",
        "security.devlxd",
        "limits.cpu",
    ];
    const PREFIXES: [&str; 7] = ["boot.", "cloud-init.", "environment.", "image.", "snapshots.", "user.", "volatile."];
    EXACT.contains(&key) || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// What has become of the devices of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceChanges {
    /// Devices to take out, as they were.
    pub removed: Devices,
    /// Devices to put in, as they are to be.
    pub added: Devices,
    /// Devices that stay in and change in place, as they are to be.
    pub updated: Devices,
    /// Names of all keys that differ, of whatever device.
    pub keys: BTreeSet<String>,
}

/// Compares the expanded devices of an instance. A device whose only changes are live ones stays in.
///
/// `subtype` says the subtype of a device, which for a `nic` on a managed network is the network's affair.
pub fn devices(old: &Devices, new: &Devices, subtype: impl Fn(&Config) -> String) -> DeviceChanges {
    let mut changes = DeviceChanges::default();
    let differs = |name: &String, device: &Config, other: &Devices| other.get(name) != Some(device);
    for (name, device) in new.iter().filter(|(name, device)| differs(name, device, old)) {
        let before = old.get(name).cloned().unwrap_or_default();
        let changed = keys(&before, device);
        let kind = |device: &Config| device.get("type").cloned().unwrap_or_default();
        let in_place = old.contains_key(name)
            && kind(&before) == kind(device)
            && changed.iter().all(|key| is_live(&kind(device), &subtype(device), key));
        changes.keys.extend(changed);
        match in_place {
            true => changes.updated.insert(name.clone(), device.clone()),
            false => changes.added.insert(name.clone(), device.clone()),
        };
    }
    let gone = old.iter().filter(|(name, device)| differs(name, device, new));
    let gone = gone.filter(|(name, _)| !changes.updated.contains_key(*name));
    changes.removed = gone.map(|(name, device)| (name.clone(), device.clone())).collect();
    changes
}

/// Whether a key of a device changes in place.
fn is_live(kind: &str, subtype: &str, key: &str) -> bool {
    let keys = device::table(kind, subtype).unwrap_or_default();
    keys.iter().any(|known| known.facts().name == key && known.facts().live != Live::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn keys_and_their_effect() {
        let old = map(&[("limits.cpu", "2"), ("user.a", "1"), ("raw.lxc", ""), ("security.nesting", "true")]);
        let new =
            map(&[("limits.cpu", "4"), ("user.a", "1"), ("limits.memory", "1GiB"), ("security.privileged", "true")]);
        let changed = keys(&old, &new);
        assert_eq!(changed, ["limits.cpu", "limits.memory", "security.nesting", "security.privileged"]);
        let effect = effect(&changed);
        assert_eq!(effect.aspects, BTreeSet::from([Aspect::AppArmor, Aspect::Cpu, Aspect::Memory]));
        assert_eq!(effect.at_next_start, ["security.privileged"]);
    }

    #[test]
    fn devices_change_in_place_or_go_out_and_in() {
        let nic = |more: &[(&str, &str)]| {
            let mut nic = map(&[("type", "nic"), ("nictype", "bridged"), ("parent", "br0")]);
            nic.extend(map(more));
            nic
        };
        let all =
            |list: &[(&str, Config)]| -> Devices { list.iter().map(|(n, d)| (n.to_string(), d.clone())).collect() };
        let old = all(&[("eth0", nic(&[])), ("eth1", nic(&[])), ("eth2", nic(&[])), ("eth3", nic(&[]))]);
        let new = all(&[
            ("eth0", nic(&[("limits.max", "1Mbit")])),
            ("eth1", nic(&[("mtu", "1400")])),
            ("eth3", nic(&[])),
            ("eth4", nic(&[])),
        ]);
        let changes = devices(&old, &new, |device| device::subtype(device).to_owned());
        assert_eq!(changes.updated.keys().collect::<Vec<_>>(), ["eth0"]);
        assert_eq!(changes.added.keys().collect::<Vec<_>>(), ["eth1", "eth4"]);
        assert_eq!(changes.removed.keys().collect::<Vec<_>>(), ["eth1", "eth2"]);
        assert!(changes.keys.contains("mtu") && changes.keys.contains("limits.max"));
    }
}
