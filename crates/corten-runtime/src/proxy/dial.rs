//! Sockets that a proxy connects with. They belong to the network namespace that the process is in.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use corten_host::rooted::Rooted;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::Address;

/// Connects; paths of unix sockets are the container's, or the host's.
pub struct Dialer {
    root: Option<Rooted>,
}

/// A socket towards a target.
pub struct Dialed {
    /// The socket, not blocking.
    pub socket: OwnedFd,
    /// Whether it carries datagrams.
    pub datagrams: bool,
    /// Whether it is not through yet: it can be written to then.
    pub pending: bool,
}

impl Dialer {
    /// Looks up paths below `root` when there is one.
    pub fn new(root: Option<OwnedFd>) -> Dialer {
        Dialer { root: root.map(Rooted::from_fd) }
    }

    /// Begins a connection.
    ///
    /// # Errors
    /// When it cannot even be begun.
    pub fn dial(&self, address: &Address) -> io::Result<Dialed> {
        match address {
            Address::Tcp(address) => {
                let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
                let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
                let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
                let pending = match rustix::net::connect(&socket, address) {
                    Ok(()) => false,
                    Err(Errno::INPROGRESS) => true,
                    Err(errno) => return Err(errno.into()),
                };
                Ok(Dialed { socket, datagrams: false, pending })
            }
            Address::Udp(address) => {
                let any: SocketAddr = match address {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                socket.set_nonblocking(true)?;
                Ok(Dialed { socket: socket.into(), datagrams: true, pending: false })
            }
            Address::Abstract(name) => unix(&SocketAddrUnix::new_abstract_name(name.as_bytes())?),
            Address::Unix(path) => match &self.root {
                None => unix(&SocketAddrUnix::new(path.as_path())?),
                Some(root) => {
                    let file = root.open_fd(path, OFlags::PATH, Mode::empty())?;
                    unix(&SocketAddrUnix::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?)
                }
            },
        }
    }
}

fn unix(address: &SocketAddrUnix) -> io::Result<Dialed> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, address)?;
    Ok(Dialed { socket, datagrams: false, pending: false })
}
