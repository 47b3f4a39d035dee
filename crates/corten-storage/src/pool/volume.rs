//! Making, removing and renaming volumes.

use std::path::PathBuf;

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use super::Pool;
use crate::error::{Doing, Error, Result};
use crate::fill::{Fill, Part};
use crate::generic::intent::{self, Intent};
use crate::generic::names;
use crate::volume::Volume;

impl Pool {
    /// Makes a volume. It appears whole, under its name, in the last step.
    ///
    /// # Errors
    /// When the name is taken, or what went wrong while filling; nothing is left then.
    pub fn create_volume(&self, volume: &Volume, fill: &Fill, watch: &Watch) -> Result<Undo> {
        names::check(&volume.name)?;
        let path = self.path(volume);
        if path.symlink_metadata().is_ok() {
            return Err(Error::internal(format!("Volume path \"{}\" already exists", path.display())));
        }
        let mut undo = Undo::default();
        let noted = match fill {
            Fill::Copy { pool, source, snapshots, .. } if !snapshots.is_empty() => {
                intent::note(self, volume, Intent::Create, &mut undo)?;
                for name in *snapshots {
                    let one = Fill::Copy { pool, source: &source.snapshot(name), snapshots: &[], like: None };
                    undo.absorb(self.driver().create(self, &volume.snapshot(name), &one, watch)?);
                }
                true
            }
            Fill::Backup { file, snapshots, snapshots_below, .. } if !snapshots.is_empty() => {
                intent::note(self, volume, Intent::Create, &mut undo)?;
                for Part { name, shifted } in *snapshots {
                    names::check(&format!("{}/{name}", volume.name))?;
                    let below = format!("{snapshots_below}/{name}");
                    let shifted = shifted.as_ref();
                    let one = Fill::Backup { file, below: &below, shifted, snapshots: &[], snapshots_below };
                    undo.absorb(self.driver().create(self, &volume.snapshot(name), &one, watch)?);
                }
                true
            }
            _ => false,
        };
        undo.absorb(self.driver().create(self, volume, fill, watch)?);
        if noted {
            undo.step("the volume is whole", || intent::done(self, volume), |()| || Ok(()))?;
        }
        Ok(undo)
    }

    /// Removes a volume that has no snapshots; one that is not there is no failure.
    ///
    /// # Errors
    /// LXD's words when it has snapshots; when it is in use; what could not be removed.
    pub fn delete_volume(&self, volume: &Volume) -> Result<()> {
        if !volume.is_snapshot() && !self.snapshots(volume)?.is_empty() {
            return Err(Error::internal("Cannot remove a volume that has snapshots"));
        }
        self.must_be_idle(volume)?;
        self.driver().delete(self, volume)?;
        names::remove_if_empty(&volume.snapshots_path(self.directory()))
    }

    /// Renames a volume with its snapshots, or a snapshot (`new_name` is the new name of the snapshot alone then).
    ///
    /// # Errors
    /// When the new name is taken, the volume is in use, or what the kernel says; the old name stays then.
    pub fn rename_volume(&self, volume: &Volume, new_name: &str) -> Result<Undo> {
        names::check(new_name)?;
        self.must_be_idle(volume)?;
        let mut renamed = volume.clone();
        renamed.name = match volume.names() {
            (parent, Some(_)) => format!("{parent}/{new_name}"),
            (_, None) => new_name.to_string(),
        };
        let mut undo = Undo::default();
        let (old, new) = (volume.snapshots_path(self.directory()), renamed.snapshots_path(self.directory()));
        let with_snapshots = !volume.is_snapshot() && old.is_dir();
        if with_snapshots {
            intent::note(self, volume, Intent::Rename(new_name), &mut undo)?;
        }
        rename(self.path(volume), self.path(&renamed), &mut undo)?;
        if with_snapshots {
            rename(old, new, &mut undo)?;
            undo.step("the volume is renamed", || intent::done(self, volume), |()| || Ok(()))?;
        }
        Ok(undo)
    }

    /// Whether [`Pool::usage`] may have an answer.
    pub fn counts_usage(&self) -> bool {
        self.driver().counts_usage(self)
    }

    /// Bytes that the volume takes; `None` where the driver cannot tell quickly.
    ///
    /// # Errors
    /// What went wrong while asking.
    pub fn usage(&self, volume: &Volume) -> Result<Option<u64>> {
        self.driver().usage(self, volume)
    }

    /// Limits a volume's size in bytes; `None` removes the limit. Where the pool's filesystem has no quotas this
    /// does nothing, as in LXD.
    ///
    /// # Errors
    /// Why the limit cannot be set.
    pub fn set_quota(&self, volume: &Volume, size: Option<u64>) -> Result<()> {
        self.driver().set_quota(self, volume, size)
    }

    /// Gives the volume's directory to another user of the host, when a container's id map changes.
    ///
    /// # Errors
    /// What chown(2) says.
    pub fn set_owner(&self, volume: &Volume, uid: u32) -> Result<()> {
        let path = self.path(volume);
        std::os::unix::fs::lchown(&path, Some(uid), None)
            .doing(|| format!("Failed to chown mount directory \"{}\"", path.display()))
    }
}

fn rename(from: PathBuf, to: PathBuf, undo: &mut Undo) -> Result<()> {
    let what = || format!("Failed to rename '{}' to '{}'", from.display(), to.display());
    let (back_from, back_to) = (to.clone(), from.clone());
    undo.step(
        "rename the volume",
        || names::rename_new(&from, &to).doing(what),
        |()| move || names::rename_new(&back_from, &back_to).map_err(|error| error.to_string()),
    )
}
