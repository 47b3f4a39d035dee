//! Changing what is done in the place of a running container's root.

use super::Container;
use crate::client;
use crate::failure::Error;
use crate::protocol::Request;
use crate::spec::InterceptedMounts;

impl Container {
    /// Has these mounts made for it from now on. A monitor that does not know how (protocol 3 and older) makes none at
    /// all, until the container starts anew.
    ///
    /// # Errors
    /// When the monitor cannot be reached; that the container has ended is none.
    pub fn intercept_mounts(&self, mounts: InterceptedMounts) -> Result<(), Error> {
        match client::ask(&self.connect()?, &Request::InterceptedMounts(mounts), &[]) {
            Ok(_) | Err(Error::Refused { .. } | Error::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
