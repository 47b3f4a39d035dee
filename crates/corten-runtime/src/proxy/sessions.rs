//! Datagrams through a proxy: each sender has a socket of its own towards the target, by which answers find back.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::Address;
use super::dial::{Dialed, Dialer};

/// A sender that has been silent for so long is forgotten.
const PATIENCE: Duration = Duration::from_secs(180);
/// Datagrams kept for a target that is not connected yet.
const WAITING: usize = 64;
/// The largest datagram.
const LARGEST: usize = 65_536;
/// Senders known at once; beyond, new ones are not served.
const SENDERS: usize = 4096;

struct Session {
    target: Dialed,
    waiting: VecDeque<Vec<u8>>,
    heard: Instant,
}

/// The senders of one listening socket.
#[derive(Default)]
pub struct Sessions {
    of: HashMap<SocketAddr, Session>,
}

impl Sessions {
    /// Takes the datagrams that have come.
    pub fn receive(&mut self, socket: &UdpSocket, dialer: &Dialer, target: &Address) {
        let mut data = vec![0; LARGEST];
        while let Ok((length, sender)) = socket.recv_from(&mut data) {
            if !self.of.contains_key(&sender) {
                if self.of.len() >= SENDERS {
                    continue;
                }
                match dialer.dial(target) {
                    Ok(target) => {
                        self.of.insert(sender, Session { target, waiting: VecDeque::new(), heard: Instant::now() });
                    }
                    Err(error) => {
                        super::serve::complain(target, &error);
                        continue;
                    }
                }
            }
            let Some(session) = self.of.get_mut(&sender) else { continue };
            session.heard = Instant::now();
            // A datagram may be lost; that is what its sender expects.
            if session.waiting.len() < WAITING {
                session.waiting.push_back(data[..length].to_vec());
            }
            if session.push().is_err() {
                self.of.remove(&sender);
            }
        }
    }

    /// Each sender's socket with what is waited for.
    pub fn interests(&self) -> impl Iterator<Item = (SocketAddr, &OwnedFd, PollFlags)> {
        self.of.iter().map(|(sender, session)| {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, session.target.pending || !session.waiting.is_empty());
            (*sender, &session.target.socket, flags)
        })
    }

    /// Goes on with one sender whose socket is ready.
    pub fn turn(&mut self, socket: &UdpSocket, sender: SocketAddr) {
        let Some(session) = self.of.get_mut(&sender) else { return };
        if session.answer(socket, sender).and_then(|()| session.push()).is_err() {
            self.of.remove(&sender);
        }
    }

    /// Forgets senders that were silent for long; gives when the next one has been.
    pub fn forget_silent(&mut self, now: Instant) -> Option<Duration> {
        self.of.retain(|_, session| now.duration_since(session.heard) < PATIENCE);
        let oldest = self.of.values().map(|session| session.heard).min()?;
        Some(PATIENCE.saturating_sub(now.duration_since(oldest)))
    }
}

impl Session {
    /// Sends what waits.
    fn push(&mut self) -> io::Result<()> {
        if self.target.pending {
            let ready = rustix::event::PollFd::from_borrowed_fd(self.target.socket.as_fd(), PollFlags::OUT);
            let mut ready = [ready];
            rustix::event::poll(&mut ready, Some(&rustix::event::Timespec::default()))?;
            if ready[0].revents().is_empty() {
                return Ok(());
            }
            rustix::net::sockopt::socket_error(&self.target.socket)??;
            self.target.pending = false;
        }
        while let Some(data) = self.waiting.front_mut() {
            match rustix::net::send(&self.target.socket, data, SendFlags::NOSIGNAL) {
                Ok(length) if length < data.len() => drop(data.drain(..length)),
                Ok(_) => drop(self.waiting.pop_front()),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Sends the target's answers back.
    fn answer(&mut self, socket: &UdpSocket, sender: SocketAddr) -> io::Result<()> {
        if self.target.pending {
            return Ok(());
        }
        let mut data = vec![0; LARGEST];
        loop {
            match rustix::net::recv(&self.target.socket, &mut data[..], RecvFlags::empty()) {
                Ok((0, _)) if !self.target.datagrams => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok((length, _)) => {
                    self.heard = Instant::now();
                    let _ = socket.send_to(&data[..length], sender);
                }
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
