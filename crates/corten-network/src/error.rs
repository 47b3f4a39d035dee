//! Why a network or a port could not be had.

use corten_api::error::{Error as Refusal, chain};
use corten_host::undo::Injected;
use corten_host::{command, file, netlink};

/// A failure below the API. Where it goes up to the API it becomes a [`corten_api::error::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request or the host is not as it must be; the user reads this.
    #[error("{0}")]
    Refused(Refusal),
    /// The kernel refused a change of links, addresses or routes.
    #[error(transparent)]
    Kernel(#[from] netlink::Error),
    /// A program of the host is missing or failed.
    #[error(transparent)]
    Command(#[from] command::Failed),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A test made a step fail.
    #[error(transparent)]
    Injected(#[from] Injected),
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A bad request.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::Refused(Refusal::invalid(message))
    }

    /// Something that this server cannot do.
    pub fn not_implemented(message: impl Into<String>) -> Error {
        Error::Refused(Refusal::not_implemented(message))
    }

    /// A failure of the host.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::Refused(Refusal::internal(message))
    }

    /// Puts `what` before the message.
    #[must_use]
    pub fn context(self, what: impl std::fmt::Display) -> Error {
        Error::Refused(Refusal::from(self).context(what))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error {
            Error::Refused(refusal) => refusal,
            other => Refusal::internal(chain(&other)),
        }
    }
}
