//! The container's console: its last output, and whoever is attached to it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use corten_host::{fd, pty};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};

/// The last bytes of an endless output.
#[derive(Debug, Default)]
pub struct Ring {
    bytes: VecDeque<u8>,
    size: usize,
}

impl Ring {
    /// Keeps `size` bytes; memory is taken as they come.
    pub fn new(size: usize) -> Ring {
        Ring { bytes: VecDeque::new(), size }
    }

    /// Adds output, forgetting the oldest.
    pub fn push(&mut self, output: &[u8]) {
        let output = &output[output.len().saturating_sub(self.size)..];
        let over = (self.bytes.len() + output.len()).saturating_sub(self.size);
        self.bytes.drain(..over);
        self.bytes.extend(output);
    }

    /// What is kept, oldest first.
    pub fn content(&self) -> Vec<u8> {
        self.bytes.iter().copied().collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes = VecDeque::new();
    }
}

/// The console's master, its ring and the one who is attached.
#[derive(Debug)]
pub struct Console {
    master: OwnedFd,
    /// Held open: a terminal that nobody has open reports an end at each look, and init opens and closes it as it
    /// likes.
    _slave: OwnedFd,
    ring: Ring,
    client: Option<OwnedFd>,
    /// Typed, and not yet taken by the terminal.
    typed: Vec<u8>,
}

impl Console {
    /// Around the master that the child has opened.
    pub fn new(master: OwnedFd, ring: u32) -> io::Result<Console> {
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let ring = Ring::new(usize::try_from(ring).unwrap_or(0));
        Ok(Console { master, _slave: slave, ring, client: None, typed: Vec::new() })
    }

    /// The terminal, and whether what was typed waits for it.
    pub fn terminal(&self) -> (BorrowedFd<'_>, bool) {
        (self.master.as_fd(), !self.typed.is_empty())
    }

    /// Who is attached, unless something typed before still has to be taken.
    pub fn typist(&self) -> Option<BorrowedFd<'_>> {
        self.client.as_ref().filter(|_| self.typed.is_empty()).map(AsFd::as_fd)
    }

    /// Attaches: the other end of the client's socket.
    pub fn attach(&mut self, force: bool) -> io::Result<OwnedFd> {
        // Whoever has hung up is noticed here even before the loop comes by.
        if let Some(client) = &self.client
            && matches!(rustix::net::recv(client, &mut [0u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT), Ok((0, _)))
        {
            self.client = None;
        }
        if self.client.is_some() && !force {
            return Err(Errno::BUSY.into());
        }
        let (ours, theirs) = fd::stream_pair()?;
        self.client = Some(ours);
        Ok(theirs)
    }

    /// Takes what the container has written: into the ring and to whoever is attached. What he does not read in time
    /// is lost to him; the container never waits for him.
    pub fn take_output(&mut self) {
        let mut buffer = [0u8; 4096];
        // A container that never stops writing must not keep the monitor from everything else.
        for _ in 0..16 {
            let Ok(count @ 1..) = rustix::io::read(&self.master, &mut buffer[..]) else { break };
            self.ring.push(&buffer[..count]);
            if let Some(client) = &self.client {
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                if matches!(rustix::net::send(client, &buffer[..count], flags), Err(Errno::PIPE | Errno::CONNRESET)) {
                    self.client = None;
                }
            }
        }
    }

    /// Takes what was typed.
    pub fn take_input(&mut self) {
        let Some(client) = &self.client else { return };
        let mut buffer = [0u8; 1024];
        match rustix::net::recv(client, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) | Err(Errno::CONNRESET | Errno::PIPE) => self.client = None,
            Ok((count, _)) => {
                self.typed.extend_from_slice(&buffer[..count]);
                self.flush_input();
            }
            Err(_) => {}
        }
    }

    /// Hands on what was typed, as far as the terminal takes it.
    pub fn flush_input(&mut self) {
        match rustix::io::write(&self.master, &self.typed) {
            Ok(count) if count == self.typed.len() => self.typed = Vec::new(),
            Ok(count) => drop(self.typed.drain(..count)),
            Err(_) => {}
        }
    }

    /// Sets the terminal's size.
    pub fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        pty::resize(&self.master, cols, rows)
    }

    /// The ring's content.
    pub fn log(&self) -> Vec<u8> {
        self.ring.content()
    }

    /// Forgets the ring's content.
    pub fn clear_log(&mut self) {
        self.ring.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_last_bytes() {
        let mut ring = Ring::new(4);
        for (output, wanted) in [("ab", "ab"), ("cd", "abcd"), ("e", "bcde"), ("123456", "3456"), ("", "3456")] {
            ring.push(output.as_bytes());
            assert_eq!(ring.content(), wanted.as_bytes());
        }
        ring.clear();
        assert!(ring.content().is_empty());
        let mut none = Ring::new(0);
        none.push(b"lost");
        assert!(none.content().is_empty());
    }
}
