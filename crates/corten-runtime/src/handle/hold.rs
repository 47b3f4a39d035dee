//! Making a container stand still for a moment, so that it goes on whatever becomes of us.

use std::os::fd::OwnedFd;

use super::Container;
use crate::client;
use crate::failure::Error;
use crate::protocol::Request;

/// That a container stands still: it goes on when this is given to [`Container::release`], or is dropped, or this
/// process is gone. With a monitor that does not know how (protocol 2 and older) only the first does.
#[derive(Debug)]
#[must_use]
pub struct Hold(Option<OwnedFd>);

impl Container {
    /// Makes all its processes stand still; it must not be frozen already.
    ///
    /// # Errors
    /// When the kernel refuses, or a process does not stop in time; all go on then.
    pub fn hold(&self) -> Result<Hold, Error> {
        let connection = self.connect()?;
        let hold = match client::ask(&connection, &Request::Hold, &[]) {
            Ok(_) => Hold(Some(connection)),
            Err(Error::Refused { .. }) => Hold(None),
            Err(error) => return Err(error),
        };
        self.freeze()?;
        Ok(hold)
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// When the kernel refuses; that the container has ended is none.
    pub fn release(&self, hold: Hold) -> Result<(), Error> {
        let asked = hold.0.as_ref().map(|connection| client::ask(connection, &Request::Release, &[]));
        let done = match asked {
            Some(Ok(_)) => Ok(()),
            _ => self.thaw(),
        };
        if matches!(done, Err(Error::Gone)) { Ok(()) } else { done }
    }
}
