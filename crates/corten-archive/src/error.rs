//! Why an archive could not be read or written.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an archive could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The first bytes are of no format known here.
    #[error("Unsupported compression")]
    UnsupportedCompression,
    /// The name of a compression algorithm, or an option of it, is not known.
    #[error("Invalid compression algorithm \"{0}\"")]
    InvalidAlgorithm(String),
    /// Reading, writing or another call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the kernel or a decompressor said.
        source: io::Error,
    },
    /// The filesystem that is unpacked to is full.
    #[error("Unable to unpack image, run out of disk space")]
    NoSpace,
    /// An entry asks for something that is never done.
    #[error("Archive entry \"{}\" refused: {reason}", .entry.display())]
    Refused {
        /// Its path as the archive has it.
        entry: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The archive breaks the rules of its own format, or ends too early.
    #[error("Archive is damaged: {0}")]
    Damaged(String),
    /// The archive has more in it than is allowed.
    #[error("Archive has more than {limit} {what}, which is the limit")]
    TooLarge {
        /// What there is too much of: `bytes`, `entries`.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// Somebody asked for an end.
    #[error("Operation cancelled")]
    Cancelled,
    /// A program failed or is missing.
    #[error(transparent)]
    Command(#[from] corten_host::command::Failed),
}

impl Error {
    /// Whether another archive would have done: the client sent something bad, the server is well.
    pub fn is_the_archives_fault(&self) -> bool {
        match self {
            Error::UnsupportedCompression
            | Error::InvalidAlgorithm(_)
            | Error::Refused { .. }
            | Error::Damaged(_)
            | Error::TooLarge { .. } => true,
            Error::Io { .. } | Error::NoSpace | Error::Cancelled | Error::Command(_) => false,
        }
    }

    /// A refusal of `entry`.
    pub(crate) fn refused(entry: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
        Error::Refused { entry: entry.into(), reason: reason.into() }
    }

    /// A failed write to the filesystem: a full one has LXD's words.
    pub(crate) fn writing(doing: String, source: io::Error) -> Error {
        let full = [Errno::NOSPC, Errno::DQUOT].map(|errno| Some(errno.raw_os_error()));
        if full.contains(&source.raw_os_error()) { Error::NoSpace } else { Error::Io { doing, source } }
    }

    /// A failed read of the archive: what its format forbids is the archive's fault, a failed disk is not.
    pub(crate) fn reading(source: io::Error) -> Error {
        if source.get_ref().is_some_and(|inside| inside.is::<Cancelled>()) {
            return Error::Cancelled;
        }
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::Damaged("it ends too early".to_string()),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                Error::Damaged(source.to_string())
            }
            _ => Error::Io { doing: "Failed to read the archive".to_string(), source },
        }
    }
}

/// The reason inside an [`io::Error`] when a stream was stopped by its [`Watch`](crate::watch::Watch).
#[derive(Debug, thiserror::Error)]
#[error("Operation cancelled")]
pub(crate) struct Cancelled;
