//! The header block of an entry: where its fields are and how numbers are written in them.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::BLOCK;
use crate::error::{Error, Result};

/// Fields of the header, IEEE Std 1003.1 "ustar Interchange Format", with their place in the block.
pub mod field {
    use std::ops::Range;

    /// Last part of the path.
    pub const NAME: Range<usize> = 0..100;
    /// Permission bits.
    pub const MODE: Range<usize> = 100..108;
    /// Owner.
    pub const UID: Range<usize> = 108..116;
    /// Group.
    pub const GID: Range<usize> = 116..124;
    /// Bytes of data that follow.
    pub const SIZE: Range<usize> = 124..136;
    /// Seconds since 1970.
    pub const MTIME: Range<usize> = 136..148;
    /// Sum of all bytes, with this field as spaces.
    pub const CHECKSUM: Range<usize> = 148..156;
    /// One character: the type.
    pub const TYPE: usize = 156;
    /// Target of a link.
    pub const LINK: Range<usize> = 157..257;
    /// `ustar` and a version.
    pub const MAGIC: Range<usize> = 257..265;
    /// Device numbers.
    pub const MAJOR: Range<usize> = 329..337;
    /// Device numbers.
    pub const MINOR: Range<usize> = 337..345;
    /// First part of the path, in POSIX archives only.
    pub const PREFIX: Range<usize> = 345..500;
    /// GNU's map of a sparse file: four pairs of 12 bytes each.
    pub const GNU_MAP: Range<usize> = 386..482;
    /// GNU: whether blocks with more of the map follow.
    pub const GNU_MORE: usize = 482;
    /// GNU: size of the sparse file, holes counted.
    pub const GNU_SIZE: Range<usize> = 483..495;
}

/// One header block.
#[derive(Clone)]
pub struct Header(pub [u8; BLOCK]);

impl Header {
    /// Whether all bytes are zero: the end of the archive.
    pub fn is_end(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Looks whether the checksum is right, as both kinds of old programs computed it.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn verify(&self) -> Result<()> {
        let told = self.number(&field::CHECKSUM)?;
        let blank = |index: usize, byte: u8| if field::CHECKSUM.contains(&index) { b' ' } else { byte };
        let bytes = || self.0.iter().enumerate().map(|(index, byte)| blank(index, *byte));
        let unsigned: i64 = bytes().map(i64::from).sum();
        let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
        if told == unsigned || told == signed {
            return Ok(());
        }
        Err(Error::Damaged(format!("a header's checksum is {told} where {unsigned} would be right")))
    }

    /// The type character.
    pub fn kind(&self) -> u8 {
        self.0[field::TYPE]
    }

    /// A field that holds text up to its first zero byte.
    pub fn text(&self, field: &Range<usize>) -> &[u8] {
        let bytes = &self.0[field.clone()];
        bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
    }

    /// A field that holds a number: octal text, or GNU's big-endian binary with the first bit set.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is neither.
    pub fn number(&self, field: &Range<usize>) -> Result<i64> {
        parse_number(&self.0[field.clone()])
    }

    /// The path: in POSIX archives the prefix, a slash and the name; in others the name.
    pub fn path(&self) -> PathBuf {
        let name = self.text(&field::NAME);
        let prefix = if self.0[field::MAGIC].starts_with(b"ustar\0") { self.text(&field::PREFIX) } else { b"" };
        let mut path = prefix.to_vec();
        if !prefix.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        PathBuf::from(OsStr::from_bytes(&path))
    }
}

/// See [`Header::number`].
pub(super) fn parse_number(bytes: &[u8]) -> Result<i64> {
    let damaged = || Error::Damaged(format!("a header has {:?} for a number", String::from_utf8_lossy(bytes)));
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        // The bit after the mark is the sign.
        let start: i64 =
            if bytes[0] & 0x40 == 0 { i64::from(bytes[0] & 0x3f) } else { i64::from(bytes[0].cast_signed()) };
        let joined = bytes[1..].iter().try_fold(i128::from(start), |number, byte| {
            number.checked_mul(256).map(|number| number + i128::from(*byte))
        });
        return joined.and_then(|number| i64::try_from(number).ok()).ok_or_else(damaged);
    }
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or(b"").trim_ascii();
    text.iter().try_fold(0i64, |number, byte| match byte {
        b'0'..=b'7' => number.checked_mul(8).map(|number| number + i64::from(byte - b'0')).ok_or_else(damaged),
        _ => Err(damaged()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        for (bytes, number) in [
            (&b"0000644\0"[..], 0o644),
            (b"  644 \0", 0o644),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"        ", 0),
            (b"77777777777\0", 0o77_777_777_777),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", 0x2_0000_0000),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
        ] {
            assert_eq!(parse_number(bytes).expect("a number"), number, "{bytes:?}");
        }
        for bytes in [&b"12x\0"[..], b"-1\0", b"8\0", b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert!(parse_number(bytes).is_err(), "{bytes:?}");
        }
    }
}
