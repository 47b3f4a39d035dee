//! Unpacking an image into a volume: `metadata.yaml`, `templates/` and `rootfs/`.

use std::ffi::OsStr;
use std::path::Path;

use corten_archive::compression::Compression;
use corten_archive::error::Error as ArchiveError;
use corten_archive::unpack::{self, Options};
use corten_archive::watch::Watch;
use corten_host::rooted::Rooted;
use corten_host::rooted::directory::Directory;
use rustix::fs::FileType;

use crate::error::{Doing, Error, Result};
use crate::fill::ImageFiles;

/// What a volume has of an image. Anything else at the top of an archive is left out: the driver may have names of its
/// own there.
pub const TOP: [&str; 3] = [METADATA, TEMPLATES, ROOTFS];

const METADATA: &str = "metadata.yaml";
const TEMPLATES: &str = "templates";
const ROOTFS: &str = "rootfs";

/// Unpacks both files of an image, or its one.
///
/// # Errors
/// LXD's words when there is no `rootfs` in it or the disk is full; else why the archive cannot be unpacked.
pub fn unpack(files: &ImageFiles, to: &Path, watch: &Watch) -> Result<()> {
    let rootfs = to.join(ROOTFS);
    unpack_meta(&files.meta, to, watch)?;
    if let Some(file) = &files.rootfs {
        match std::fs::create_dir(&rootfs) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.doing(|| "Error creating rootfs directory")?,
        }
        unpack_file(file, &rootfs, &[], watch)?;
    }
    if !rootfs.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::invalid(format!("Image is missing a rootfs: {}", files.meta.display())));
    }
    Ok(())
}

/// Unpacks the first file of an image, or its one, which has the metadata.
///
/// # Errors
/// As [`unpack`]; when what the daemon will read itself is no plain file.
pub fn unpack_meta(file: &Path, to: &Path, watch: &Watch) -> Result<()> {
    unpack_file(file, to, &TOP, watch)?;
    check_files(to)
}

/// Refuses links and the like in place of files that the daemon reads and writes as root.
///
/// # Errors
/// Naming the entry.
pub fn check_files(to: &Path) -> Result<()> {
    let top = Directory::open(to).doing(|| "Error opening directory")?;
    check_entry(&top, OsStr::new(METADATA), &[FileType::RegularFile])?;
    check_entry(&top, OsStr::new(TEMPLATES), &[FileType::Directory])
}

/// Refuses an entry that is none of `kinds`; below a directory there may be files and directories.
fn check_entry(directory: &Directory, name: &OsStr, kinds: &[FileType]) -> Result<()> {
    let looking = || format!("Failed to look at \"{}\"", name.display());
    let Some(stat) = directory.find(name).doing(looking)? else { return Ok(()) };
    let kind = FileType::from_raw_mode(stat.st_mode);
    if !kinds.contains(&kind) {
        let right = if kinds == [FileType::Directory] { "directory" } else { "file" };
        let name = name.display();
        return Err(Error::invalid(format!(
            "Unpack failed: Archive entry \"{name}\" refused: it must be a plain {right}"
        )));
    }
    if kind != FileType::Directory {
        return Ok(());
    }
    let below = directory.enter(name).doing(looking)?;
    let names = below.entries().doing(looking)?;
    names.iter().try_for_each(|(name, _)| check_entry(&below, name, &[FileType::RegularFile, FileType::Directory]))
}

/// Unpacks one archive of any format; with `names`, only these at its top.
///
/// # Errors
/// Why it cannot be unpacked, with LXD's words before it.
pub fn unpack_file(file: &Path, to: &Path, names: &[&str], watch: &Watch) -> Result<()> {
    let picks = |path: &Path| path.iter().next().is_none_or(|first| names.iter().any(|name| first == *name));
    let unpacked = match Compression::of_file(file) {
        Ok(Compression::Qcow2) => {
            return Err(Error::invalid(format!("Unsupported image format: {}", Compression::Qcow2.extension())));
        }
        Ok(_) => {
            let root = Rooted::open(to).doing(|| "Error opening directory")?;
            let only = if names.is_empty() { None } else { Some(&picks as &(dyn Fn(&Path) -> bool + Sync)) };
            unpack::file(file, &root, &Options { only, ..Options::default() }, *watch).map(drop)
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
