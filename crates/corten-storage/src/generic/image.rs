//! Unpacking an image into a volume: `metadata.yaml`, `templates/` and `rootfs/`.

use std::path::Path;

use corten_archive::compression::Compression;
use corten_archive::error::Error as ArchiveError;
use corten_archive::squashfs;
use corten_archive::unpack::{self, Options};
use corten_archive::watch::Watch;
use corten_host::rooted::Rooted;

use crate::error::{Doing, Error, Result};
use crate::fill::ImageFiles;

/// Unpacks both files of an image, or its one.
///
/// # Errors
/// LXD's words when there is no `rootfs` in it or the disk is full; else why the archive cannot be unpacked.
pub fn unpack(files: &ImageFiles, to: &Path, watch: &Watch) -> Result<()> {
    let rootfs = to.join("rootfs");
    unpack_file(&files.meta, to, watch)?;
    if let Some(file) = &files.rootfs {
        match std::fs::create_dir(&rootfs) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.doing(|| "Error creating rootfs directory")?,
        }
        unpack_file(file, &rootfs, watch)?;
    }
    if !rootfs.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::invalid(format!("Image is missing a rootfs: {}", files.meta.display())));
    }
    Ok(())
}

/// Unpacks one archive of any format.
///
/// # Errors
/// Why it cannot be unpacked, with LXD's words before it.
pub fn unpack_file(file: &Path, to: &Path, watch: &Watch) -> Result<()> {
    let unpacked = match Compression::of_file(file) {
        Ok(Compression::Squashfs) => squashfs::unpack(file, to, &[]),
        Ok(Compression::Qcow2) => {
            return Err(Error::invalid(format!("Unsupported image format: {}", Compression::Qcow2.extension())));
        }
        Ok(_) => {
            let root = Rooted::open(to).doing(|| "Error opening directory")?;
            unpack::file(file, &root, &Options::default(), *watch).map(drop)
        }
        Err(error) => Err(error),
    };
    unpacked.map_err(|error| {
        let plain =
            matches!(error, ArchiveError::NoSpace | ArchiveError::Cancelled | ArchiveError::UnsupportedCompression);
        let error = Error::from(error);
        if plain { error } else { Error(error.0.context("Unpack failed")) }
    })
}
