//! Reading a volume's content whether or not an instance runs from it.

use std::path::Path;

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use super::Pool;
use super::mounted::Mounted;
use crate::driver::View;
use crate::error::{Error, Result};
use crate::generic::names;
use crate::volume::Volume;

/// A volume that is being read; [`Reading::end`] tells of failures that dropping it only prints.
#[must_use]
pub struct Reading {
    // Dropped first: a snapshot that stands in can go only when it is not mounted any more.
    mounted: Mounted,
    passing: Undo,
}

impl Reading {
    /// The volume's directory, as [`Mounted::path`] has it.
    pub fn path(&self) -> &Path {
        self.mounted.path()
    }

    /// Ends it.
    ///
    /// # Errors
    /// What could not be unmounted or removed.
    pub fn end(self) -> Result<()> {
        self.mounted.release()?;
        match self.passing.unwind().first() {
            None => Ok(()),
            Some(failure) => Err(Error::internal(failure.clone())),
        }
    }
}

impl Pool {
    /// Whether the content of this volume can only be read through a snapshot that passes, since an instance runs from
    /// it; who wants it to be consistent lets the instance stand still meanwhile.
    pub fn needs_passing_snapshot(&self, volume: &Volume) -> bool {
        self.driver().hides_running(volume) && self.is_running(volume)
    }

    /// Makes a volume's content reachable for reading.
    ///
    /// # Errors
    /// When there is no such volume, or why it cannot be mounted or the snapshot taken.
    pub fn read_volume(&self, volume: &Volume, watch: &Watch) -> Result<Reading> {
        let mut passing = Undo::default();
        let mut from = volume.clone();
        if self.needs_passing_snapshot(volume) {
            from = volume.snapshot(&names::passing("copy"));
            passing.absorb(self.driver().snapshot(self, volume, &from, watch)?);
        }
        let mounted = self.mount_volume(&from, View::Content)?;
        Ok(Reading { mounted, passing })
    }

    /// Names beside a volume's root that are the driver's own, and mean nothing on another pool.
    pub fn private_names(&self) -> &'static [&'static str] {
        self.driver().private_names()
    }
}
