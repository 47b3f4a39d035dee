//! Inodes: what a file is, whose, and where its data is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::image::Image;
use super::metadata::Place;
use super::superblock::NONE;
use crate::error::{Error, Result};

/// The longest target of a link in bytes, as the kernel has it.
const LONGEST_TARGET: u32 = 4095;

/// An inode.
#[derive(Debug)]
pub struct Inode {
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u32,
    /// How many names it has.
    pub names: u32,
    /// Which set of extended attributes is its own.
    pub attributes: Option<u32>,
    /// What it is.
    pub content: Content,
}

/// What an inode is.
#[derive(Debug)]
pub enum Content {
    /// A directory: where its listing is, and how many bytes that has.
    Directory(Place, u32),
    /// A regular file.
    File(Data),
    /// A symbolic link and its target.
    Symlink(OsString),
    /// A block device: major and minor number.
    Block(u32, u32),
    /// A character device.
    Character(u32, u32),
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
}

/// Where a file's data is.
#[derive(Debug)]
pub struct Data {
    /// Size in bytes, holes counted.
    pub size: u64,
    /// Position of its first block in the squashfs; the others follow.
    pub start: u64,
    /// How many blocks there are.
    pub blocks: u64,
    /// Where the sizes of the packed blocks are, four bytes each.
    pub sizes: Place,
    /// The number of the fragment with what is left after the blocks, and where in it that is.
    pub fragment: Option<(u32, u32)>,
}

impl Image {
    /// The inode at a place.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn inode(&mut self, mut place: Place) -> Result<Inode> {
        let at = &mut place;
        let (kind, mode) = (self.u16(at)?, self.u16(at)?);
        let (uid, gid) = (self.u16(at)?, self.u16(at)?);
        let (mtime, _number) = (self.u32(at)?, self.u32(at)?);
        let (mut names, mut attributes) = (1, None);
        let content = match kind {
            1 => self.small_directory(at)?,
            2 => self.small_file(at)?,
            8 => {
                names = self.u32(at)?;
                let content = self.large_directory(at)?;
                attributes = Some(self.u32(at)?);
                content
            }
            9 => {
                let (content, links, set) = self.large_file(at)?;
                (names, attributes) = (links, Some(set));
                content
            }
            3..=7 | 10..=14 => {
                names = self.u32(at)?;
                let content = self.special(at, if kind < 8 { kind } else { kind - 7 })?;
                if kind > 7 {
                    attributes = Some(self.u32(at)?);
                }
                content
            }
            other => return Err(Error::Damaged(format!("an inode of it has the kind {other}"))),
        };
        let attributes = attributes.filter(|set| *set != u32::MAX);
        let (uid, gid) = (self.id(uid)?, self.id(gid)?);
        Ok(Inode { mode: u32::from(mode) & 0o7777, uid, gid, mtime, names, attributes, content })
    }

    fn small_directory(&mut self, at: &mut Place) -> Result<Content> {
        let (block, _names) = (self.u32(at)?, self.u32(at)?);
        let (size, offset) = (self.u16(at)?, self.u16(at)?);
        self.u32(at)?;
        self.directory(block, offset, u32::from(size))
    }

    /// Up to its extended attributes; the index behind them serves those who look for one name.
    fn large_directory(&mut self, at: &mut Place) -> Result<Content> {
        let (size, block) = (self.u32(at)?, self.u32(at)?);
        self.u32(at)?;
        let (_index, offset) = (self.u16(at)?, self.u16(at)?);
        self.directory(block, offset, size)
    }

    fn directory(&self, block: u32, offset: u16, size: u32) -> Result<Content> {
        let place = Place::of(self.superblock().directories, u64::from(block) << 16 | u64::from(offset))?;
        // The size counts three bytes for "." and "..", which are not stored.
        Ok(Content::Directory(place, size.saturating_sub(3)))
    }

    fn small_file(&mut self, at: &mut Place) -> Result<Content> {
        let (start, fragment) = (self.u32(at)?, self.u32(at)?);
        let (offset, size) = (self.u32(at)?, self.u32(at)?);
        self.file(u64::from(start), (fragment, offset), u64::from(size), *at)
    }

    fn large_file(&mut self, at: &mut Place) -> Result<(Content, u32, u32)> {
        let (start, size, _holes) = (self.u64(at)?, self.u64(at)?, self.u64(at)?);
        let (names, fragment) = (self.u32(at)?, self.u32(at)?);
        let (offset, attributes) = (self.u32(at)?, self.u32(at)?);
        Ok((self.file(start, (fragment, offset), size, *at)?, names, attributes))
    }

    fn file(&self, start: u64, fragment: (u32, u32), size: u64, sizes: Place) -> Result<Content> {
        let block = self.superblock().block_size as u64;
        if i64::try_from(size).is_err() || start == NONE {
            return Err(Error::Damaged(format!("a file in it has {size} bytes")));
        }
        let fragment = Some(fragment).filter(|(number, _)| *number != u32::MAX);
        let blocks = if fragment.is_some() { size / block } else { size.div_ceil(block) };
        Ok(Content::File(Data { size, start, blocks, sizes, fragment }))
    }

    fn special(&mut self, at: &mut Place, kind: u16) -> Result<Content> {
        Ok(match kind {
            3 => {
                let length = self.u32(at)?;
                if length == 0 || length > LONGEST_TARGET {
                    return Err(Error::Damaged(format!("a link in it has a target of {length} bytes")));
                }
                let target = self.bytes(at, length as usize)?;
                if target.contains(&0) {
                    return Err(Error::Damaged("a link in it has a target with a zero byte".to_string()));
                }
                Content::Symlink(OsString::from_vec(target))
            }
            4 | 5 => {
                // As the kernel's new_decode_dev() has it: twelve bits of major between 8 and 12 bits of minor.
                let device = self.u32(at)?;
                let (major, minor) = ((device & 0x000f_ff00) >> 8, (device & 0xff) | ((device >> 12) & 0x000f_ff00));
                if kind == 4 { Content::Block(major, minor) } else { Content::Character(major, minor) }
            }
            6 => Content::Fifo,
            _ => Content::Socket,
        })
    }
}
