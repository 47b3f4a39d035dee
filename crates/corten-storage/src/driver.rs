//! What a kind of pool must be able to do; all the rest is the same for every pool.

use std::path::{Path, PathBuf};

use corten_archive::watch::Watch;
use corten_host::undo::Undo;

use crate::error::{Error, Result};
use crate::fill::{Fill, ImageFiles};
use crate::generic::source_directory;
use crate::pool::Pool;
use crate::pool::create::checked_source;
use crate::volume::{Kind, Volume};

/// What is known of a driver without a pool.
#[derive(Debug)]
pub struct Info {
    /// Its name, the value of `driver` in the API.
    pub name: &'static str,
    /// Its version as `GET /1.0` reports it: that of the programs behind it, or of the driver.
    pub version: fn() -> Option<String>,
    /// Whether the data is on another machine.
    pub remote: bool,
    /// Whether it keeps unpacked images, so that instances are made without unpacking.
    pub optimized_images: bool,
    /// Whether a running instance must be frozen for a snapshot to be consistent.
    pub freezes: bool,
    /// The kinds of volumes it holds.
    pub kinds: &'static [Kind],
}

/// What a container's root is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A directory of the host.
    Tree(PathBuf),
    /// An overlay that the runtime mounts itself (with `userxattr`), since it must be mounted inside the
    /// container's user namespace.
    Overlay {
        /// Read-only layers, topmost first.
        lower: Vec<PathBuf>,
        /// The writable layer. It has the same parent as `work`, so that one idmapped mount serves both.
        upper: PathBuf,
        /// The overlay's own directory.
        work: PathBuf,
    },
}

/// How much of a volume must be reachable by path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What is beside the root: `metadata.yaml`, `templates/`, `backup.yaml`.
    Files,
    /// The content as well: `rootfs/` of an instance.
    Content,
}

/// A kind of pool. Methods get the pool, which is mounted, and volumes whose names and places were checked.
///
/// Every method either completes or leaves what was there before.
pub trait Driver: Send + Sync {
    /// What is known without a pool.
    fn info(&self) -> &'static Info;

    /// Makes the pool's source, or looks whether what is given can be it. The pool's directory exists. Defaults that
    /// are to be remembered go into the pool's configuration.
    ///
    /// # Errors
    /// What is wrong with the source.
    fn create_source(&self, pool: &Pool) -> Result<Undo> {
        checked_source(pool)?;
        Ok(Undo::default())
    }

    /// Mounts the source on the pool's directory; mounted already is no failure.
    ///
    /// # Errors
    /// Why it cannot be mounted.
    fn mount_source(&self, pool: &Pool) -> Result<()> {
        source_directory::mount(pool)
    }

    /// Takes back [`Driver::mount_source`].
    ///
    /// # Errors
    /// Why it cannot be unmounted.
    fn unmount_source(&self, pool: &Pool) -> Result<()> {
        source_directory::unmount(pool)
    }

    /// Removes what the pool holds and, where the driver made it, the source itself; the pool is still mounted.
    ///
    /// # Errors
    /// What could not be removed.
    fn delete_source(&self, pool: &Pool) -> Result<()> {
        source_directory::empty(pool)
    }

    /// Whether the pool's filesystem can do what the driver needs; the pool is mounted and has its directories.
    ///
    /// # Errors
    /// What is missing.
    fn probe(&self, _pool: &Pool) -> Result<()> {
        Ok(())
    }

    /// Makes the volume with its content.
    ///
    /// # Errors
    /// What went wrong, with everything taken back.
    fn create(&self, pool: &Pool, volume: &Volume, fill: &Fill, watch: &Watch) -> Result<Undo>;

    /// Removes a volume or snapshot that nobody uses.
    ///
    /// # Errors
    /// What could not be removed.
    fn delete(&self, pool: &Pool, volume: &Volume) -> Result<()>;

    /// Makes `snapshot` of `volume`. A caller with a running instance has frozen it.
    ///
    /// # Errors
    /// What went wrong, with everything taken back.
    fn snapshot(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<Undo>;

    /// Makes the content of `volume`, which nobody uses, that of `snapshot`.
    ///
    /// # Errors
    /// What went wrong; the volume is as it was then.
    fn restore(&self, pool: &Pool, volume: &Volume, snapshot: &Volume, watch: &Watch) -> Result<()>;

    /// Makes the content reachable below the volume's path. Called for the first of its users only.
    ///
    /// # Errors
    /// Why it cannot be mounted.
    fn mount(&self, pool: &Pool, volume: &Volume) -> Result<()>;

    /// Takes back [`Driver::mount`] after the last user. Nothing mounted is no failure.
    ///
    /// # Errors
    /// Why it cannot be unmounted.
    fn unmount(&self, pool: &Pool, volume: &Volume) -> Result<()>;

    /// What the runtime makes the container's root from; its parts stay usable until the instance stops.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn root(&self, pool: &Pool, volume: &Volume) -> Result<Root>;

    /// Whether the host cannot look at the content of this volume while an instance runs from it.
    fn hides_running(&self, _volume: &Volume) -> bool {
        false
    }

    /// Names beside a volume's root that are the driver's own, and mean nothing on another pool.
    fn private_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether the pool holds this image unpacked.
    fn has_image(&self, _pool: &Pool, _fingerprint: &str) -> bool {
        false
    }

    /// Holds this image ready on the pool, for drivers that do.
    ///
    /// # Errors
    /// Why the image cannot be had; nothing of it is left then.
    fn ensure_image(&self, _pool: &Pool, _fingerprint: &str, _files: &ImageFiles, _watch: &Watch) -> Result<()> {
        Ok(())
    }

    /// Removes the image from the pool, at once or when the last volume that needs it goes.
    ///
    /// # Errors
    /// What could not be removed.
    fn delete_image(&self, _pool: &Pool, _fingerprint: &str) -> Result<()> {
        Ok(())
    }

    /// Whether [`Driver::usage`] may have an answer on this pool; where not, nobody need look the volume up to ask.
    fn counts_usage(&self, _pool: &Pool) -> bool {
        true
    }

    /// Bytes that the volume takes; `None` where that cannot be told quickly.
    ///
    /// # Errors
    /// What went wrong while asking.
    fn usage(&self, _pool: &Pool, _volume: &Volume) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Limits the volume to `size` bytes; `None` removes the limit.
    ///
    /// # Errors
    /// Why the limit cannot be set.
    fn set_quota(&self, _pool: &Pool, _volume: &Volume, size: Option<u64>) -> Result<()> {
        match size {
            None => Ok(()),
            Some(_) => Err(Error::not_implemented("The storage driver does not support size limits")),
        }
    }

    /// Undoes mounts inside a leftover directory, before it is removed.
    ///
    /// # Errors
    /// What could not be unmounted.
    fn unmount_leftover(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    /// Removes what an interrupted change left. The pool is mounted, and no change is under way.
    ///
    /// # Errors
    /// What could not be removed.
    fn sweep(&self, _pool: &Pool) -> Result<()> {
        Ok(())
    }

    /// Undoes mounts of the driver's own inside the pool, before the pool itself is unmounted.
    ///
    /// # Errors
    /// What could not be unmounted.
    fn release(&self, _pool: &Pool) -> Result<()> {
        Ok(())
    }
}
