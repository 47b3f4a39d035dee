//! Metadata: inodes, directories and tables, in a chain of blocks of 8 KiB each, packed one by one.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::codec::Codec;
use super::superblock::{u16_at, u32_at, u64_at};
use crate::error::{Error, Result};

/// Bytes of an unpacked block; only a chain's last one may have fewer.
const BLOCK: usize = 8192;

/// How many unpacked blocks are kept: 2 MiB.
const KEPT: usize = 256;

/// A place in the metadata: the position of a block in the file, and how far into it, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Position of the block in the file.
    pub block: u64,
    /// How far into it.
    pub offset: usize,
}

impl Place {
    /// What a reference (position of a block from the start of its table, and 16 bits of offset) means in the table
    /// that begins at `table`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it leads nowhere.
    pub fn of(table: u64, reference: u64) -> Result<Place> {
        let block = table.checked_add(reference >> 16).ok_or_else(outside)?;
        Ok(Place { block, offset: (reference & 0xffff) as usize })
    }
}

/// Reads metadata, and keeps what it unpacked last.
pub struct Metadata {
    codec: Codec,
    /// Blocks by position, each with the position of the next.
    blocks: HashMap<u64, (Rc<[u8]>, u64)>,
}

impl Metadata {
    /// A reader with this decompressor.
    pub fn new(codec: Codec) -> Metadata {
        Metadata { codec, blocks: HashMap::new() }
    }

    /// The block at a position, and the position of the next one.
    fn block(&mut self, file: &File, position: u64) -> Result<(Rc<[u8]>, u64)> {
        if let Some((block, next)) = self.blocks.get(&position) {
            return Ok((block.clone(), *next));
        }
        let mut head = [0; 2];
        file.read_exact_at(&mut head, position).map_err(Error::reading)?;
        let length = usize::from(u16_at(&head, 0) & 0x7fff);
        let packed = u16_at(&head, 0) & 0x8000 == 0;
        if length == 0 || length > BLOCK {
            return Err(Error::Damaged(format!("a block of its metadata has {length} bytes")));
        }
        let mut bytes = vec![0; length];
        let begin = position.checked_add(2).ok_or_else(outside)?;
        file.read_exact_at(&mut bytes, begin).map_err(Error::reading)?;
        if packed {
            let mut unpacked = vec![0; BLOCK];
            let length = self.codec.unpack(&bytes, &mut unpacked)?;
            unpacked.truncate(length);
            bytes = unpacked;
        }
        if self.blocks.len() >= KEPT {
            self.blocks.clear();
        }
        let block: Rc<[u8]> = bytes.into();
        let next = begin.checked_add(length as u64).ok_or_else(outside)?;
        self.blocks.insert(position, (block.clone(), next));
        Ok((block, next))
    }

    /// Fills `bytes` from `place`, which moves on.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the metadata ends before.
    pub fn read(&mut self, file: &File, place: &mut Place, bytes: &mut [u8]) -> Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            let (block, next) = self.block(file, place.block)?;
            // The end of a full block is the start of the next; behind a short one nothing comes.
            if place.offset == BLOCK && block.len() == BLOCK {
                *place = Place { block: next, offset: 0 };
                continue;
            }
            let there = block.get(place.offset..).filter(|rest| !rest.is_empty()).ok_or_else(outside)?;
            let piece = there.len().min(bytes.len() - done);
            bytes[done..done + piece].copy_from_slice(&there[..piece]);
            place.offset += piece;
            done += piece;
        }
        Ok(())
    }

    /// The next two bytes as a number, as [`Metadata::read`].
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub fn u16(&mut self, file: &File, place: &mut Place) -> Result<u16> {
        let mut bytes = [0; 2];
        self.read(file, place, &mut bytes)?;
        Ok(u16_at(&bytes, 0))
    }

    /// The next four bytes as a number.
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub fn u32(&mut self, file: &File, place: &mut Place) -> Result<u32> {
        let mut bytes = [0; 4];
        self.read(file, place, &mut bytes)?;
        Ok(u32_at(&bytes, 0))
    }

    /// The next eight bytes as a number.
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub fn u64(&mut self, file: &File, place: &mut Place) -> Result<u64> {
        let mut bytes = [0; 8];
        self.read(file, place, &mut bytes)?;
        Ok(u64_at(&bytes, 0))
    }

    /// `count` bytes, which the caller knows to be few.
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub fn bytes(&mut self, file: &File, place: &mut Place, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.read(file, place, &mut bytes)?;
        Ok(bytes)
    }

    /// Where row `number` of a table is whose rows have `row` bytes: the table is a list, at `index`, of the positions of
    /// its blocks.
    ///
    /// # Errors
    /// [`Error::Damaged`] when there is no such row.
    pub fn row(&mut self, file: &File, index: u64, number: u64, row: u64) -> Result<Place> {
        let per_block = BLOCK as u64 / row;
        let mut position = [0; 8];
        let at = (number / per_block).checked_mul(8).and_then(|offset| index.checked_add(offset));
        file.read_exact_at(&mut position, at.ok_or_else(outside)?).map_err(Error::reading)?;
        Ok(Place { block: u64_at(&position, 0), offset: (number % per_block * row) as usize })
    }
}

/// What is said of a reference that leads out of the metadata.
pub fn outside() -> Error {
    Error::Damaged("a reference in it leads to nothing".to_string())
}
