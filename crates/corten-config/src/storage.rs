//! Keys of storage pools and volumes by driver, and rules that bind several of them.

pub mod btrfs;
pub mod ceph;
pub mod cephfs;
pub mod lvm;
pub mod overlay;
pub mod pool;
pub mod volume;
pub mod zfs;

use corten_api::error::{Error, Result};

use crate::entity::Table;
use crate::key::Config;
use crate::value::boolean::is_false;
use crate::value::go_text::quoted;

/// What must be known of a volume to say which keys it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume<'a> {
    /// Its pool's driver.
    pub driver: &'a str,
    /// `container`, `virtual-machine`, `image` or `custom`.
    pub kind: &'a str,
    /// `filesystem` or `block`.
    pub content: &'a str,
    /// The name shown in messages.
    pub name: &'a str,
}

impl Volume<'_> {
    /// Whether it has this key of its driver's tables.
    pub(crate) fn has(&self, key: &str) -> bool {
        let filesystem = self.content == "filesystem";
        match key {
            "security.shifted" | "security.unmapped" => self.kind == "custom" && filesystem,
            "volatile.idmap.last" | "volatile.idmap.next" => filesystem,
            "volatile.rootfs.size" => self.kind == "image",
            _ => true,
        }
    }
}

/// Names of all drivers that have tables.
pub const DRIVERS: [&str; 7] = ["btrfs", "ceph", "cephfs", "dir", "lvm", "overlay", "zfs"];

/// The tables of a driver's pools: its own, then what all have.
pub fn pool_tables(driver: &str) -> Vec<Table> {
    let own = match driver {
        "btrfs" => Some(btrfs::BTRFS_POOL),
        "ceph" => Some(ceph::CEPH_POOL),
        "cephfs" => Some(cephfs::CEPHFS_POOL),
        "lvm" => Some(lvm::LVM_POOL),
        "overlay" => Some(overlay::OVERLAY_POOL),
        "zfs" => Some(zfs::ZFS_POOL),
        _ => None,
    };
    own.into_iter().chain([pool::POOL]).collect()
}

/// The tables of a driver's volumes that a pool may have as defaults, with `volume.` before the name.
pub fn volume_default_tables(driver: &str) -> Vec<Table> {
    let own = match driver {
        "ceph" => Some(ceph::CEPH_VOLUME),
        "lvm" => Some(lvm::LVM_VOLUME),
        "zfs" => Some(zfs::ZFS_VOLUME),
        _ => None,
    };
    own.into_iter().chain([volume::VOLUME]).collect()
}

/// The tables of a driver's volumes.
pub fn volume_tables(driver: &str) -> Vec<Table> {
    volume_default_tables(driver).into_iter().chain([volume::VOLUME_STATE]).collect()
}

/// Rules that bind several keys of a pool.
pub(crate) fn check_pool(driver: &str, config: &Config) -> Result<()> {
    let get = |key: &str| config.get(key).map_or("", String::as_str);
    if driver != "lvm" || !is_false(get("lvm.use_thinpool")) {
        return Ok(());
    }
    match ["lvm.thinpool_name", "lvm.thinpool_metadata_size"].into_iter().find(|key| !get(key).is_empty()) {
        Some(key) => Err(Error::invalid(format!("The key lvm.use_thinpool cannot be set to false when {key} is set"))),
        None => Ok(()),
    }
}

/// Only users' own volumes have a size; that of an instance is its root disk's.
pub(crate) fn check_volume(volume: &Volume<'_>, config: &Config) -> Result<()> {
    match volume.kind != "custom" && config.get("size").is_some_and(|size| !size.is_empty()) {
        true => Err(Error::invalid(format!("Volume {} property is not valid for volume type", quoted("size")))),
        false => Ok(()),
    }
}

/// The keys of a new volume: its own, then those that its pool gives all volumes and that it may have.
pub fn with_pool_defaults(volume: &Volume<'_>, config: &Config, pool: &Config) -> Config {
    let mut filled = config.clone();
    for (name, value) in pool {
        let Some(key) = name.strip_prefix("volume.") else { continue };
        let declared =
            volume_default_tables(volume.driver).into_iter().flatten().any(|known| known.facts().name == key);
        let sized = key != "size" || volume.kind == "custom";
        if declared && sized && volume.has(key) && filled.get(key).is_none_or(String::is_empty) {
            filled.insert(key.to_owned(), value.clone());
        }
    }
    filled
}
