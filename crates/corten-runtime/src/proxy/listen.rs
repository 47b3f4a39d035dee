//! Sockets that a proxy listens on.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use corten_host::fd;
use corten_host::rooted::Rooted;
use corten_host::rooted::directory::Directory;
use corten_host::syscall::clone3::{Side, clone3, exit_now};
use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::thread::{Gid, ThreadNameSpaceType, Uid, move_into_thread_name_spaces};

use super::{Address, Owner, ProxySpec};
use crate::protocol::wire;

/// The container that is listened in.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    /// Its root.
    pub root: BorrowedFd<'a>,
    /// Its first process, when it has a user namespace.
    pub init: Option<BorrowedFd<'a>>,
}

/// A listening socket, and which address its connections go to.
pub struct Listening {
    /// The socket.
    pub socket: Socket,
    /// Index into the spec's `connect`.
    pub target: usize,
}

/// Kinds of listening sockets.
pub enum Socket {
    /// Connections come from it.
    Stream(OwnedFd),
    /// Datagrams come from it, of any number of senders.
    Datagram(UdpSocket),
}

impl Listening {
    /// Opens all of a spec's; paths of unix sockets are the container's when it is given, else the host's.
    ///
    /// # Errors
    /// The address that cannot be had.
    pub fn all(spec: &ProxySpec, guest: Option<Guest<'_>>) -> io::Result<Vec<Listening>> {
        let open = |(at, address): (usize, &Address)| {
            let socket = open(address, guest, spec.owner)
                .map_err(|error| io::Error::other(format!("Failed to listen on {}: {error}", told(address))))?;
            Ok(Listening { socket, target: if spec.connect.len() == 1 { 0 } else { at } })
        };
        spec.listen.iter().enumerate().map(open).collect()
    }
}

/// An address as people write it.
pub fn told(address: &Address) -> String {
    match address {
        Address::Tcp(address) => format!("tcp:{address}"),
        Address::Udp(address) => format!("udp:{address}"),
        Address::Unix(path) => format!("unix:{}", path.display()),
        Address::Abstract(name) => format!("unix:@{name}"),
    }
}

fn open(address: &Address, guest: Option<Guest<'_>>, owner: Owner) -> io::Result<Socket> {
    match address {
        Address::Tcp(address) => {
            let socket = TcpListener::bind(address)?;
            socket.set_nonblocking(true)?;
            Ok(Socket::Stream(socket.into()))
        }
        Address::Udp(address) => {
            let socket = UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            Ok(Socket::Datagram(socket))
        }
        Address::Abstract(name) => bound(&SocketAddrUnix::new_abstract_name(name.as_bytes())?).map(Socket::Stream),
        Address::Unix(path) => match guest {
            Some(Guest { root, init: Some(init) }) => as_guest_root(init, || at_path(path, Some(root), owner)),
            Some(Guest { root, init: None }) => at_path(path, Some(root), owner),
            None => at_path(path, None, owner),
        }
        .map(Socket::Stream),
    }
}

/// A unix socket that listens.
fn bound(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, address)?;
    rustix::net::listen(&socket, 128)?;
    Ok(socket)
}

/// Does `work` in a child that is root of the container's user namespace, since on its file systems no other can make files;
/// the socket comes back. Unix sockets with a file belong to no network namespace.
fn as_guest_root(init: BorrowedFd<'_>, work: impl FnOnce() -> io::Result<OwnedFd>) -> io::Result<OwnedFd> {
    let (ours, theirs) = fd::packet_pair()?;
    match clone3(0, None)? {
        Side::Child => {
            let made = become_guest_root(init).and_then(|()| work());
            let told = match made {
                Ok(socket) => wire::send(&theirs, &None::<String>, &[socket.as_fd()]),
                Err(error) => wire::send(&theirs, &Some(error.to_string()), &[]),
            };
            exit_now(i32::from(told.is_err()))
        }
        Side::Parent { .. } => {
            drop(theirs);
            match wire::receive::<Option<String>>(&ours)? {
                Some((None, mut fds)) if fds.len() == 1 => Ok(fds.remove(0)),
                Some((Some(why), _)) => Err(io::Error::other(why)),
                _ => Err(io::Error::other("the process in the container ended without a word")),
            }
        }
    }
}

fn become_guest_root(init: BorrowedFd<'_>) -> io::Result<()> {
    move_into_thread_name_spaces(init, ThreadNameSpaceType::USER)?;
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    Ok(rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?)
}

/// A unix socket with a file. One that nobody listens on any more is replaced.
fn at_path(path: &Path, root: Option<BorrowedFd<'_>>, owner: Owner) -> io::Result<OwnedFd> {
    let (directory, name): (Directory, PathBuf) = match root {
        Some(root) => {
            let rooted = Rooted::from_fd(root.try_clone_to_owned()?);
            let (directory, name) = rooted.parent(path)?;
            (directory, name.into())
        }
        None => {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            (Directory::open(parent)?, name.into())
        }
    };
    // Through the descriptor: no link of the container's leads elsewhere, and a path may be longer than an address.
    let way = format!("/proc/self/fd/{}/{}", directory.as_fd().as_raw_fd(), name.display());
    let address = SocketAddrUnix::new(way)?;
    let socket = match bound(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&address) => {
            directory.unlink(name.as_os_str())?;
            bound(&address)?
        }
        other => other?,
    };
    directory.chown(name.as_os_str(), owner.uid, owner.gid)?;
    directory.chmod(name.as_os_str(), Mode::from_raw_mode(owner.mode))?;
    Ok(socket)
}

/// Whether there is a socket that refuses connections.
fn is_stale(address: &SocketAddrUnix) -> bool {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok(socket) = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None) else {
        return false;
    };
    rustix::net::connect(&socket, address) == Err(rustix::io::Errno::CONNREFUSED)
}
