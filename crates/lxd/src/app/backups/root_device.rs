//! Which root disk an instance gets that comes with a volume on a given pool: a pure decision.

use corten_instance::instance::{Config, Devices, root_disk};

/// The instance's own devices with a root disk on `pool`. `own` and `expanded` are those that it came with, `profiles`
/// what its profiles give here. Where these give the same root disk on this pool, it needs none of its own.
pub fn with_root_disk(own: &Devices, expanded: &Devices, profiles: &Devices, pool: &str) -> Devices {
    let mut devices = own.clone();
    if let Some((name, _)) = root_disk(own) {
        if let Some(device) = devices.get_mut(name) {
            device.insert("pool".to_string(), pool.to_string());
        }
        return devices;
    }
    let old = root_disk(expanded).map(|(_, device)| device);
    let mut all = profiles.clone();
    all.extend(own.clone());
    if let Some((_, given)) = root_disk(&all)
        && given.get("pool").is_some_and(|given| given == pool)
        && old.is_none_or(|old| without_pool(old) == without_pool(given))
    {
        return devices;
    }
    let words = [("type", "disk"), ("path", "/"), ("pool", pool)];
    let mut device: Config = old.cloned().unwrap_or_default();
    device.extend(words.map(|(key, value)| (key.to_string(), value.to_string())));
    let numbered = (0..100).map(|number| format!("root{number}"));
    let free = std::iter::once("root".to_string()).chain(numbered).find(|name| !devices.contains_key(name));
    devices.insert(free.unwrap_or_else(|| "root".to_string()), device);
    devices
}

fn without_pool(device: &Config) -> Config {
    device.iter().filter(|(key, _)| *key != "pool").map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(pool: &str, more: &[(&str, &str)]) -> Config {
        let words = [("type", "disk"), ("path", "/"), ("pool", pool)];
        words.iter().chain(more).map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
    }

    fn named(name: &str, device: Config) -> Devices {
        Devices::from([(name.to_string(), device)])
    }

    #[test]
    fn the_root_disk_is_on_the_pool_where_the_volume_is() {
        let none = Devices::new();
        // Its own one moves.
        let own = named("r", disk("old", &[("size", "1GiB")]));
        let moved = with_root_disk(&own, &own, &none, "new");
        assert_eq!(moved, named("r", disk("new", &[("size", "1GiB")])));
        // One of a profile is enough when it says the same.
        let profile = named("root", disk("new", &[]));
        let before = named("root", disk("old", &[]));
        assert_eq!(with_root_disk(&none, &before, &profile, "new"), none);
        // Another size, another pool, or no profile: one of its own, with what it had.
        let large = named("root", disk("old", &[("size", "1GiB")]));
        let wanted = named("root", disk("new", &[("size", "1GiB")]));
        assert_eq!(with_root_disk(&none, &large, &profile, "new"), wanted);
        assert_eq!(with_root_disk(&none, &large, &none, "new"), wanted);
        assert_eq!(with_root_disk(&none, &before, &named("root", disk("other", &[])), "new"), profile);
        // A device of that name that is none.
        let nic = named("root", Config::from([("type".to_string(), "nic".to_string())]));
        let both = with_root_disk(&nic, &before, &none, "new");
        assert_eq!(both["root0"], disk("new", &[]));
        assert_eq!(both["root"], nic["root"]);
    }
}
