//! What a new volume starts with.

use std::path::{Path, PathBuf};

use corten_host::idmap::IdMap;

use crate::pool::Pool;
use crate::volume::Volume;

/// The files of an image as they were imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFiles {
    /// The metadata archive, or the whole image when it is in one file.
    pub meta: PathBuf,
    /// The root filesystem of an image in two files.
    pub rootfs: Option<PathBuf>,
}

/// A snapshot in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The map that its files' ids are shifted by.
    pub shifted: Option<IdMap>,
}

/// What a new volume starts with.
#[derive(Clone, Copy)]
pub enum Fill<'a> {
    /// Nothing; an instance's volume gets an empty `rootfs`.
    Empty,
    /// An image: `metadata.yaml`, `templates/` and `rootfs/`.
    Image {
        /// Its fingerprint, by which the pool knows it.
        fingerprint: &'a str,
        /// Where it was imported to.
        files: &'a ImageFiles,
    },
    /// What another volume, or a snapshot of one, holds now.
    Copy {
        /// The pool of the other volume.
        pool: &'a Pool,
        /// The other volume.
        source: &'a Volume,
        /// Names of its snapshots to copy as well, oldest first.
        snapshots: &'a [String],
        /// The directory of the volume, on the same pool, whose place the copy will take.
        like: Option<&'a Path>,
    },
    /// What a backup has at and below a path of it.
    Backup {
        /// The backup.
        file: &'a Path,
        /// The path in it.
        below: &'a str,
        /// The map that its files' ids are shifted by; the volume gets the container's own.
        shifted: Option<&'a IdMap>,
        /// Snapshots to make as well, oldest first.
        snapshots: &'a [Part],
        /// The path in it below which these are.
        snapshots_below: &'a str,
    },
    /// A copy of a tree of the host.
    Tree(&'a Path),
}
