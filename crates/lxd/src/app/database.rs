//! The database as the app uses it: closures may refuse in the API's own errors.

use super::App;
use corten_api::error::{Error, Result};
use corten_db::error::{Abort, DbError};
use corten_db::{Tx, View};

/// An error of the database as a client reads it.
pub fn db_error(error: DbError) -> Error {
    match error {
        DbError::Busy | DbError::Conflict { .. } => Error::unavailable(error.to_string()),
        DbError::TooLarge(_) => Error::invalid(error.to_string()),
        other => Error::internal(format!("The database failed: {other}")),
    }
}

/// What a closure ended with: its own refusal, or the database's failure.
fn abort_error(abort: Abort) -> Error {
    abort.into_caller::<Error>().unwrap_or_else(db_error)
}

impl App {
    /// Takes a decision on the global database; see [`corten_db::Db::write`] for the rules. `Error`s and the
    /// database's own pass through `?` alike.
    ///
    /// # Errors
    /// The closure's, or the database's.
    pub fn write<T>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, Abort>) -> Result<T> {
        self.db.write(decide).map_err(abort_error)
    }

    /// As [`App::write`], for what takes away, or takes back what was not to be, or ends what was begun: a full disk does not
    /// keep it from being remembered.
    ///
    /// # Errors
    /// The closure's, or the database's.
    pub fn take_away<T>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, Abort>) -> Result<T> {
        self.db.take_away(decide).map_err(abort_error)
    }

    /// Reads one consistent state of the global database.
    ///
    /// # Errors
    /// The closure's, or the database's.
    pub fn view<T>(&self, read: impl Fn(&View<'_>) -> Result<T, Abort>) -> Result<T> {
        self.db.view(read).map_err(abort_error)
    }

    /// The version of the global database; see [`corten_db::Db::version`].
    ///
    /// # Errors
    /// The database's.
    pub fn version(&self) -> Result<i64> {
        self.db.version().map_err(db_error)
    }
}
