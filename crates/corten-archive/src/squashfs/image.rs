//! An open squashfs and its tables.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::codec::Codec;
use super::file::{Block, Unpacker};
use super::inode::{Data, Inode};
use super::metadata::{Metadata, Place, outside};
use super::superblock::{Superblock, u64_at};
use crate::error::{Error, Result};

/// A squashfs that is read.
pub struct Image {
    file: Arc<File>,
    superblock: Superblock,
    metadata: Metadata,
    ids: Vec<u32>,
}

impl Image {
    /// Opens the squashfs in a file.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(path: &Path) -> Result<Image> {
        let opening = |source| Error::Io { doing: format!("Failed to read \"{}\"", path.display()), source };
        let file = Arc::new(File::open(path).map_err(opening)?);
        let superblock = Superblock::read(&file)?;
        let metadata = Metadata::new(Codec::new(superblock.algorithm)?);
        let mut image = Image { file, superblock, metadata, ids: Vec::new() };
        image.ids = image.read_ids()?;
        Ok(image)
    }

    fn read_ids(&mut self) -> Result<Vec<u32>> {
        let (table, count) = (self.superblock.id_table, u64::from(self.superblock.ids));
        (0..count).map(|number| self.row(table, number, 4).and_then(|mut row| self.u32(&mut row))).collect()
    }

    /// What its first bytes say.
    pub fn superblock(&self) -> Superblock {
        self.superblock
    }

    /// The file that it is in.
    pub fn source(&self) -> Arc<File> {
        self.file.clone()
    }

    /// The root directory's inode.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn root(&mut self) -> Result<Inode> {
        let place = self.root_place()?;
        self.inode(place)
    }

    /// Where the root directory's inode is.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn root_place(&self) -> Result<Place> {
        Place::of(self.superblock.inodes, self.superblock.root)
    }

    /// The owner with this number.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn id(&self, number: u16) -> Result<u32> {
        self.ids.get(usize::from(number)).copied().ok_or_else(outside)
    }

    /// Where the fragment with this number is.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn fragment(&mut self, number: u32) -> Result<Block> {
        if number >= self.superblock.fragments {
            return Err(outside());
        }
        let mut row = self.row(self.superblock.fragment_table, u64::from(number), 16)?;
        let position = self.u64(&mut row)?;
        Ok(Block { position, stored: self.u32(&mut row)? })
    }

    /// The next sizes of a file's packed blocks.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn sizes(&mut self, at: &mut Place, count: usize) -> Result<Vec<u32>> {
        let bytes = self.bytes(at, count * 4)?;
        Ok(bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
    }

    /// All of a file, which the caller knows to be small.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn content(&mut self, data: &Data) -> Result<Vec<u8>> {
        let mut unpacker = Unpacker::new(&self.superblock)?;
        let (mut content, mut sizes, mut position) = (Vec::new(), data.sizes, data.start);
        for _ in 0..data.blocks {
            let stored = self.sizes(&mut sizes, 1)?[0];
            let wanted = (data.size - content.len() as u64).min(self.superblock.block_size as u64) as usize;
            let block = Block { position, stored };
            if stored == 0 {
                content.resize(content.len() + wanted, 0);
            } else {
                content.extend_from_slice(unpacker.whole(&self.file, block, wanted)?);
            }
            position = block.end()?;
        }
        if let Some((number, offset)) = data.fragment {
            let left = (data.size - content.len() as u64) as usize;
            let block = self.fragment(number)?;
            let fragment = unpacker.any(&self.file, block)?;
            let offset = offset as usize;
            content.extend_from_slice(fragment.get(offset..offset + left).ok_or_else(outside)?);
        }
        Ok(content)
    }

    /// The eight bytes at a position, which are not packed.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn number_at(&self, position: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, position).map_err(Error::reading)?;
        Ok(u64_at(&bytes, 0))
    }

    /// As [`Metadata::row`].
    pub fn row(&mut self, index: u64, number: u64, row: u64) -> Result<Place> {
        self.metadata.row(&self.file, index, number, row)
    }

    /// As [`Metadata::u16`].
    pub fn u16(&mut self, at: &mut Place) -> Result<u16> {
        self.metadata.u16(&self.file, at)
    }

    /// As [`Metadata::u32`].
    pub fn u32(&mut self, at: &mut Place) -> Result<u32> {
        self.metadata.u32(&self.file, at)
    }

    /// As [`Metadata::u64`].
    pub fn u64(&mut self, at: &mut Place) -> Result<u64> {
        self.metadata.u64(&self.file, at)
    }

    /// As [`Metadata::bytes`].
    pub fn bytes(&mut self, at: &mut Place, count: usize) -> Result<Vec<u8>> {
        self.metadata.bytes(&self.file, at, count)
    }
}
