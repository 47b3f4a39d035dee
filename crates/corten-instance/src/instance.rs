//! One instance as the rest of this crate sees it: names, configuration and devices, own and expanded.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_api::url::DEFAULT_PROJECT;
pub use corten_config::value::boolean::{is_false, is_true};

/// Configuration keys and their values.
pub type Config = BTreeMap<String, String>;

/// Devices by name, each with its options.
pub type Devices = BTreeMap<String, Config>;

/// What is known of an instance before anything is asked of the kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    /// Row number in the database; ids of ranges and cgroups do not depend on it.
    pub id: i64,
    /// The project it lives in.
    pub project: String,
    /// Its name within the project.
    pub name: String,
    /// LXD's name of the architecture, such as `x86_64`.
    pub architecture: String,
    /// Whether it goes when it stops.
    pub ephemeral: bool,
    /// Whether it was stopped with its memory saved.
    pub stateful: bool,
    /// Free text.
    pub description: String,
    /// When it was made.
    pub created: Time,
    /// When it was last started; the zero time if never.
    pub last_used: Time,
    /// Its own configuration, volatile keys included.
    pub config: Config,
    /// Its own devices.
    pub devices: Devices,
    /// Profiles, in the order they apply.
    pub profiles: Vec<String>,
    /// Configuration of the profiles in order, then its own.
    pub expanded_config: Config,
    /// Devices of the profiles in order, then its own.
    pub expanded_devices: Devices,
}

impl Instance {
    /// The name that is unique on the host: `name` in the default project, else `project_name`, as LXD names
    /// volumes, logs and cgroups.
    pub fn host_name(&self) -> String {
        host_name(&self.project, &self.name)
    }

    /// A key of the expanded configuration; empty when unset.
    pub fn get(&self, key: &str) -> &str {
        self.expanded_config.get(key).map_or("", String::as_str)
    }

    /// Whether a boolean key of the expanded configuration is on.
    pub fn is_on(&self, key: &str) -> bool {
        is_true(self.get(key))
    }

    /// A key of its own configuration; empty when unset. Volatile keys are always its own.
    pub fn volatile(&self, key: &str) -> &str {
        self.config.get(key).map_or("", String::as_str)
    }

    /// Whether root inside is root outside.
    pub fn is_privileged(&self) -> bool {
        self.is_on("security.privileged")
    }

    /// The root disk among the expanded devices: its name and options.
    pub fn root_disk(&self) -> Option<(&str, &Config)> {
        root_disk(&self.expanded_devices)
    }

    /// The storage pool of the root disk.
    pub fn pool(&self) -> Option<&str> {
        self.root_disk().and_then(|(_, disk)| disk.get("pool")).map(String::as_str)
    }
}

/// The name of `name` of `project` that is unique on the host.
pub fn host_name(project: &str, name: &str) -> String {
    if project == DEFAULT_PROJECT { name.to_string() } else { format!("{project}_{name}") }
}

/// The disk that is mounted on `/` and has a pool: LXD's definition of a root disk.
pub fn root_disk(devices: &Devices) -> Option<(&str, &Config)> {
    root_disks(devices).next()
}

/// Whether a device is mounted on `/` and has a pool.
pub fn is_root_disk(device: &Config) -> bool {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    get("type") == "disk" && get("path") == "/" && get("source").is_empty() && !get("pool").is_empty()
}

fn root_disks(devices: &Devices) -> impl Iterator<Item = (&str, &Config)> {
    devices.iter().filter(|(_, device)| is_root_disk(device)).map(|(name, device)| (name.as_str(), device))
}

/// The one root disk that an instance must have.
///
/// # Errors
/// In LXD's words when there is none, or more than one.
pub fn only_root_disk(devices: &Devices) -> Result<(&str, &Config)> {
    let mut found = root_disks(devices);
    match (found.next(), found.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err(Error::invalid("No root device could be found")),
        (Some(_), Some(_)) => Err(Error::invalid("More than one root device found")),
    }
}
