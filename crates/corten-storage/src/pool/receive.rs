//! Making or renewing a volume from what comes in piece by piece: its snapshots, oldest first, and then itself.
//!
//! All of it lands in a volume under a leftover's name, in which the next piece finds the one before; each piece but the last
//! becomes a snapshot. In the last step the volume takes its place.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use corten_archive::watch::Watch;
use corten_host::rooted::directory::Directory;
use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::Pool;
use crate::driver::View;
use crate::error::{Doing, Error, Result};
use crate::fill::Fill;
use crate::generic::build::{close, owned_as_now};
use crate::generic::copy_tree::copy_entry;
use crate::generic::image::{TOP, check_files};
use crate::generic::intent::{self, Intent};
use crate::generic::names;
use crate::volume::{Kind, Volume};

/// Where a piece is to be put. Nothing else of the pool may be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The content of a custom volume; what is beside the root of an instance.
    pub top: PathBuf,
    /// The root of an instance, which belongs to `rootfs` below `top`.
    pub rootfs: Option<PathBuf>,
}

/// Puts one piece where it is told to: the snapshot of this name, or the volume itself.
pub type Receive<'a> = &'a mut dyn FnMut(Option<&str>, &Landing) -> Result<()>;

impl Pool {
    /// Makes a volume with these snapshots.
    ///
    /// # Errors
    /// When the name is taken, what `receive` says, or what went wrong; nothing is left then.
    pub fn receive_volume(&self, volume: &Volume, snapshots: &[String], receive: Receive<'_>) -> Result<Undo> {
        names::check(&volume.name)?;
        let place = self.path(volume);
        if place.symlink_metadata().is_ok() {
            return Err(Error::internal(format!("Volume path \"{}\" already exists", place.display())));
        }
        let mut undo = Undo::default();
        if !snapshots.is_empty() {
            intent::note(self, volume, Intent::Create, &mut undo)?;
        }
        let beside = Volume { name: names::passing("receive"), ..volume.clone() };
        undo.absorb(self.driver().create(self, &beside, &Fill::Empty, &Watch::default())?);
        self.pieces(volume, &beside, snapshots, receive, &mut undo)?;
        let (from, to) = (self.path(&beside), place);
        let (back_from, back_to) = (to.clone(), from.clone());
        undo.step(
            "put the volume in its place",
            || names::rename_new(&from, &to).doing(|| format!("Failed to create mount directory \"{}\"", to.display())),
            |()| move || names::rename_new(&back_from, &back_to).map_err(|error| error.to_string()),
        )?;
        if !snapshots.is_empty() {
            undo.step("the volume is whole", || intent::done(self, volume), |()| || Ok(()))?;
        }
        Ok(undo)
    }

    /// Adds snapshots to a volume that nobody uses, and makes its content another. What it holds now is what the first piece
    /// finds.
    ///
    /// # Errors
    /// When the volume is in use, what `receive` says, or what went wrong; the volume is as it was then.
    pub fn receive_again(&self, volume: &Volume, snapshots: &[String], receive: Receive<'_>) -> Result<()> {
        if !self.has_volume(volume) {
            return Err(Error::not_found("Storage volume not found"));
        }
        self.must_be_idle(volume)?;
        let owned = owned_as_now(self, volume)?;
        let beside = Volume { name: names::passing("receive"), ..owned };
        let mut undo = Undo::default();
        let fill = Fill::Copy { pool: self, source: volume, snapshots: &[], like: None };
        undo.absorb(self.driver().create(self, &beside, &fill, &Watch::default())?);
        self.pieces(volume, &beside, snapshots, receive, &mut undo)?;
        self.must_be_idle(volume)?;
        let (fresh, place) = (self.path(&beside), self.path(volume));
        corten_host::undo::reach("exchange the volume and its replacement")?;
        names::exchange(&fresh, &place).doing(|| format!("Failed to replace '{}'", place.display()))?;
        undo.keep();
        // What is beside now is what the volume was; its limit stays with the volume.
        self.driver().delete(self, &Volume { id: None, ..beside })
    }

    fn pieces(
        &self,
        volume: &Volume,
        beside: &Volume,
        snapshots: &[String],
        receive: Receive<'_>,
        undo: &mut Undo,
    ) -> Result<()> {
        let scratch = Scratch::new(self, beside)?;
        for name in snapshots {
            names::check(&format!("{}/{name}", volume.name))?;
            self.piece(beside, &scratch, &mut |landing| receive(Some(name), landing))?;
            let snapshot = volume.snapshot(name).owned_by(beside.owner);
            if self.has_volume(&snapshot) {
                let path = self.path(&snapshot);
                return Err(Error::internal(format!("Volume path \"{}\" already exists", path.display())));
            }
            undo.absorb(self.driver().snapshot(self, beside, &snapshot, &Watch::default())?);
        }
        corten_host::undo::reach("receive the volume")?;
        self.piece(beside, &scratch, &mut |landing| receive(None, landing))
    }

    fn piece(&self, beside: &Volume, scratch: &Scratch, receive: &mut dyn FnMut(&Landing) -> Result<()>) -> Result<()> {
        if beside.kind == Kind::Custom {
            return receive(&Landing { top: self.path(beside), rootfs: None });
        }
        let mounted = self.mount_volume(beside, View::Content)?;
        let rootfs = Some(mounted.path().join("rootfs"));
        receive(&Landing { top: scratch.0.clone(), rootfs })?;
        take_over(&scratch.0, mounted.path())?;
        mounted.release()?;
        close(beside, &self.path(beside))
    }
}

/// A directory for what is beside an instance's root: the driver may have names of its own in the volume.
struct Scratch(PathBuf);

impl Scratch {
    fn new(pool: &Pool, beside: &Volume) -> Result<Scratch> {
        let scratch = Scratch(names::beside(&pool.path(beside)));
        if beside.kind != Kind::Custom {
            let made = std::fs::create_dir(&scratch.0).and_then(|()| std::fs::create_dir(scratch.0.join("rootfs")));
            made.doing(|| format!("Failed to create directory \"{}\"", scratch.0.display()))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove::tree(&self.0) {
            // It has a leftover's name, and goes when the daemon starts next.
            eprintln!("removing \"{}\": {error}", self.0.display());
        }
    }
}

/// Puts what instances have beside their root from the directory `from` into `to`, in place of what is there.
fn take_over(from: &Path, to: &Path) -> Result<()> {
    check_files(from)?;
    let failed = || format!("Failed to copy \"{}\"", from.display());
    let (from, to) = (Directory::open(from).doing(failed)?, Directory::open(to).doing(failed)?);
    for name in TOP.iter().filter(|name| **name != "rootfs").map(OsStr::new) {
        if to.find(name).doing(failed)?.is_some() {
            remove::entry(&to, name).doing(failed)?;
        }
        if from.find(name).doing(failed)?.is_some() {
            copy_entry(&from, &to, name).doing(failed)?;
        }
    }
    Ok(())
}
