//! Snapshots of volumes.

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use super::Pool;
use crate::error::{Error, Result};
use crate::generic::build::owned_as_now;
use crate::generic::names;
use crate::volume::Volume;

impl Pool {
    /// Names of a volume's snapshots on disk, ordered by name.
    ///
    /// # Errors
    /// What the kernel says when they cannot be listed.
    pub fn snapshots(&self, volume: &Volume) -> Result<Vec<String>> {
        names::volumes(&volume.snapshots_path(self.directory()))
    }

    /// Makes the snapshot `name` of a volume. A running instance is frozen by the caller where the driver
    /// [asks for it](Pool::freezes_for_snapshots).
    ///
    /// # Errors
    /// When the volume is not there or the snapshot is; what went wrong, with nothing left.
    pub fn snapshot_volume(&self, volume: &Volume, name: &str, watch: &Watch) -> Result<Undo> {
        names::check(name)?;
        let snapshot = volume.snapshot(name);
        if !self.has_volume(volume) {
            return Err(Error::not_found("Storage volume not found"));
        }
        if self.has_volume(&snapshot) {
            let path = self.path(&snapshot);
            return Err(Error::internal(format!("Volume path \"{}\" already exists", path.display())));
        }
        let owned = owned_as_now(self, volume)?;
        self.driver().snapshot(self, volume, &snapshot.owned_by(owned.owner), watch)
    }

    /// Whether a running instance must be frozen while its snapshot is made.
    pub fn freezes_for_snapshots(&self) -> bool {
        self.driver().info().freezes
    }

    /// Makes the volume, which nobody may be using, what the snapshot is. Other snapshots stay.
    ///
    /// # Errors
    /// LXD's words when there is no such snapshot; when the volume is in use; what went wrong, with the volume as
    /// it was.
    pub fn restore_volume(&self, volume: &Volume, name: &str, watch: &Watch) -> Result<()> {
        let snapshot = volume.snapshot(name);
        if !self.has_volume(&snapshot) {
            return Err(Error::not_found("Snapshot not found"));
        }
        self.must_be_idle(volume)?;
        self.driver().restore(self, volume, &snapshot, watch)
    }

    /// Removes a snapshot; one that is not there is no failure.
    ///
    /// # Errors
    /// When it is in use; what could not be removed.
    pub fn delete_snapshot(&self, volume: &Volume, name: &str) -> Result<()> {
        self.delete_volume(&volume.snapshot(name))
    }

    /// Renames a snapshot.
    ///
    /// # Errors
    /// As [`Pool::rename_volume`].
    pub fn rename_snapshot(&self, volume: &Volume, name: &str, new_name: &str) -> Result<Undo> {
        self.rename_volume(&volume.snapshot(name), new_name)
    }
}
