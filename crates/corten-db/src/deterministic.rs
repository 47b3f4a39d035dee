//! SQL functions whose answer depends on the moment or the machine fail on connections that write.
//!
//! A statement that says `random()` or `CURRENT_TIMESTAMP` would give each member of a cluster other rows. Such values
//! are made by the caller, once, and bound.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Error};

/// Functions of SQLite that do not always answer the same (`sqlite.org/deterministic.html`); the `current_` ones are
/// what
/// the keywords `CURRENT_TIMESTAMP`, `CURRENT_DATE` and `CURRENT_TIME` call.
const FORBIDDEN: [&str; 12] = [
    "random",
    "randomblob",
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
    "current_timestamp",
    "current_date",
    "current_time",
];

/// Replaces each of these functions by one that fails and says so.
pub(crate) fn forbid(connection: &Connection) -> rusqlite::Result<()> {
    for name in FORBIDDEN {
        // -1 is any number of arguments; a function of ours hides all of SQLite's with its name.
        connection.create_scalar_function(name, -1, FunctionFlags::SQLITE_UTF8, move |_| {
            let text = format!("{name}() is not deterministic: bind the value instead");
            Err::<i64, _>(Error::UserFunctionError(text.into()))
        })?;
    }
    Ok(())
}
