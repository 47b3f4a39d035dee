//! Unpacking an archive that may be hostile: nothing is written outside the directory, whatever the archive says.

pub(crate) mod attributes;
mod entry;
pub(crate) mod place;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use corten_host::rooted::Rooted;
use corten_host::xattr::IdShift;
use rustix::fs::{FileType, Mode};

use crate::compression::Compression;
use crate::decompress;
use crate::error::{Error, Result};
use crate::squashfs;
use crate::tar::reader::Reader;
use crate::watch::{Watch, Watched};

/// How much an archive may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of data written, holes not counted.
    pub bytes: u64,
    /// Entries of all types.
    pub entries: u64,
}

impl Default for Limits {
    /// More than any real root filesystem has; the disk's own end usually comes first.
    fn default() -> Limits {
        Limits { bytes: 1 << 40, entries: 20_000_000 }
    }
}

/// Which device nodes are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Devices {
    /// All of them, as when a backup is restored.
    All,
    /// Those that every container has (null, zero, full, random, urandom, tty, console, ptmx); others are left out,
    /// since an image has no business with the host's disks and memory.
    #[default]
    Harmless,
    /// None.
    None,
}

/// Devices that every container has: major and minor number, from the kernel's devices.txt.
const HARMLESS: [(u32, u32); 8] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)];

impl Devices {
    /// Whether a device node, or a FIFO, is made.
    pub(crate) fn include(self, kind: FileType, device: (u32, u32)) -> bool {
        kind == FileType::Fifo
            || match self {
                Devices::All => true,
                Devices::Harmless => kind == FileType::CharacterDevice && HARMLESS.contains(&device),
                Devices::None => false,
            }
    }
}

/// What is written with before its own permissions are set: nobody else may look in meanwhile.
pub(crate) const CLOSED_FILE: Mode = Mode::from_raw_mode(0o600);
pub(crate) const CLOSED_DIRECTORY: Mode = Mode::from_raw_mode(0o700);

/// How to unpack.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Turns the archive's ids into those to be written, in ACLs and file capabilities as well.
    pub shift: Option<&'a dyn IdShift>,
    /// Which device nodes are made.
    pub devices: Devices,
    /// How much the archive may bring.
    pub limits: Limits,
    /// Unpacks only what is at and below this path of the archive, which becomes the root; as [`clean`](place::clean)
    /// gives it, empty for everything.
    pub below: &'a str,
    /// Picks the entries to unpack by their path; the others are read over.
    pub only: Option<&'a (dyn Fn(&Path) -> bool + Sync)>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of data, holes not counted.
    pub bytes: u64,
    /// Entries of all types.
    pub entries: u64,
    /// Entries that were not read over.
    pub unpacked: u64,
    /// Device nodes left out.
    pub left_out: u64,
}

/// Unpacks the archive in the file `path`, whatever its format, below `root`.
///
/// Paths that have `..` or lead through a link are refused (a leading slash means `root`), hard links out of `root` as
/// well; symbolic links are stored as they are. After a failure part of the archive may be there: the caller removes it.
///
/// # Errors
/// [`Error`]; [`Error::UnsupportedCompression`] for what is no archive.
pub fn file(path: &Path, root: &Rooted, options: &Options, watch: Watch) -> Result<Totals> {
    let compression = Compression::of_file(path)?;
    if compression == Compression::Squashfs {
        return squashfs::unpack(path, root, options, watch);
    }
    let opening = |source| Error::Io { doing: format!("Failed to read \"{}\"", path.display()), source };
    let file = File::open(path).map_err(opening)?;
    let size = file.metadata().map_err(opening)?.len();
    std::thread::scope(|scope| {
        let input = decompress::reader(Watched::new(file, size, watch), compression)?;
        stream(decompress::ahead(scope, input), root, options, watch)
    })
}

/// As [`file()`](fn@file), from a tar stream that is not compressed.
///
/// # Errors
/// [`Error`].
pub fn stream(input: impl Read, root: &Rooted, options: &Options, watch: Watch) -> Result<Totals> {
    let mut reader = Reader::new(input);
    let mut unpacking = entry::Unpacking::new(root, options)?;
    while let Some(entry) = reader.next_entry()? {
        watch.check()?;
        unpacking.take(&entry, &mut reader)?;
    }
    unpacking.finish()
}

#[cfg(test)]
mod tests;
