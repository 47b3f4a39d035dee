//! The one error that users of the API read, the same type on both sides of the wire.

use std::fmt;

/// What class of failure this is; each class is one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself is wrong: a bad name, key or value.
    Invalid,
    /// The client has not proved who it is.
    Unauthenticated,
    /// The client is known but may not do this.
    Forbidden,
    /// The thing asked for is not there.
    NotFound,
    /// The thing to be made is there already, or is being worked on.
    Conflict,
    /// `If-Match` named another version of the thing.
    PreconditionFailed,
    /// The body exceeds what is accepted.
    TooLarge,
    /// The thing is locked by an action that is under way.
    Busy,
    /// The server failed at something that was well asked.
    Internal,
    /// The server, or this host, does not have the feature.
    NotImplemented,
    /// The server cannot answer at the moment.
    Unavailable,
}

/// Every kind with its HTTP status code (RFC 9110, and RFC 4918 for 423).
const STATUS: [(Kind, u16); 11] = [
    (Kind::Invalid, 400),
    (Kind::Unauthenticated, 401),
    (Kind::Forbidden, 403),
    (Kind::NotFound, 404),
    (Kind::Conflict, 409),
    (Kind::PreconditionFailed, 412),
    (Kind::TooLarge, 413),
    (Kind::Busy, 423),
    (Kind::Internal, 500),
    (Kind::NotImplemented, 501),
    (Kind::Unavailable, 503),
];

impl Kind {
    /// The HTTP status code of this kind.
    pub fn status(self) -> u16 {
        STATUS.iter().find(|(kind, _)| *kind == self).map_or(500, |(_, status)| *status)
    }

    /// The kind behind an HTTP status code; unknown ones count as [`Kind::Internal`].
    pub fn from_status(status: u16) -> Kind {
        STATUS.iter().find(|(_, code)| *code == status).map_or(Kind::Internal, |(kind, _)| *kind)
    }
}

/// A failure with its kind and the sentence a user reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The class, hence the HTTP status.
    pub kind: Kind,
    /// The whole message, outermost context first, as LXD prints it: `Failed to …: cause`.
    pub message: String,
}

/// Shorthand for results that end with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error { $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Error {
            Error { kind: Kind::$kind, message: message.into() }
        })* }
    };
}

constructors! {
    /// A bad request (400).
    invalid => Invalid;
    /// Not allowed (403).
    forbidden => Forbidden;
    /// Not there (404).
    not_found => NotFound;
    /// There already, or changed meanwhile (409).
    conflict => Conflict;
    /// An `If-Match` that does not match (412).
    precondition => PreconditionFailed;
    /// Locked by something under way (423).
    busy => Busy;
    /// A failure of the server (500).
    internal => Internal;
    /// Not to be had on this server (501).
    not_implemented => NotImplemented;
    /// Not now (503).
    unavailable => Unavailable;
}

impl Error {
    /// Puts `what` before the message, separated by a colon as LXD does.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Error {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// A bad request as LXD answers it in the places where it does not tell one from a failure of its own: 500.
    #[must_use]
    pub fn as_failure(mut self) -> Error {
        if self.kind == Kind::Invalid {
            self.kind = Kind::Internal;
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Writes an error and all its sources as one line, `outer: inner: innermost`, leaving out a source whose text its
/// parent has already included.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

/// Adds what was being done to a failure on its way up.
pub trait Context<T> {
    /// Names the step in progress; keeps the kind of an [`Error`], and makes any other error [`Kind::Internal`].
    fn context(self, what: impl fmt::Display) -> Result<T>;
    /// As [`Context::context`], with the text made only when it is needed.
    fn with_context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: std::error::Error + 'static> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.with_context(|| what)
    }

    fn with_context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| {
            let any: &(dyn std::error::Error + 'static) = &error;
            match any.downcast_ref::<Error>() {
                Some(ours) => ours.clone().context(what()),
                None => Error::internal(chain(any)).context(what()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_wire() {
        for (kind, status) in STATUS {
            assert_eq!(kind.status(), status);
            assert_eq!(Kind::from_status(status), kind);
        }
        assert_eq!(Kind::from_status(418), Kind::Internal);
    }

    #[test]
    fn context_keeps_the_kind_and_reads_outside_in() {
        let failed: Result<()> = Err(Error::not_found("Instance not found"));
        let error = failed.context("Failed to start").unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "Failed to start: Instance not found"));
        let io = std::fs::read("/nonexistent/file").context("reading the file").unwrap_err();
        assert_eq!(io.kind, Kind::Internal);
        assert!(io.message.starts_with("reading the file: No such file"), "{}", io.message);
    }
}
