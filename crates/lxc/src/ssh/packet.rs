//! Values in SSH packets (RFC 4251, section 5).

use std::io;

/// Message numbers (RFC 4250, section 4.1.2).
#[allow(missing_docs, reason = "the names are those of the protocol")]
pub mod message {
    pub const DISCONNECT: u8 = 1;
    pub const IGNORE: u8 = 2;
    pub const UNIMPLEMENTED: u8 = 3;
    pub const DEBUG: u8 = 4;
    pub const SERVICE_REQUEST: u8 = 5;
    pub const SERVICE_ACCEPT: u8 = 6;
    pub const KEXINIT: u8 = 20;
    pub const NEWKEYS: u8 = 21;
    pub const KEX_ECDH_INIT: u8 = 30;
    pub const KEX_ECDH_REPLY: u8 = 31;
    pub const USERAUTH_REQUEST: u8 = 50;
    pub const USERAUTH_FAILURE: u8 = 51;
    pub const USERAUTH_SUCCESS: u8 = 52;
    pub const GLOBAL_REQUEST: u8 = 80;
    pub const REQUEST_FAILURE: u8 = 82;
    pub const CHANNEL_OPEN: u8 = 90;
    pub const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
    pub const CHANNEL_OPEN_FAILURE: u8 = 92;
    pub const CHANNEL_WINDOW_ADJUST: u8 = 93;
    pub const CHANNEL_DATA: u8 = 94;
    pub const CHANNEL_EOF: u8 = 96;
    pub const CHANNEL_CLOSE: u8 = 97;
    pub const CHANNEL_REQUEST: u8 = 98;
    pub const CHANNEL_SUCCESS: u8 = 99;
    pub const CHANNEL_FAILURE: u8 = 100;
}

/// A packet's content that is being written.
#[derive(Clone, Debug, Default)]
pub struct Out(pub Vec<u8>);

impl Out {
    /// Begins with a message number.
    pub fn new(message: u8) -> Out {
        Out(vec![message])
    }

    /// Adds a byte.
    #[must_use]
    pub fn byte(mut self, byte: u8) -> Out {
        self.0.push(byte);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u32) -> Out {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds a string: its length and its bytes.
    #[must_use]
    pub fn string(self, text: &[u8]) -> Out {
        let mut out = self.number(u32::try_from(text.len()).unwrap_or(u32::MAX));
        out.0.extend_from_slice(text);
        out
    }

    /// Adds a positive integer of any length, given from its highest byte.
    #[must_use]
    pub fn integer(self, bytes: &[u8]) -> Out {
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let digits = &bytes[first..];
        if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
            let mut signed = vec![0];
            signed.extend_from_slice(digits);
            return self.string(&signed);
        }
        self.string(digits)
    }
}

/// What is left to be read of a packet's content.
#[derive(Clone, Copy, Debug)]
pub struct In<'a>(pub &'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| broken("a packet is too short"))?;
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
    /// See [`In::byte`].
    pub fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    /// Reads a string.
    ///
    /// # Errors
    /// See [`In::byte`].
    pub fn string(&mut self) -> io::Result<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    /// Reads a list of names.
    ///
    /// # Errors
    /// See [`In::byte`].
    pub fn names(&mut self) -> io::Result<Vec<&'a str>> {
        let text = std::str::from_utf8(self.string()?).map_err(|_| broken("a name is no text"))?;
        Ok(text.split(',').collect())
    }
}

/// The client has broken the rules.
pub fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_positive_and_short() {
        for (bytes, wanted) in [
            (&[][..], &[0, 0, 0, 0][..]),
            (&[0, 0], &[0, 0, 0, 0]),
            (&[0x09, 0xa3], &[0, 0, 0, 2, 0x09, 0xa3]),
            (&[0, 0x80], &[0, 0, 0, 2, 0, 0x80]),
        ] {
            assert_eq!(Out::default().integer(bytes).0, wanted);
        }
        let mut read = In(&[0, 0, 0, 3, b'a', b',', b'b', 0, 0, 0, 9, 1]);
        assert_eq!(read.names().expect("names"), ["a", "b"]);
        assert!(read.string().is_err());
    }
}
