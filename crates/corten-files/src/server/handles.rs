//! What a client has open.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use corten_host::rooted::directory::Directory;

/// How many things one connection may have open.
const MOST: usize = 512;

/// Something open.
#[derive(Debug)]
pub enum Handle {
    /// A regular file.
    File(OwnedFd),
    /// A directory that is being listed.
    Directory {
        /// For looking at its entries.
        open: Directory,
        /// Where the listing is.
        at: rustix::fs::Dir,
    },
}

/// All that is open, by number.
#[derive(Debug, Default)]
pub struct Handles {
    open: BTreeMap<u32, Handle>,
    next: u32,
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no such handle")
}

fn number(handle: &[u8]) -> io::Result<u32> {
    Ok(u32::from_be_bytes(handle.try_into().map_err(|_| unknown())?))
}

impl Handles {
    /// Keeps something open; gives the name that the client knows it by.
    ///
    /// # Errors
    /// `EMFILE` when there is too much already.
    pub fn keep(&mut self, handle: Handle) -> io::Result<[u8; 4]> {
        if self.open.len() >= MOST {
            return Err(rustix::io::Errno::MFILE.into());
        }
        while self.open.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        self.open.insert(self.next, handle);
        Ok(self.next.to_be_bytes())
    }

    /// What a client knows by this name.
    ///
    /// # Errors
    /// When it is not open.
    pub fn get(&mut self, handle: &[u8]) -> io::Result<&mut Handle> {
        self.open.get_mut(&number(handle)?).ok_or_else(unknown)
    }

    /// The file that a client knows by this name.
    ///
    /// # Errors
    /// When it is not open, or no file.
    pub fn file(&mut self, handle: &[u8]) -> io::Result<&OwnedFd> {
        match self.get(handle)? {
            Handle::File(file) => Ok(file),
            Handle::Directory { .. } => Err(rustix::io::Errno::ISDIR.into()),
        }
    }

    /// Closes it.
    ///
    /// # Errors
    /// When it is not open.
    pub fn close(&mut self, handle: &[u8]) -> io::Result<()> {
        self.open.remove(&number(handle)?).map(drop).ok_or_else(unknown)
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Handle::File(file) => file.as_fd(),
            Handle::Directory { open, .. } => open.as_fd(),
        }
    }
}
