//! A proxy's life: one thread waits for all sockets, and for the container's end.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SocketFlags;

use super::dial::Dialer;
use super::flow::Pair;
use super::listen::{Listening, Socket, told};
use super::sessions::Sessions;
use super::{Address, ProxySpec};

/// All that a proxy has.
pub struct Serving {
    connect: Vec<Address>,
    proxy_protocol: bool,
    listening: Vec<(Listening, Sessions)>,
    dialer: Dialer,
    /// Readable when the container has ended.
    ended: OwnedFd,
    pairs: Vec<Pair>,
}

/// What is to be done since a socket is ready.
enum Ready {
    Ended,
    Listening(usize),
    Session(usize, SocketAddr),
    Pair(usize),
}

impl Serving {
    /// Begins without connections.
    pub fn new(spec: &ProxySpec, listening: Vec<Listening>, dialer: Dialer, ended: OwnedFd) -> Serving {
        Serving {
            connect: spec.connect.clone(),
            proxy_protocol: spec.proxy_protocol,
            listening: listening.into_iter().map(|one| (one, Sessions::default())).collect(),
            dialer,
            ended,
            pairs: Vec::new(),
        }
    }

    /// Serves until the container ends.
    pub fn serve(&mut self) {
        loop {
            let now = Instant::now();
            let patience = self.listening.iter_mut().filter_map(|(_, sessions)| sessions.forget_silent(now)).min();
            let ready = match self.wait(patience.and_then(|time| Timespec::try_from(time).ok()).as_ref()) {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(errno) => {
                    eprintln!("Waiting failed: {errno}");
                    return;
                }
            };
            let mut over = Vec::new();
            for ready in ready {
                match ready {
                    Ready::Ended => return,
                    Ready::Listening(at) => self.accept(at),
                    Ready::Session(at, sender) => {
                        let (Listening { socket, .. }, sessions) = &mut self.listening[at];
                        if let Socket::Datagram(socket) = socket {
                            sessions.turn(socket, sender);
                        }
                    }
                    Ready::Pair(at) => match self.pairs[at].turn() {
                        Ok(true) => {}
                        Ok(false) => over.push(at),
                        Err(error) => {
                            eprintln!("Failed to connect: {error}");
                            over.push(at);
                        }
                    },
                }
            }
            over.dedup();
            // From the end, so that the places before stay what they are; new connections are behind all of these.
            for at in over.into_iter().rev() {
                self.pairs.swap_remove(at);
            }
        }
    }

    fn wait(&self, patience: Option<&Timespec>) -> Result<Vec<Ready>, Errno> {
        let mut fds = vec![PollFd::new(&self.ended, PollFlags::IN)];
        let mut meaning = vec![Ready::Ended];
        for (at, (listening, sessions)) in self.listening.iter().enumerate() {
            let socket = match &listening.socket {
                Socket::Stream(socket) => socket.as_fd(),
                Socket::Datagram(socket) => socket.as_fd(),
            };
            fds.push(PollFd::from_borrowed_fd(socket, PollFlags::IN));
            meaning.push(Ready::Listening(at));
            for (sender, socket, flags) in sessions.interests() {
                fds.push(PollFd::new(socket, flags));
                meaning.push(Ready::Session(at, sender));
            }
        }
        for (at, pair) in self.pairs.iter().enumerate() {
            // A socket of which nothing is wanted would wake us for its end again and again.
            for (socket, flags) in pair.interests().into_iter().filter(|(_, flags)| !flags.is_empty()) {
                fds.push(PollFd::new(socket, flags));
                meaning.push(Ready::Pair(at));
            }
        }
        poll(&mut fds, patience)?;
        let ready = fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<bool>>();
        Ok(meaning.into_iter().zip(ready).filter_map(|(meaning, ready)| ready.then_some(meaning)).collect())
    }

    fn accept(&mut self, at: usize) {
        let (listening, sessions) = &mut self.listening[at];
        let target = &self.connect[listening.target];
        let socket = match &listening.socket {
            Socket::Stream(socket) => socket,
            Socket::Datagram(socket) => {
                sessions.receive(socket, &self.dialer, target);
                return;
            }
        };
        // One at a time: the loop comes back for more.
        let Ok(client) = rustix::net::accept_with(socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) else { return };
        match self.dialer.dial(target) {
            Ok(dialed) => {
                let greeting = if self.proxy_protocol { greeting(&client) } else { Vec::new() };
                let is_unix = |address: &Address| matches!(address, Address::Unix(_) | Address::Abstract(_));
                let rights = is_unix(target) && peer(&client).is_none();
                self.pairs.push(Pair::new(client, dialed, rights, greeting));
            }
            Err(error) => complain(target, &error),
        }
    }
}

/// The client's address; none for a unix socket.
fn peer(client: &OwnedFd) -> Option<SocketAddr> {
    rustix::net::getpeername(client).ok().flatten().and_then(|address| SocketAddr::try_from(address).ok())
}

/// Who has connected, as HAProxy's protocol, version 1, tells it.
fn greeting(client: &OwnedFd) -> Vec<u8> {
    let own = rustix::net::getsockname(client).ok().and_then(|address| SocketAddr::try_from(address).ok());
    header(peer(client), own).into_bytes()
}

fn header(from: Option<SocketAddr>, to: Option<SocketAddr>) -> String {
    // An IPv4 client of an IPv6 socket is an IPv4 client.
    let plain = |address: SocketAddr| (address.ip().to_canonical(), address.port());
    match (from.map(plain), to.map(plain)) {
        (Some((from, from_port)), Some((to, to_port))) => {
            let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
            format!("PROXY {family} {from} {to} {from_port} {to_port}\r\n")
        }
        _ => "PROXY UNKNOWN\r\n".to_string(),
    }
}

/// Says in the log why a target could not be reached.
pub fn complain(target: &Address, error: &io::Error) {
    eprintln!("Failed to connect to {}: {error}", told(target));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_haproxys() {
        let at = |text: &str| Some(text.parse().expect("an address"));
        let cases = [
            (at("10.0.0.1:5"), at("10.0.0.2:80"), "PROXY TCP4 10.0.0.1 10.0.0.2 5 80\r\n"),
            (at("[::ffff:10.0.0.1]:5"), at("[::ffff:10.0.0.2]:80"), "PROXY TCP4 10.0.0.1 10.0.0.2 5 80\r\n"),
            (at("[fd00::1]:5"), at("[fd00::2]:80"), "PROXY TCP6 fd00::1 fd00::2 5 80\r\n"),
            (None, at("10.0.0.2:80"), "PROXY UNKNOWN\r\n"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(header(from, to), expected);
        }
    }
}
