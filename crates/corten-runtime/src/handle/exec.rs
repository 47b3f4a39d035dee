//! Running a process in a running container.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::{Container, unexpected};
use crate::client;
use crate::failure::Error;
use crate::protocol::{Reply, Request, wire};
use crate::spec::ExecSpec;

/// A process in a container. Dropped, it is left alone: it runs on, and what it writes to held descriptors is drained
/// by the monitor.
#[derive(Debug)]
pub struct Session {
    socket: OwnedFd,
    pidfd: Option<OwnedFd>,
    pid: i32,
    status: Option<i32>,
}

/// A terminal of a container.
#[derive(Debug)]
pub struct Pty {
    /// The side of whoever types and reads.
    pub master: OwnedFd,
    /// The side of the process.
    pub slave: OwnedFd,
    /// Its number in the container's `/dev/pts`.
    pub number: u32,
}

impl Container {
    /// Runs a process with these three as standard input, output and error.
    ///
    /// The monitor holds copies of `held` while the process runs, and reads from them and throws away once the
    /// [`Session`] is gone: give it the pty's master, or the reading ends of the output's pipes, and the process
    /// outlives its caller without SIGHUP and SIGPIPE.
    ///
    /// A program that cannot be found or run is no error here: the session's status is 127 or 126 then, as in a shell.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended, [`Error::Refused`] when the process could not be set up (a
    /// working directory that is not there, an id that is not mapped).
    pub fn exec(&self, spec: &ExecSpec, stdio: [BorrowedFd<'_>; 3], held: &[BorrowedFd<'_>]) -> Result<Session, Error> {
        let socket = self.connect()?;
        let mut fds = stdio.to_vec();
        fds.extend_from_slice(held);
        let (reply, mut fds) = client::ask(&socket, &Request::Exec(spec.clone()), &fds)?;
        // The end of the process may be hours away.
        set_socket_timeout(&socket, Timeout::Recv, None)
            .map_err(|errno| Error::io("running a process")(errno.into()))?;
        match reply {
            Reply::Started { pid } => Ok(Session { socket, pidfd: fds.pop(), pid, status: None }),
            Reply::Exited { status } => Ok(Session { socket, pidfd: None, pid: 0, status: Some(status) }),
            other => Err(unexpected(&other)),
        }
    }

    /// A new terminal from the container's own devpts, so that `tty` in it finds its name. `gid` `None` leaves it to
    /// the group `tty`.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended, [`Error::Refused`] when it has no more terminals.
    pub fn open_pty(&self, cols: u16, rows: u16, uid: u32, gid: Option<u32>) -> Result<Pty, Error> {
        match self.ask(&Request::OpenPty { cols, rows, uid, gid }, &[])? {
            (Reply::Pty { number }, fds) => match <[OwnedFd; 2]>::try_from(fds) {
                Ok([master, slave]) => Ok(Pty { master, slave, number }),
                Err(_) => Err(Error::Protocol("no terminal".to_string())),
            },
            (other, _) => Err(unexpected(&other)),
        }
    }
}

impl Session {
    /// The process, in the monitor's pid namespace; 0 when it could not be run (see [`Container::exec`]).
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends it a signal, by number. A process that has ended takes no notice.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        let Some(pidfd) = &self.pidfd else { return Ok(()) };
        match corten_host::pidfd::send_signal(pidfd, signal) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(()),
            outcome => outcome.map_err(Error::io(format!("sending signal {signal} to process {}", self.pid))),
        }
    }

    /// Waits for its end: the exit status, or 128 + the signal that killed it; 127 when the program was not found, 126
    /// when it could not be executed. May be called again.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container ended before the monitor could tell.
    pub fn wait(&mut self) -> Result<i32, Error> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        match wire::receive::<Reply>(&self.socket) {
            Ok(Some((Reply::Exited { status }, _))) => {
                self.status = Some(status);
                Ok(status)
            }
            Ok(Some((other, _))) => Err(unexpected(&other)),
            Ok(None) => Err(Error::Gone),
            Err(error) if client::is_gone(&error) => Err(Error::Gone),
            Err(error) => Err(Error::io("waiting for a process")(error)),
        }
    }
}

/// Readable when the process has ended and [`Session::wait`] will not block.
impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
