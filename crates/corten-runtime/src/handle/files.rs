//! The files of a running container, as its processes see them.

use std::os::fd::{AsFd, OwnedFd};

use corten_host::fd;
use rustix::process::Signal;

use super::Container;
use crate::failure::Error;
use crate::protocol::Request;

/// A connection that speaks SFTP with a child of the monitor. The child ends with the connection, and is killed when this
/// is dropped: it may be held up by a file system that the container serves itself.
#[derive(Debug)]
pub struct Files {
    socket: OwnedFd,
    server: OwnedFd,
}

impl Files {
    /// A stream socket; what has not been said yet is the greeting.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // One that has ended already takes no notice.
        let _ = corten_host::pidfd::send_signal(&self.server, Signal::KILL.as_raw());
    }
}

impl Container {
    /// Opens a connection to the files of the container.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended, [`Error::Refused`] when its monitor cannot serve files: one that an
    /// older version started does not know how.
    pub fn files(&self) -> Result<Files, Error> {
        let doing = || Error::io("opening a connection to the container's files");
        let (socket, theirs) = fd::stream_pair().map_err(doing())?;
        let (_, mut fds) = self.ask(&Request::Files, &[theirs.as_fd()])?;
        let server = fds.pop().ok_or_else(|| Error::Protocol("no server of files".to_string()))?;
        Ok(Files { socket, server })
    }
}
