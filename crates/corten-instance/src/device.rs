//! Devices: what each adds to a container, checked before anything is changed, started with the way back.

pub mod diff;
pub mod disk;
pub mod nic;
pub mod proxy;
pub mod registry;
pub mod unix;

use std::path::PathBuf;
use std::sync::Arc;

use corten_api::error::Result;
use corten_host::undo::Undo;
use corten_network::network::Network;
use corten_network::port::Port;
use corten_runtime::proxy::ProxySpec;
use corten_runtime::spec::{DeviceNode, DeviceRule, Link, Mount};

use crate::instance::{Config, Instance};

/// What a started device adds to a container; plain data, which the spec is built from, and which hot plug sends to
/// the running container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// Mounts, in order.
    pub mounts: Vec<Mount>,
    /// Device nodes.
    pub nodes: Vec<DeviceNode>,
    /// Which devices may be used, in privileged containers.
    pub device_rules: Vec<DeviceRule>,
    /// Network interfaces to move inside.
    pub links: Vec<Link>,
    /// Volatile keys to remember, without `volatile.DEVICE.`; an empty value forgets the key.
    pub volatile: Config,
    /// The port behind the links, which hot plug moves itself.
    pub port: Option<Port>,
    /// The proxy to run once the container runs.
    pub proxy: Option<ProxySpec>,
    /// The NIC whose bridge must send back what came from it, so that the instance reaches itself by another address.
    pub hairpin: Option<String>,
}

/// A device of one instance, as its code sees it.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The instance.
    pub instance: &'a Instance,
    /// The device's name.
    pub name: &'a str,
    /// Its options.
    pub options: &'a Config,
    /// Where the host offers what devices need.
    pub host: &'a dyn Host,
}

impl Call<'_> {
    /// An option; empty when unset.
    pub fn get(&self, option: &str) -> &str {
        self.options.get(option).map_or("", String::as_str)
    }

    /// The value of `volatile.DEVICE.KEY`; empty when unset.
    pub fn volatile(&self, key: &str) -> &str {
        self.instance.volatile(&format!("volatile.{}.{key}", self.name))
    }
}

/// A custom volume that an instance may use now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSource {
    /// The directory with its files.
    pub path: PathBuf,
    /// Whether the ids in it are to be mapped as the container's.
    pub idmapped: bool,
}

/// What devices ask of the daemon: things that other crates hold, handed in so that this crate knows neither database
/// nor requests.
pub trait Host: Send + Sync {
    /// Makes a custom volume ready for the instance; the way back goes to `undo`.
    ///
    /// # Errors
    /// When there is no such pool or volume, it cannot be had, or its files belong to an instance with other ids.
    fn attach_volume(&self, instance: &Instance, pool: &str, volume: &str, undo: &mut Undo) -> Result<VolumeSource>;

    /// Lets go of a custom volume.
    ///
    /// # Errors
    /// When it cannot be unmounted.
    fn detach_volume(&self, instance: &Instance, pool: &str, volume: &str) -> Result<()>;

    /// The directory for what the host keeps of the instance's devices; it need not be there.
    fn devices_dir(&self, instance: &Instance) -> PathBuf;

    /// The directory of the instance's logs.
    fn log_dir(&self, instance: &Instance) -> PathBuf;

    /// The folder that the source of a disk must not lead out of; `None` where the project restricts nothing.
    ///
    /// # Errors
    /// When the source is in no folder that the project may use.
    fn source_folder(&self, instance: &Instance, source: &str) -> Result<Option<PathBuf>>;

    /// The managed network that a NIC's `network` names, or that its `parent` happens to be.
    ///
    /// # Errors
    /// When it names one that is not there.
    fn network(&self, instance: &Instance, options: &Config) -> Result<Option<Arc<dyn Network>>>;

    /// Whether a NIC may be on its network beside those that are there.
    ///
    /// # Errors
    /// When another one has its address or name.
    fn check_neighbours(&self, instance: &Instance, device: &str, options: &Config) -> Result<()>;
}

/// One type of device.
pub trait Device: Sync {
    /// Whether the device makes sense on this host at all, asked when it is added, whether the instance runs or not.
    ///
    /// # Errors
    /// What is missing, in LXD's words.
    fn validate(&self, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }

    /// Whether the device could be started now. Without effects; all devices are asked before any is started.
    ///
    /// # Errors
    /// What is missing, in LXD's words.
    fn check(&self, call: &Call<'_>) -> Result<()>;

    /// Starts it. What was changed on the host is in `undo` when this fails, and after.
    ///
    /// # Errors
    /// What could not be done.
    fn start(&self, call: &Call<'_>, undo: &mut Undo) -> Result<Attachment>;

    /// Takes away what `start` made on the host. The container may be gone already.
    ///
    /// # Errors
    /// What could not be undone.
    fn stop(&self, call: &Call<'_>) -> Result<()>;

    /// Whether these options can change while the device is in use, without taking it out.
    fn live_options(&self, _options: &Config) -> &'static [&'static str] {
        &[]
    }

    /// Brings changed live options into effect on a running instance.
    ///
    /// # Errors
    /// What could not be changed.
    fn update(&self, _call: &Call<'_>, _old: &Config) -> Result<()> {
        Ok(())
    }
}

/// The order in which devices start: disks by the depth and text of their path, so that mounts nest; then the rest by
/// name.
pub fn start_order(devices: &crate::instance::Devices) -> Vec<(&str, &Config)> {
    let mut order: Vec<(&str, &Config)> = devices.iter().map(|(name, options)| (name.as_str(), options)).collect();
    let key = |name: &str, options: &Config| {
        let path = options.get("path").filter(|_| options.get("type").is_some_and(|kind| kind == "disk"));
        (path.is_none(), path.cloned().unwrap_or_default(), name.to_string())
    };
    order.sort_by_key(|(name, options)| key(name, options));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Devices;

    #[test]
    fn disks_start_first_and_outer_ones_before_inner_ones() {
        let device = |kind: &str, path: &str| {
            Config::from([("type".to_string(), kind.to_string()), ("path".to_string(), path.to_string())])
        };
        let devices = Devices::from([
            ("a".to_string(), device("nic", "")),
            ("b".to_string(), device("disk", "/srv/inner")),
            ("c".to_string(), device("disk", "/srv")),
            ("d".to_string(), device("disk", "/")),
        ]);
        let names: Vec<&str> = start_order(&devices).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["d", "c", "b", "a"]);
    }
}
