//! Uses of a volume: its content on the host while somebody works on it, its root while an instance runs.

use std::path::{Path, PathBuf};

use super::Pool;
use crate::driver::{Root, View};
use crate::error::{Error, Result};
use crate::volume::Volume;

/// A volume whose files are reachable at [`Mounted::path`] until this is dropped or released.
#[derive(Debug)]
#[must_use]
pub struct Mounted {
    pool: Pool,
    volume: Volume,
    view: View,
    path: PathBuf,
}

impl Mounted {
    /// The volume's directory. An instance's has `rootfs/`, `metadata.yaml`, `templates/` and `backup.yaml`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends this use and unmounts when it was the last; what dropping does, with the failure told.
    ///
    /// # Errors
    /// Why the content cannot be unmounted.
    pub fn release(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.view, View::Files) == View::Files {
            return Ok(());
        }
        let unmount = || self.pool.driver().unmount(&self.pool, &self.volume);
        self.pool.contents().give_back(&self.path, unmount)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("releasing volume \"{}\" of pool \"{}\": {error}", self.volume.name, self.pool.name());
        }
    }
}

impl Pool {
    /// Makes a volume or snapshot reachable on the host. A snapshot's content is read-only.
    ///
    /// # Errors
    /// When there is no such volume; when the driver cannot show content that an instance is running from
    /// (the instance's own view, `/proc/PID/root`, is the only one then).
    pub fn mount_volume(&self, volume: &Volume, view: View) -> Result<Mounted> {
        let path = self.path(volume);
        if !path.is_dir() {
            return Err(Error::not_found("Storage volume not found"));
        }
        if view == View::Content {
            self.contents().take(&path, || self.driver().mount(self, volume))?;
        }
        Ok(Mounted { pool: self.clone(), volume: volume.clone(), view, path })
    }

    /// What the runtime makes an instance's root from. It stays usable, and the volume counts as run from, until
    /// [`Pool::release_root`]. A daemon that finds the instance running when it starts calls this as well.
    ///
    /// # Errors
    /// When there is no such volume, or it cannot be had now.
    pub fn root(&self, volume: &Volume) -> Result<Root> {
        let path = self.path(volume);
        if !path.is_dir() {
            return Err(Error::not_found("Storage volume not found"));
        }
        // Nobody may begin to look at the content on the host while an instance begins to run from it, and the other
        // way round; both ask for the content's turn first.
        self.contents().hold(&path, || {
            let root = self.driver().root(self, volume)?;
            self.roots().take(&path, || Ok(()))?;
            Ok(root)
        })
    }

    /// The directory of a custom volume for an instance that mounts it. It stays, and the volume counts as run from, until
    /// [`Pool::release_root`]. A daemon that finds the instance running when it starts calls this as well.
    ///
    /// # Errors
    /// When there is no such volume.
    pub fn lend(&self, volume: &Volume) -> Result<PathBuf> {
        let path = self.path(volume);
        if !path.is_dir() {
            return Err(Error::not_found("Storage volume not found"));
        }
        // Drivers keep custom volumes as plain directories, so that nothing has to be mounted.
        self.roots().take(&path, || Ok(()))?;
        Ok(path)
    }

    /// The instance that runs from this volume has stopped.
    pub fn release_root(&self, volume: &Volume) {
        // Ending a use needs no work here, so that it cannot fail.
        let _ = self.roots().give_back(&self.path(volume), || Ok(()));
    }

    /// Whether an instance runs from this volume.
    pub fn is_running(&self, volume: &Volume) -> bool {
        self.roots().users(&self.path(volume)) > 0
    }
}
