//! The tar format: POSIX pax and ustar, GNU's long names and sparse files. Read strictly, written as pax.

pub mod header;
pub mod pax;
pub mod reader;
pub mod sparse;
pub mod writer;

use std::ffi::OsString;
use std::path::PathBuf;

/// Size of a block in bytes; everything in a tar archive is padded to it.
pub const BLOCK: usize = 512;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A further name of an earlier entry.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Character,
    /// A block device.
    Block,
    /// A directory.
    Directory,
    /// A FIFO.
    Fifo,
}

/// One entry with all that its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path as the archive has it.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of last modification: seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// Size of the file in bytes, holes counted.
    pub size: u64,
    /// What a link of either kind points to.
    pub link: PathBuf,
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// Extended attributes, ACLs among them as `system.posix_acl_…`.
    pub xattrs: Vec<(OsString, Vec<u8>)>,
    /// Where data is in a sparse file, ordered: offset and length in bytes. `None` for a file without holes.
    pub sparse: Option<Vec<(u64, u64)>>,
}
