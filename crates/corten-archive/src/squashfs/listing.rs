//! The names in a directory, each with the place of its inode.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::image::Image;
use super::inode::{Content, Inode};
use super::metadata::Place;
use crate::error::{Error, Result};

/// Entries behind one header, at most.
const LARGEST_RUN: u32 = 256;

/// A directory that is being read.
pub struct Listing {
    place: Place,
    /// Bytes of it that were not read yet.
    left: u32,
    /// Entries until the next header.
    run: u32,
    /// The block that the inodes of this run are in, from the start of the table.
    block: u64,
    /// The last name: names are in order.
    last: Vec<u8>,
}

/// A name in a directory.
pub struct Named {
    /// The name: one component, neither `.` nor `..`.
    pub name: OsString,
    /// Where its inode is.
    pub inode: Place,
}

impl Image {
    /// Begins to read a directory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the inode is none.
    pub fn listing(&mut self, inode: &Inode) -> Result<Listing> {
        match inode.content {
            Content::Directory(place, left) => Ok(Listing { place, left, run: 0, block: 0, last: Vec::new() }),
            _ => Err(Error::Damaged("its root is no directory".to_string())),
        }
    }

    /// The next name of a directory; `None` at its end.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is more than a name, [`Error::Damaged`] when names are not in order, as they
    /// must be for the kernel; then one would come twice.
    pub fn next(&mut self, listing: &mut Listing) -> Result<Option<Named>> {
        if listing.run == 0 {
            if listing.left == 0 {
                return Ok(None);
            }
            listing.spend(12)?;
            let count = self.u32(&mut listing.place)?;
            listing.run = count.checked_add(1).filter(|run| *run <= LARGEST_RUN).ok_or_else(damaged)?;
            listing.block = u64::from(self.u32(&mut listing.place)?);
            self.u32(&mut listing.place)?;
        }
        listing.run -= 1;
        listing.spend(8)?;
        let offset = self.u16(&mut listing.place)?;
        let (_number, _kind) = (self.u16(&mut listing.place)?, self.u16(&mut listing.place)?);
        let length = u32::from(self.u16(&mut listing.place)?) + 1;
        if length > 255 {
            return Err(Error::Damaged(format!("a name in it has {length} bytes")));
        }
        listing.spend(length)?;
        let name = self.bytes(&mut listing.place, length as usize)?;
        if matches!(name.as_slice(), b"." | b"..") || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            return Err(Error::refused(OsString::from_vec(name), "it is no name of a file"));
        }
        if name <= listing.last {
            return Err(damaged());
        }
        listing.last.clone_from(&name);
        let inode = Place::of(self.superblock().inodes, listing.block << 16 | u64::from(offset))?;
        Ok(Some(Named { name: OsString::from_vec(name), inode }))
    }

    /// The inode at a path; `None` when there is none. No link is followed.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn find(&mut self, path: &Path) -> Result<Option<Inode>> {
        let mut inode = self.root()?;
        'components: for component in path.iter() {
            if !matches!(inode.content, Content::Directory(..)) {
                return Ok(None);
            }
            let mut listing = self.listing(&inode)?;
            while let Some(entry) = self.next(&mut listing)? {
                if entry.name == component {
                    inode = self.inode(entry.inode)?;
                    continue 'components;
                }
            }
            return Ok(None);
        }
        Ok(Some(inode))
    }
}

impl Listing {
    fn spend(&mut self, bytes: u32) -> Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(damaged)?;
        Ok(())
    }
}

fn damaged() -> Error {
    Error::Damaged("a directory in it has names twice, or not in order".to_string())
}
