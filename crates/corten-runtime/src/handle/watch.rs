//! Waiting for the end of a container.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::{Container, Exit, unexpected};
use crate::client;
use crate::failure::Error;
use crate::protocol::{Reply, Request, wire};
use crate::state_file;

/// Tells how a container ends. Its descriptor becomes readable then.
#[derive(Debug)]
pub struct ExitWatch {
    run_dir: PathBuf,
    socket: OwnedFd,
}

impl Container {
    /// Watches for its end, which is told when the monitor has cleaned up: groups are gone, interfaces are back.
    ///
    /// # Errors
    /// [`Error::Gone`] when it has ended already: see [`super::last_exit`].
    pub fn watch(&self) -> Result<ExitWatch, Error> {
        let socket = self.connect()?;
        client::ask(&socket, &Request::Subscribe, &[])?;
        set_socket_timeout(&socket, Timeout::Recv, None)
            .map_err(|errno| Error::io("watching the monitor")(errno.into()))?;
        Ok(ExitWatch { run_dir: self.run_dir.clone(), socket })
    }
}

impl ExitWatch {
    /// Waits for the end.
    ///
    /// # Errors
    /// [`Error::Gone`] when the monitor died without a word (see [`super::cleanup_dead`]).
    pub fn wait(&self) -> Result<Exit, Error> {
        match wire::receive::<Reply>(&self.socket) {
            Ok(Some((Reply::Ended(exit), _))) => Ok(exit),
            Ok(Some((other, _))) => Err(unexpected(&other)),
            Ok(None) => self.left_word(),
            Err(error) if client::is_gone(&error) => self.left_word(),
            Err(error) => Err(Error::io("waiting for the container's end")(error)),
        }
    }

    /// Waits at most this long; `None` when the container has not ended by then.
    ///
    /// # Errors
    /// See [`ExitWatch::wait`].
    pub fn wait_for(&self, patience: Duration) -> Result<Option<Exit>, Error> {
        let timeout = Timespec::try_from(patience).ok();
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => Ok(None),
            Ok(_) => self.wait().map(Some),
            Err(errno) => Err(Error::io("waiting for the container's end")(errno.into())),
        }
    }

    fn left_word(&self) -> Result<Exit, Error> {
        state_file::read_exit(&self.run_dir).map_err(Error::io("reading how the container ended"))?.ok_or(Error::Gone)
    }
}

impl AsFd for ExitWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
