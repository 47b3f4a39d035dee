//! A connection through a proxy: two sockets, and what is on its way in either direction.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    Shutdown,
};

use super::dial::Dialed;

/// Bytes taken at once.
const PIECE: usize = 64 << 10;
/// Descriptors taken at once: the kernel's own limit for one message.
const RIGHTS: usize = 253;
/// Pieces moved for one connection before others have their turn.
const TURN: usize = 8;

/// One end.
struct End {
    socket: OwnedFd,
    datagrams: bool,
}

/// What goes in one direction.
#[derive(Default)]
struct Flow {
    data: Vec<u8>,
    sent: usize,
    /// Descriptors that travel with the first byte of `data`.
    rights: Vec<OwnedFd>,
    ended: bool,
    shut: bool,
}

impl Flow {
    fn is_empty(&self) -> bool {
        self.sent == self.data.len()
    }

    /// Moves what can be moved without waiting.
    fn pump(&mut self, from: &End, to: &End, rights: bool) -> io::Result<()> {
        for _ in 0..TURN {
            if self.is_empty() && !self.ended && !self.fill(from, rights)? {
                break;
            }
            if !self.is_empty() && !self.flush(to)? {
                break;
            }
            if self.is_empty() && self.ended {
                break;
            }
        }
        if self.is_empty() && self.ended && !self.shut {
            self.shut = true;
            if to.datagrams {
                // Datagrams have no end that could be told.
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            rustix::net::shutdown(&to.socket, Shutdown::Write)?;
        }
        Ok(())
    }

    /// Whether something came.
    fn fill(&mut self, from: &End, rights: bool) -> io::Result<bool> {
        let mut data = vec![0; PIECE];
        let received = if rights {
            with_rights(&from.socket, &mut data, &mut self.rights)
        } else {
            rustix::net::recv(&from.socket, &mut data[..], RecvFlags::empty()).map(|(length, _)| length)
        };
        match received {
            Ok(0) if from.datagrams => Ok(true),
            Ok(0) => {
                self.ended = true;
                Ok(true)
            }
            Ok(length) => {
                data.truncate(length);
                (self.data, self.sent) = (data, 0);
                Ok(true)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether all of it went.
    fn flush(&mut self, to: &End) -> io::Result<bool> {
        let rest = &self.data[self.sent..];
        let sent = if self.rights.is_empty() {
            rustix::net::send(&to.socket, rest, SendFlags::NOSIGNAL)
        } else {
            let fds: Vec<_> = self.rights.iter().map(AsFd::as_fd).collect();
            let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(RIGHTS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            control.push(SendAncillaryMessage::ScmRights(&fds));
            rustix::net::sendmsg(&to.socket, &[IoSlice::new(rest)], &mut control, SendFlags::NOSIGNAL)
        };
        match sent {
            Ok(length) => {
                self.rights.clear();
                self.sent += length;
                if !self.is_empty() {
                    return Ok(false);
                }
                (self.data, self.sent) = (Vec::new(), 0);
                Ok(true)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn with_rights(socket: &OwnedFd, data: &mut [u8], rights: &mut Vec<OwnedFd>) -> rustix::io::Result<usize> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(RIGHTS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(data)], &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            rights.extend(fds);
        }
    }
    Ok(received.bytes)
}

/// A connection.
pub struct Pair {
    client: End,
    target: End,
    pending: bool,
    /// Whether descriptors pass, as between two unix sockets.
    rights: bool,
    there: Flow,
    back: Flow,
}

impl Pair {
    /// A client's connection with the one that was begun for it; `greeting` goes to the target first.
    pub fn new(client: OwnedFd, dialed: Dialed, rights: bool, greeting: Vec<u8>) -> Pair {
        Pair {
            client: End { socket: client, datagrams: false },
            target: End { socket: dialed.socket, datagrams: dialed.datagrams },
            pending: dialed.pending,
            rights,
            there: Flow { data: greeting, ..Flow::default() },
            back: Flow::default(),
        }
    }

    /// The sockets, each with what is waited for; nothing means that it need not be looked at.
    pub fn interests(&self) -> [(&OwnedFd, PollFlags); 2] {
        let flags = |reads: &Flow, writes: &Flow| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, reads.is_empty() && !reads.ended);
            flags.set(PollFlags::OUT, !writes.is_empty());
            flags
        };
        if self.pending {
            return [(&self.client.socket, PollFlags::empty()), (&self.target.socket, PollFlags::OUT)];
        }
        [(&self.client.socket, flags(&self.there, &self.back)), (&self.target.socket, flags(&self.back, &self.there))]
    }

    /// Moves what can be moved; false when the connection is over.
    ///
    /// # Errors
    /// When the target refuses.
    pub fn turn(&mut self) -> io::Result<bool> {
        if self.pending {
            rustix::net::sockopt::socket_error(&self.target.socket)??;
            self.pending = false;
        }
        let there = self.there.pump(&self.client, &self.target, self.rights);
        let back = self.back.pump(&self.target, &self.client, self.rights);
        Ok(there.is_ok() && back.is_ok() && !(self.there.shut && self.back.shut))
    }
}
