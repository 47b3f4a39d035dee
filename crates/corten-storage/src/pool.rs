//! A storage pool: a name, a driver, a configuration, and the directory its volumes appear in.

pub mod create;
pub mod image_cache;
pub mod mount;
pub mod mounted;
pub mod reading;
pub mod receive;
pub mod refill;
pub mod resources;
pub mod snapshot;
pub mod volume;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::mounts::Mounts;
use crate::registry;
use crate::volume::{Kind, Volume};

/// A storage pool. Clones share the count of users, so one pool is opened once and cloned from then on.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    driver: &'static dyn Driver,
    lxd_dir: PathBuf,
    directory: PathBuf,
    config: RwLock<BTreeMap<String, String>>,
    /// Users of each volume's content on the host, by the volume's path.
    contents: Mounts,
    /// Instances that run from a volume, by the volume's path.
    roots: Mounts,
    /// One at a time may make an image ready or mount it, by its path.
    images: Mounts,
    /// Held for reading while something begins to refer to a layer, for writing while it is decided that nobody does.
    references: RwLock<()>,
}

impl Pool {
    /// Describes a pool that exists; nothing is read or mounted.
    ///
    /// # Errors
    /// When there is no such driver.
    pub fn open(driver: &str, name: &str, lxd_dir: &Path, config: BTreeMap<String, String>) -> Result<Pool> {
        let shared = Shared {
            name: name.to_string(),
            driver: registry::find(driver)?,
            lxd_dir: lxd_dir.to_path_buf(),
            directory: lxd_dir.join("storage-pools").join(name),
            config: RwLock::new(config),
            contents: Mounts::default(),
            roots: Mounts::default(),
            images: Mounts::default(),
            references: RwLock::new(()),
        };
        Ok(Pool { shared: Arc::new(shared) })
    }

    /// The pool's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The driver's name.
    pub fn driver_name(&self) -> &'static str {
        self.driver().info().name
    }

    /// Where the pool's volumes appear: `LXD_DIR/storage-pools/NAME`.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// The configuration as it is now.
    pub fn config(&self) -> BTreeMap<String, String> {
        self.shared.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The value of one key; empty when it is not set.
    pub fn config_value(&self, key: &str) -> String {
        let config = self.shared.config.read().unwrap_or_else(PoisonError::into_inner);
        config.get(key).cloned().unwrap_or_default()
    }

    /// Takes a new configuration, whose keys and values the caller has validated.
    ///
    /// # Errors
    /// LXD's words when `source` changes.
    pub fn update(&self, config: BTreeMap<String, String>) -> Result<()> {
        if config.get("source").map_or("", String::as_str) != self.config_value("source") {
            return Err(Error::internal("Pool source cannot be changed when not in pending state"));
        }
        *self.shared.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Where a volume of this pool is on the host. What is in it may have to be mounted first: [`Pool::mount_volume`].
    pub fn path(&self, volume: &Volume) -> PathBuf {
        volume.path(&self.shared.directory)
    }

    /// Whether the volume or snapshot exists.
    pub fn has_volume(&self, volume: &Volume) -> bool {
        self.path(volume).is_dir()
    }

    /// Names of all volumes of one kind on disk, ordered; snapshots are not among them.
    ///
    /// # Errors
    /// What the kernel says when the pool cannot be read.
    pub fn volumes(&self, kind: Kind) -> Result<Vec<String>> {
        crate::generic::names::volumes(&self.shared.directory.join(kind.directory()))
    }

    pub(crate) fn driver(&self) -> &'static dyn Driver {
        self.shared.driver
    }

    pub(crate) fn lxd_dir(&self) -> &Path {
        &self.shared.lxd_dir
    }

    /// Users of volumes' content on the host.
    pub(crate) fn contents(&self) -> &Mounts {
        &self.shared.contents
    }

    /// Instances that run from volumes.
    pub(crate) fn roots(&self) -> &Mounts {
        &self.shared.roots
    }

    /// Turns at making images ready.
    pub(crate) fn images(&self) -> &Mounts {
        &self.shared.images
    }

    /// Nothing that may be referred to goes while this is held.
    pub(crate) fn hold_layers(&self) -> RwLockReadGuard<'_, ()> {
        self.shared.references.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody begins to refer to anything while this is held.
    pub(crate) fn freeze_references(&self) -> RwLockWriteGuard<'_, ()> {
        self.shared.references.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_config(&self, key: &str, value: String) {
        let mut config = self.shared.config.write().unwrap_or_else(PoisonError::into_inner);
        config.insert(key.to_string(), value);
    }

    /// Refuses to change a volume that is mounted or run from.
    pub(crate) fn must_be_idle(&self, volume: &Volume) -> Result<()> {
        let path = self.path(volume);
        if self.contents().users(&path) > 0 || self.roots().users(&path) > 0 {
            return Err(Error::busy(format!("Storage volume \"{}\" is in use", volume.name)));
        }
        Ok(())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Pool({} {} at {})", self.driver_name(), self.name(), self.directory().display())
    }
}
