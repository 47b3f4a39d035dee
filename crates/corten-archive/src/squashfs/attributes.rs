//! Extended attributes: sets of them, shared by the inodes that have the same.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::image::Image;
use super::metadata::{Place, outside};
use super::superblock::NONE;
use crate::error::{Error, Result};

/// The prefixes that names are stored without.
const PREFIXES: [&str; 3] = ["user.", "trusted.", "security."];

/// Said beside a prefix when the value is elsewhere, and what is in its place says where.
const ELSEWHERE: u16 = 0x100;

/// The kernel's limits on a name and a value (`XATTR_NAME_MAX`, `XATTR_SIZE_MAX`), and one on all of an inode's values,
/// in bytes; file systems take far less.
const LONGEST_NAME: usize = 255;
const LARGEST_VALUE: u32 = 65_536;
const LARGEST_SET: usize = 1 << 20;

impl Image {
    /// The names and values of set `number`.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::TooLarge`] for more than any file system takes.
    pub fn attributes(&mut self, number: u32) -> Result<Vec<(OsString, Vec<u8>)>> {
        let table = self.superblock().attribute_table;
        if table == NONE {
            return Err(outside());
        }
        let values = self.number_at(table)?;
        let sets = self.number_at(table.saturating_add(8))? & 0xffff_ffff;
        if u64::from(number) >= sets {
            return Err(outside());
        }
        let mut row = self.row(table.saturating_add(16), u64::from(number), 16)?;
        let reference = self.u64(&mut row)?;
        let count = self.u32(&mut row)?;
        let mut at = Place::of(values, reference)?;
        let (mut set, mut size) = (Vec::new(), 0);
        for _ in 0..count {
            let (name, value) = self.attribute(values, &mut at)?;
            size += name.len() + value.len();
            if size > LARGEST_SET {
                return Err(Error::TooLarge { what: "bytes of attributes on one file", limit: LARGEST_SET as u64 });
            }
            set.push((name, value));
        }
        Ok(set)
    }

    fn attribute(&mut self, values: u64, at: &mut Place) -> Result<(OsString, Vec<u8>)> {
        let (kind, length) = (self.u16(at)?, usize::from(self.u16(at)?));
        let prefix = PREFIXES.get(usize::from(kind & 0xff));
        let prefix = prefix.ok_or_else(|| Error::Damaged(format!("an attribute in it has the kind {kind}")))?;
        let mut name = prefix.as_bytes().to_vec();
        if length + name.len() > LONGEST_NAME {
            return Err(Error::Damaged(format!("an attribute in it has a name of {length} bytes")));
        }
        name.extend(self.bytes(at, length)?);
        let name = OsString::from_vec(name);
        if length == 0 || name.as_bytes().contains(&0) {
            return Err(Error::refused(name, "it is no name of an attribute"));
        }
        if kind & ELSEWHERE == 0 {
            return Ok((name, self.value(at)?));
        }
        self.u32(at)?;
        let reference = self.u64(at)?;
        let value = self.value(&mut Place::of(values, reference)?)?;
        Ok((name, value))
    }

    fn value(&mut self, at: &mut Place) -> Result<Vec<u8>> {
        let length = self.u32(at)?;
        if length > LARGEST_VALUE {
            return Err(Error::TooLarge { what: "bytes in one attribute", limit: u64::from(LARGEST_VALUE) });
        }
        self.bytes(at, length as usize)
    }
}
