//! Blocks of data, and unpacking them one by one.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::codec::Codec;
use super::metadata::outside;
use super::superblock::Superblock;
use crate::error::{Error, Result};

/// A block of data as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Position in the squashfs.
    pub position: u64,
    /// Bytes that it has there, with [`AS_IT_IS`]; 0 for one that is a hole.
    pub stored: u32,
}

/// Set in a block's stored size when it is not packed.
const AS_IT_IS: u32 = 1 << 24;

impl Block {
    /// Bytes that it has in the squashfs.
    pub fn length(self) -> u32 {
        self.stored & !AS_IT_IS
    }

    /// The position behind it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when no file is that large.
    pub fn end(self) -> Result<u64> {
        self.position.checked_add(u64::from(self.length())).ok_or_else(outside)
    }
}

/// Unpacks blocks of data. Each thread has its own.
pub struct Unpacker {
    codec: Codec,
    stored: Vec<u8>,
    unpacked: Vec<u8>,
    block_size: usize,
}

impl Unpacker {
    /// One for a squashfs that begins so.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(superblock: &Superblock) -> Result<Unpacker> {
        let codec = Codec::new(superblock.algorithm)?;
        Ok(Unpacker { codec, stored: Vec::new(), unpacked: Vec::new(), block_size: superblock.block_size })
    }

    /// The data of a block of a file, which has `wanted` bytes of it.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn whole(&mut self, file: &File, block: Block, wanted: usize) -> Result<&[u8]> {
        let data = self.any(file, block)?;
        if data.len() != wanted {
            return Err(Error::Damaged(format!("a block of it has {} bytes and not {wanted}", data.len())));
        }
        Ok(data)
    }

    /// The data of a block, whatever its length.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn any(&mut self, file: &File, block: Block) -> Result<&[u8]> {
        let length = block.length() as usize;
        if length == 0 || length > self.block_size {
            return Err(Error::Damaged(format!("a block of it has {length} bytes")));
        }
        self.stored.resize(self.block_size, 0);
        let stored = &mut self.stored[..length];
        file.read_exact_at(stored, block.position).map_err(Error::reading)?;
        if block.stored & AS_IT_IS != 0 {
            return Ok(stored);
        }
        self.unpacked.resize(self.block_size, 0);
        let unpacked = self.codec.unpack(stored, &mut self.unpacked)?;
        Ok(&self.unpacked[..unpacked])
    }
}
