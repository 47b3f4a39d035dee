//! The first 96 bytes of a squashfs: how it is compressed and where its tables are.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::codec::Algorithm;
use crate::error::{Error, Result};

/// Length of the superblock in bytes; data begins behind it.
const LENGTH: usize = 96;

/// What a position says that has no table.
pub const NONE: u64 = u64::MAX;

/// The superblock. All positions are bytes from the start of the file.
#[derive(Clone, Copy, Debug)]
pub struct Superblock {
    /// How data and metadata are compressed.
    pub algorithm: Algorithm,
    /// Bytes of an unpacked data block: a power of two between 4 KiB and 1 MiB.
    pub block_size: usize,
    /// How many fragments there are.
    pub fragments: u32,
    /// How many owners there are.
    pub ids: u16,
    /// Reference of the root directory's inode.
    pub root: u64,
    /// Bytes of the file that are in use.
    pub used: u64,
    /// Position of the table of owners.
    pub id_table: u64,
    /// Position of the table of extended attributes, or [`NONE`].
    pub attribute_table: u64,
    /// Position of the inodes.
    pub inodes: u64,
    /// Position of the directories.
    pub directories: u64,
    /// Position of the table of fragments, or [`NONE`].
    pub fragment_table: u64,
}

impl Superblock {
    /// Reads and checks it.
    ///
    /// # Errors
    /// [`Error::Damaged`] for another version, sizes out of bounds, or a file that was cut short.
    pub fn read(file: &File) -> Result<Superblock> {
        let mut bytes = [0; LENGTH];
        file.read_exact_at(&mut bytes, 0).map_err(Error::reading)?;
        let block = Superblock {
            algorithm: Algorithm::of(u16_at(&bytes, 20))?,
            block_size: u32_at(&bytes, 12) as usize,
            fragments: u32_at(&bytes, 16),
            ids: u16_at(&bytes, 26),
            root: u64_at(&bytes, 32),
            used: u64_at(&bytes, 40),
            id_table: u64_at(&bytes, 48),
            attribute_table: u64_at(&bytes, 56),
            inodes: u64_at(&bytes, 64),
            directories: u64_at(&bytes, 72),
            fragment_table: u64_at(&bytes, 80),
        };
        if &bytes[..4] != b"hsqs" || (u16_at(&bytes, 28), u16_at(&bytes, 30)) != (4, 0) {
            return Err(Error::Damaged("it is no squashfs of version 4.0".to_string()));
        }
        let size = block.block_size;
        if !size.is_power_of_two() || !(4096..=1 << 20).contains(&size) {
            return Err(Error::Damaged(format!("its blocks have {size} bytes")));
        }
        let length = file.metadata().map_err(Error::reading)?.len();
        if block.used > length {
            return Err(Error::Damaged("it ends too early".to_string()));
        }
        Ok(block)
    }
}

/// The little-endian number at `at`, which is within `bytes`.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// As [`u16_at`].
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// As [`u16_at`].
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
