//! Failures of storage: the sentence a user reads, made where the failure happens.

use std::fmt;

use corten_host::undo::Injected;

/// A failure, ready to become an answer of the API (`?` does it).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub corten_api::error::Error);

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure of the server, as most are here.
    pub fn internal(message: impl Into<String>) -> Error {
        Error(corten_api::error::Error::internal(message))
    }

    /// Something asked for is not there.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error(corten_api::error::Error::not_found(message))
    }

    /// The request cannot be met as it is.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error(corten_api::error::Error::invalid(message))
    }

    /// Something is in use.
    pub fn busy(message: impl Into<String>) -> Error {
        Error(corten_api::error::Error::busy(message))
    }

    /// Not to be had with this driver or on this host.
    pub fn not_implemented(message: impl Into<String>) -> Error {
        Error(corten_api::error::Error::not_implemented(message))
    }
}

impl From<Error> for corten_api::error::Error {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl From<corten_api::error::Error> for Error {
    fn from(error: corten_api::error::Error) -> Self {
        Error(error)
    }
}

macro_rules! from_internal {
    ($($source:ty),*) => {
        $(impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Error::internal(corten_api::error::chain(&error))
            }
        })*
    };
}

from_internal!(Injected, corten_host::command::Failed, corten_host::file::Error);

impl From<corten_archive::error::Error> for Error {
    fn from(error: corten_archive::error::Error) -> Self {
        let message = corten_api::error::chain(&error);
        if error.is_the_archives_fault() { Error::invalid(message) } else { Error::internal(message) }
    }
}

/// Says what was being done when a call of the kernel failed.
pub trait Doing<T> {
    /// `what` is put before the reason, separated by a colon.
    fn doing<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<std::io::Error>> Doing<T> for std::result::Result<T, E> {
    fn doing<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| Error::internal(format!("{}: {}", what(), Into::<std::io::Error>::into(error))))
    }
}
