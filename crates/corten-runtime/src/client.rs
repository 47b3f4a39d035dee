//! Reaching a monitor: connecting to the socket in its run directory, one question, one answer.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::failure::Error;
use crate::protocol::{Reply, Request, wire};

/// The socket's name in the run directory.
pub const SOCKET: &str = "monitor.sock";

/// A monitor answers at once, but for freezing, which waits for the kernel.
const PATIENCE: Duration = Duration::from_secs(30);

/// The address of the socket in `dir`: by way of /proc, since a socket's path may have no more than 107 bytes.
pub fn address(dir: BorrowedFd<'_>) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()))?)
}

/// Opens the run directory, for [`address`].
pub fn open_dir(run_dir: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(run_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// A connection to the monitor of the container in `run_dir`; `None` when there is none.
pub fn connect(run_dir: &Path) -> Result<Option<OwnedFd>, Error> {
    let doing = || format!("reaching the monitor in {}", run_dir.display());
    let dir = match open_dir(run_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(Error::io(doing()))?,
    };
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|errno| Error::Io { doing: doing(), source: errno.into() })?;
    let address = address(dir.as_fd()).map_err(Error::io(doing()))?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
        Err(errno) => return Err(Error::Io { doing: doing(), source: errno.into() }),
    }
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Recv, Some(PATIENCE))
        .map_err(|errno| Error::Io { doing: doing(), source: errno.into() })?;
    Ok(Some(socket))
}

/// Asks, and waits for the answer.
pub fn ask(socket: &OwnedFd, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>), Error> {
    match wire::send(socket, request, fds) {
        Err(error) if is_gone(&error) => return Err(Error::Gone),
        outcome => outcome.map_err(Error::io("asking the monitor"))?,
    }
    match wire::receive(socket) {
        Ok(Some((Reply::Failed { what, errno, detail }, _))) => Err(Error::Refused { what, errno, detail }),
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Error::Gone),
        Err(error) if is_gone(&error) => Err(Error::Gone),
        Err(error) => Err(Error::io("reading the monitor's answer")(error)),
    }
}

/// Whether an error of the socket means that the monitor ended.
pub fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected)
}
