//! `LXD_UNPRIVILEGED_ONLY` in the daemon's environment: no instance of it may have the host's root user inside.

use std::sync::OnceLock;

use corten_api::error::{Error, Result, chain};
use corten_host::idmap::raw;
use corten_instance::instance::Config;

const VARIABLE: &str = "LXD_UNPRIVILEGED_ONLY";

/// Keys of `raw.lxc` that could bring the host's root user in.
const RAW: [&str; 3] = ["lxc.idmap", "lxc.id_map", "lxc.include"];

/// Refuses keys of an instance or a profile that this daemon is not to take.
///
/// # Errors
/// 400 in LXD's words.
pub fn check(config: &Config) -> Result<()> {
    static ONLY: OnceLock<bool> = OnceLock::new();
    let only = ONLY.get_or_init(|| std::env::var(VARIABLE).is_ok_and(|value| crate::app::settings::is_true(&value)));
    if *only { refuse(config) } else { Ok(()) }
}

fn refuse(config: &Config) -> Result<()> {
    let get = |key: &str| config.get(key).map_or("", String::as_str);
    let lines = get("raw.lxc").lines().filter_map(|line| line.split_once('='));
    let keys = lines.map(|(key, _)| key.trim().to_lowercase()).find(|key| RAW.contains(&key.as_str()));
    if let Some(key) = keys {
        return Err(Error::invalid(format!(
            "{key} can't be set in raw.lxc as LXD was configured to only allow unprivileged containers"
        )));
    }
    let map = raw::parse(get("raw.idmap")).map_err(|error| Error::invalid(chain(&error)))?;
    if map.iter().any(|entry| entry.host == 0) {
        return Err(Error::invalid(
            "Cannot map root user into container as LXD was configured to only allow unprivileged containers",
        ));
    }
    if crate::app::settings::is_true(get("security.privileged")) {
        return Err(Error::invalid("LXD was configured to only allow unprivileged containers"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_to_root_is_taken() {
        for (key, value, refused) in [
            ("security.privileged", "true", true),
            ("security.privileged", "false", false),
            ("raw.idmap", "both 0 1000", true),
            ("raw.idmap", "both 1000 0", false),
            ("raw.lxc", "lxc.log.level = 1\n lxc.idmap=", true),
            ("raw.lxc", "LXC.include = /x", true),
            ("raw.lxc", "lxc.log.level = 1", false),
        ] {
            let config = Config::from([(key.to_string(), value.to_string())]);
            assert_eq!(refuse(&config).is_err(), refused, "{key}={value}");
        }
    }
}
