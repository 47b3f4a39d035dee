//! The root disk that instances have from a profile: it stays while they rely on it.

use corten_db::table::profiles::Profile;
use corten_instance::instance::{Devices, Instance, root_disk};

/// The name and the pool of the root disk among these devices.
fn root(devices: &Devices) -> Option<(&str, &str)> {
    root_disk(devices).map(|(name, disk)| (name, disk.get("pool").map_or("", String::as_str)))
}

/// Whether one of `users` has its root disk from the profile `name`, whose devices are to become `new` and then have
/// another root disk or none. `all` are the profiles of the project, as they are before the change.
pub fn is_relied_on(name: &str, new: &Devices, users: &[Instance], all: &[Profile]) -> bool {
    let of = |name: &str| all.iter().find(|profile| profile.name == name);
    let Some((device, pool)) = of(name).and_then(|profile| root(&profile.devices)) else { return false };
    if root(new).is_some_and(|(_, after)| after == pool) {
        return false;
    }
    let gives = |profile: &&String| of(profile).is_some_and(|profile| profile.devices.contains_key(device));
    users.iter().any(|user| {
        let own = root(&user.devices).is_some();
        // The last profile that has the device is the one that counts.
        !own && user.profiles.iter().rev().find(gives).is_some_and(|giver| giver == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_instance::instance::Config;

    fn devices(device: &str, pool: &str) -> Devices {
        let disk = [("type", "disk"), ("path", "/"), ("pool", pool)];
        let disk: Config = disk.map(|(key, value)| (key.to_string(), value.to_string())).into();
        Devices::from([(device.to_string(), disk)])
    }

    fn user(profiles: &[&str], own: Devices) -> Instance {
        let profiles = profiles.iter().map(|name| (*name).to_string()).collect();
        Instance { profiles, devices: own, ..Instance::default() }
    }

    #[test]
    fn a_root_disk_stays_for_those_who_have_no_other() {
        let profile = |name: &str, devices| Profile { name: name.to_string(), devices, ..Profile::default() };
        let all = [profile("default", devices("root", "p")), profile("other", devices("root", "q"))];
        let none = Devices::new();
        for (users, new, relied) in [
            (vec![], none.clone(), false),
            (vec![user(&["default"], none.clone())], none.clone(), true),
            (vec![user(&["default"], none.clone())], devices("root", "q"), true),
            (vec![user(&["default"], none.clone())], devices("renamed", "p"), false),
            (vec![user(&["default"], devices("own", "p"))], none.clone(), false),
            (vec![user(&["default", "other"], none.clone())], none.clone(), false),
            (vec![user(&["other", "default"], none.clone())], none.clone(), true),
        ] {
            assert_eq!(is_relied_on("default", &new, &users, &all), relied, "{users:?} {new:?}");
        }
    }
}
