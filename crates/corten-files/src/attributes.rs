//! What SFTP says about a file.

use std::io;

use rustix::fs::{FileType, Stat};

use crate::wire::Rest;

const SIZE: u32 = 1;
const OWNER: u32 = 2;
const MODE: u32 = 4;
const TIMES: u32 = 8;
const EXTENDED: u32 = 0x8000_0000;

/// What is said about a file; what is `None` is not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes.
    pub size: Option<u64>,
    /// User and group, as the container sees them.
    pub owner: Option<(u32, u32)>,
    /// Type and permissions (`st_mode`).
    pub mode: Option<u32>,
    /// Last access and last change of the content, in seconds since 1970.
    pub times: Option<(u32, u32)>,
}

impl Attributes {
    /// What stat(2) says, but for the owner.
    pub fn of(stat: &Stat, owner: (u32, u32)) -> Attributes {
        let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
        Attributes {
            size: Some(u64::try_from(stat.st_size).unwrap_or(0)),
            owner: Some(owner),
            mode: Some(stat.st_mode),
            times: Some((seconds(stat.st_atime), seconds(stat.st_mtime))),
        }
    }

    /// What kind of file it is.
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode.unwrap_or(0))
    }

    /// The twelve bits of permissions.
    pub fn permissions(&self) -> Option<u32> {
        self.mode.map(|mode| mode & 0o7777)
    }

    /// Writes them.
    pub fn write(&self, into: &mut Vec<u8>) {
        let flag = |is: bool, bit: u32| if is { bit } else { 0 };
        let flags = flag(self.size.is_some(), SIZE)
            | flag(self.owner.is_some(), OWNER)
            | flag(self.mode.is_some(), MODE)
            | flag(self.times.is_some(), TIMES);
        into.extend_from_slice(&flags.to_be_bytes());
        if let Some(size) = self.size {
            into.extend_from_slice(&size.to_be_bytes());
        }
        let pairs = [self.owner, self.mode.map(|mode| (mode, 0)), self.times];
        for (place, pair) in pairs.into_iter().enumerate() {
            let Some((one, other)) = pair else { continue };
            into.extend_from_slice(&one.to_be_bytes());
            // The mode is one number, the others are two.
            if place != 1 {
                into.extend_from_slice(&other.to_be_bytes());
            }
        }
    }

    /// The bytes of [`Attributes::write`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        self.write(&mut bytes);
        bytes
    }

    /// Reads them; what others add is passed over.
    ///
    /// # Errors
    /// `InvalidData` when the packet ends before.
    pub fn read(rest: &mut Rest<'_>) -> io::Result<Attributes> {
        let flags = rest.number()?;
        let has = |bit| flags & bit != 0;
        let mut read = Attributes::default();
        if has(SIZE) {
            read.size = Some(rest.large()?);
        }
        if has(OWNER) {
            read.owner = Some((rest.number()?, rest.number()?));
        }
        if has(MODE) {
            read.mode = Some(rest.number()?);
        }
        if has(TIMES) {
            read.times = Some((rest.number()?, rest.number()?));
        }
        if has(EXTENDED) {
            for _ in 0..rest.number()? {
                rest.string()?;
                rest.string()?;
            }
        }
        Ok(read)
    }

    /// `drwxr-xr-x 0 0 4096 NAME`: what `ls -l` would say, without a date.
    pub fn long_name(&self, name: &[u8]) -> Vec<u8> {
        let mode = self.mode.unwrap_or(0);
        let kind = match self.kind() {
            FileType::Directory => 'd',
            FileType::Symlink => 'l',
            FileType::CharacterDevice => 'c',
            FileType::BlockDevice => 'b',
            FileType::Fifo => 'p',
            FileType::Socket => 's',
            _ => '-',
        };
        let bit = |place: usize, letter: char| if mode & (0o400 >> place) != 0 { letter } else { '-' };
        let bits: String = "rwxrwxrwx".chars().enumerate().map(|(place, letter)| bit(place, letter)).collect();
        let (uid, gid) = self.owner.unwrap_or_default();
        let mut line = format!("{kind}{bits} {uid:>8} {gid:>8} {:>12} ", self.size.unwrap_or(0)).into_bytes();
        line.extend_from_slice(name);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_of_them_come_back(size: Option<u64>, owner: Option<(u32, u32)>, mode: Option<u32>, times: Option<(u32, u32)>) {
            let attributes = Attributes { size, owner, mode, times };
            let bytes = attributes.to_bytes();
            let mut rest = Rest(&bytes);
            prop_assert_eq!(Attributes::read(&mut rest).unwrap(), attributes);
            prop_assert!(rest.0.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Attributes::read(&mut Rest(&bytes));
        }
    }

    #[test]
    fn a_line_for_a_person() {
        let attributes = Attributes { size: Some(12), owner: Some((0, 5)), mode: Some(0o100_640), times: None };
        assert_eq!(attributes.long_name(b"x"), b"-rw-r-----        0        5           12 x");
    }
}
