//! squashfs archives: read in this process, on all processors; made by `mksquashfs`, as LXD does.
//!
//! The format is that of the kernel's `Documentation/filesystems/squashfs.rst` and `fs/squashfs/squashfs_fs.h`, version
//! 4.0. What is read may be hostile: every number of it is checked where it is used.

mod attributes;
mod codec;
mod file;
mod fragments;
mod image;
mod inode;
mod jobs;
mod listing;
mod lz4;
mod lzo;
mod make;
mod metadata;
mod superblock;
mod tree;
mod walk;

use std::path::Path;

use crate::error::{Error, Result};
use image::Image;
use inode::{Content, Inode};

pub use make::{pack, pack_stream};
pub(crate) use walk::unpack;

/// Something at the top of a squashfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its size in bytes; 0 of what is no regular file.
    pub size: u64,
}

/// What is at the top of `file`, without unpacking anything.
///
/// # Errors
/// [`Error`].
pub fn top(file: &Path) -> Result<Vec<Top>> {
    let mut image = Image::open(file)?;
    let root = image.root()?;
    let mut top = Vec::new();
    let mut listing = image.listing(&root)?;
    while let Some(entry) = image.next(&mut listing)? {
        let (is_file, size) = match image.inode(entry.inode)?.content {
            Content::File(file) => (true, file.size),
            _ => (false, 0),
        };
        top.push(Top { name: entry.name.to_string_lossy().into_owned(), is_file, size });
    }
    Ok(top)
}

/// The content of the regular file at the path `name` of `file`; `None` when there is none. All of it is held in memory.
///
/// # Errors
/// [`Error::TooLarge`] when it has more than `limit` bytes; else [`Error`].
pub fn read(file: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let mut image = Image::open(file)?;
    let found = image.find(Path::new(name))?;
    let Some(Inode { content: Content::File(content), .. }) = found else { return Ok(None) };
    if content.size > limit {
        return Err(Error::TooLarge { what: "bytes in one file", limit });
    }
    image.content(&content).map(Some)
}

#[cfg(test)]
mod tests;
