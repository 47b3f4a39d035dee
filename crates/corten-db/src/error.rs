//! What can go wrong in the database, told apart as far as callers act on it.

use std::fmt;
use std::path::Path;

/// A failure of the database itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// A query that must give a row gave none.
    #[error("no row found by: {0}")]
    NotFound(String),
    /// A row with the same unique columns exists; the text is SQLite's list, as `instances.project_id, instances.name`.
    #[error("a row with the same {0} exists")]
    AlreadyExists(String),
    /// Another constraint (foreign key, not null, check, trigger) refused the statement.
    #[error("{message}, in: {statement}")]
    Constraint {
        /// SQLite's own words.
        message: String,
        /// The SQL that was refused.
        statement: String,
    },
    /// Another process holds the file's write lock; tried again inside, this is the last answer.
    #[error("the database is locked by another process")]
    Busy,
    /// The decision was taken on a state that is no longer the latest; tried again inside.
    #[error("the decision was taken at entry {base}, the database is at {applied}")]
    Conflict {
        /// The entry the decision was based on.
        base: u64,
        /// The last entry that the database has applied.
        applied: u64,
    },
    /// One decision wrote more than [`crate::entry::SIZE_LIMIT`] bytes.
    #[error("one decision wrote {0} bytes of statements and values, the limit is 1 MiB")]
    TooLarge(usize),
    /// The closure tried what a decision may not do.
    #[error("{0}")]
    NotAllowed(String),
    /// Run twice against the same state, a decision wrote different statements (debug builds look for this).
    #[error("the decision is not pure: run twice it wrote {first:?} and {second:?}")]
    NotPure {
        /// Statements of the first run.
        first: String,
        /// Statements of the second run.
        second: String,
    },
    /// A column held another type than the code expected.
    #[error("column {column} holds {found}, expected {expected}")]
    Type {
        /// Position in the row, from 0.
        column: usize,
        /// What was there.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The file cannot be opened, or is no database of ours.
    #[error("opening the database {path}: {message}")]
    Open {
        /// The file.
        path: String,
        /// What was found.
        message: String,
    },
    /// The disk has no room for the change.
    #[error("{message}: {folder} has {free} KiB left; deleting something makes room")]
    NoRoom {
        /// SQLite's own words.
        message: String,
        /// The folder of the database.
        folder: String,
        /// What its disk has left, in KiB.
        free: u64,
    },
    /// Everything else: wrong SQL, damaged file.
    #[error("{message}, in: {statement}")]
    Sql {
        /// SQLite's own words.
        message: String,
        /// The SQL that failed.
        statement: String,
    },
}

/// Failures that SQLite has no other word for when the disk is over its quota, or when it finds out late that it is full.
const WRITING: [i32; 3] =
    [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];

/// Shorthand for results of this crate.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

impl DbError {
    /// Sorts a failure of SQLite while it executed `statement`.
    pub(crate) fn from_sqlite(error: &rusqlite::Error, statement: &str) -> DbError {
        use rusqlite::ErrorCode;
        let (code, message) = match error {
            rusqlite::Error::SqliteFailure(code, message) => {
                (Some(*code), message.clone().unwrap_or_else(|| code.to_string()))
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => (Some(*error), msg.clone()),
            other => (None, other.to_string()),
        };
        let statement = statement.to_owned();
        match code.map(|code| code.code) {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DbError::Busy,
            Some(ErrorCode::ConstraintViolation) => match message.strip_prefix("UNIQUE constraint failed: ") {
                Some(columns) => DbError::AlreadyExists(columns.to_owned()),
                None => DbError::Constraint { message, statement },
            },
            Some(ErrorCode::DiskFull) => DbError::no_room(message),
            Some(ErrorCode::SystemIoFailure) if code.is_some_and(|code| WRITING.contains(&code.extended_code)) => {
                DbError::no_room(message)
            }
            _ => DbError::Sql { message, statement },
        }
    }

    /// Where there is no room is filled in by who knows.
    fn no_room(message: String) -> DbError {
        DbError::NoRoom { message, folder: String::new(), free: 0 }
    }

    /// With the folder of the database that has failed, if that is for want of room.
    pub(crate) fn within(self, folder: &Path) -> DbError {
        let DbError::NoRoom { message, .. } = self else { return self };
        let free = rustix::fs::statvfs(folder).map_or(0, |found| found.f_bavail * found.f_frsize / 1024);
        DbError::NoRoom { message, folder: folder.display().to_string(), free }
    }

    /// Whether the same decision may succeed when taken again.
    pub fn may_be_retried(&self) -> bool {
        matches!(self, DbError::Busy | DbError::Conflict { .. })
    }
}

/// Why a closure given to [`crate::Db::write`] ended without result: the database, or the caller's own reasons.
///
/// It takes any error through `?`, so that a closure can refuse with the caller's own type without this crate
/// knowing it;
/// the caller takes it out again with [`Abort::into_caller`]. It is no `std::error::Error` itself for that reason.
#[derive(Debug)]
pub enum Abort {
    /// The database failed.
    Db(DbError),
    /// The closure gave up with an error of its own.
    Caller(Box<dyn std::error::Error + Send + Sync + 'static>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Abort {
    fn from(error: E) -> Abort {
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
        match boxed.downcast::<DbError>() {
            Ok(db) => Abort::Db(*db),
            Err(other) => Abort::Caller(other),
        }
    }
}

impl Abort {
    /// The caller's own error if it was of type `E`, else the `DbError` (made from the text, if of another type).
    pub fn into_caller<E: std::error::Error + Send + Sync + 'static>(self) -> std::result::Result<E, DbError> {
        match self {
            Abort::Db(error) => Err(error),
            Abort::Caller(error) => match error.downcast::<E>() {
                Ok(error) => Ok(*error),
                Err(other) => Err(DbError::NotAllowed(other.to_string())),
            },
        }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Abort::Db(error) => error.fmt(out),
            Abort::Caller(error) => error.fmt(out),
        }
    }
}
