//! Packets of SFTP: numbers, strings, and where a packet ends.

use std::io::{self, Read};

/// The version that is spoken.
pub const VERSION: u32 = 3;

/// How many bytes of a file one packet of ours carries.
pub const PIECE: usize = 256 * 1024;

/// The longest packet that is read, in bytes: a piece, and a path or two beside it.
pub const LONGEST: usize = PIECE + 64 * 1024;

/// What a packet is.
pub mod kind {
    #![allow(missing_docs, reason = "the names are those of the protocol")]
    pub const INIT: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const LSTAT: u8 = 7;
    pub const FSTAT: u8 = 8;
    pub const SETSTAT: u8 = 9;
    pub const FSETSTAT: u8 = 10;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const RMDIR: u8 = 15;
    pub const REALPATH: u8 = 16;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const READLINK: u8 = 19;
    pub const SYMLINK: u8 = 20;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRS: u8 = 105;
    pub const EXTENDED: u8 = 200;
    pub const EXTENDED_REPLY: u8 = 201;
}

/// How a request went.
pub mod status {
    #![allow(missing_docs, reason = "the names are those of the protocol")]
    pub const OK: u32 = 0;
    pub const EOF: u32 = 1;
    pub const NO_SUCH_FILE: u32 = 2;
    pub const PERMISSION_DENIED: u32 = 3;
    pub const FAILURE: u32 = 4;
    pub const BAD_MESSAGE: u32 = 5;
    pub const UNSUPPORTED: u32 = 8;
}

/// How a file is to be opened.
pub mod open {
    #![allow(missing_docs, reason = "the names are those of the protocol")]
    pub const READ: u32 = 1;
    pub const WRITE: u32 = 2;
    pub const APPEND: u32 = 4;
    pub const CREATE: u32 = 8;
    pub const TRUNCATE: u32 = 16;
    pub const EXCLUSIVE: u32 = 32;
}

/// A packet that is being written: its length goes in front when it is done.
#[derive(Debug)]
pub struct Packet(Vec<u8>);

impl Packet {
    /// Begins a packet of this kind.
    pub fn new(kind: u8) -> Packet {
        Packet(vec![0, 0, 0, 0, kind])
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u32) -> Packet {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds a large number.
    #[must_use]
    pub fn large(mut self, number: u64) -> Packet {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds a string: its length and its bytes.
    #[must_use]
    pub fn string(self, text: &[u8]) -> Packet {
        let mut packet = self.number(u32::try_from(text.len()).unwrap_or(u32::MAX));
        packet.0.extend_from_slice(text);
        packet
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Packet {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The whole packet, with its length in front.
    pub fn done(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// What is left to be read of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// `InvalidData` when the packet ends before; so do all of these.
    pub fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Reads a number.
    ///
    /// # Errors
    /// See [`Rest::byte`].
    pub fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| short())?))
    }

    /// Reads a large number.
    ///
    /// # Errors
    /// See [`Rest::byte`].
    pub fn large(&mut self) -> io::Result<u64> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().map_err(|_| short())?))
    }

    /// Reads a string.
    ///
    /// # Errors
    /// See [`Rest::byte`].
    pub fn string(&mut self) -> io::Result<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| short())?)
    }
}

fn short() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a packet is shorter than what it should hold")
}

/// Reads the next packet into `buffer`, without its length; `false` at the end of the stream.
///
/// # Errors
/// What the stream says; `InvalidData` for a packet that is empty or over [`LONGEST`].
pub fn read_packet(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 4];
    let mut had = 0;
    while had < length.len() {
        match stream.read(&mut length[had..]) {
            Ok(0) if had == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => had += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a packet of {length} bytes")));
    }
    buffer.resize(length, 0);
    stream.read_exact(buffer)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let packet = Packet::new(kind::OPEN).number(7).string(b"/etc/hosts").large(u64::MAX).raw(b"xy").done();
        assert_eq!(packet[..9], [0, 0, 0, 29, kind::OPEN, 0, 0, 0, 7]);
        let mut read = Vec::new();
        let mut stream = packet.as_slice();
        assert!(read_packet(&mut stream, &mut read).expect("whole"));
        let mut rest = Rest(&read);
        assert_eq!((rest.byte().unwrap(), rest.number().unwrap()), (kind::OPEN, 7));
        assert_eq!((rest.string().unwrap(), rest.large().unwrap(), rest.0), (&b"/etc/hosts"[..], u64::MAX, &b"xy"[..]));
        assert!(rest.number().is_err());
        assert!(!read_packet(&mut stream, &mut read).expect("the end"));
    }

    #[test]
    fn lengths_are_not_believed() {
        for bytes in [&[0, 0, 0, 0][..], &[0xff, 0xff, 0xff, 0xff, 1], &[0, 0, 0], &[0, 0, 0, 9, 1]] {
            assert!(read_packet(&mut &bytes[..], &mut Vec::new()).is_err(), "{bytes:?}");
        }
        assert!(Rest(&[0xff, 0xff, 0xff, 0xff, 1]).string().is_err());
    }
}
