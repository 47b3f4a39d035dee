//! `lxd sql`: statements as a person types them.

use crate::error::{DbError, Result};
use crate::params;
use crate::tx::{Tx, View};
use crate::value::{Value, parse_time};
use crate::{Db, Which};

/// What one statement gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A query's columns and rows.
    Select {
        /// Names of the columns.
        columns: Vec<String>,
        /// One value for each column.
        rows: Vec<Vec<Value>>,
    },
    /// How many rows another statement changed.
    Exec {
        /// The number of rows.
        rows_affected: usize,
    },
}

/// Runs statements separated by semicolons, each in a transaction of its own, and stops at the first failure. As in
/// LXD,
/// a semicolon inside of a string separates too.
pub fn run(db: &Db, which: Which, text: &str) -> Result<Vec<Answer>> {
    let statements = text.split(';').map(|statement| statement.trim_start_matches(' ')).filter(|part| !part.is_empty());
    statements.map(|statement| run_one(db, which, statement)).collect()
}

/// Brings everything into the database's one file, so that a copy of that is whole.
pub fn sync(db: &Db, which: Which) -> Result<()> {
    db.store(which).sync()
}

fn run_one(db: &Db, which: Which, statement: &str) -> Result<Answer> {
    let store = db.store(which);
    if begins_with(statement, "select") {
        return store.view(|view: &View<'_>| -> Result<Answer> {
            let (columns, rows) = view.table(statement, rfc3339)?;
            Ok(Answer::Select { columns, rows })
        });
    }
    if asks_for_what_holds(statement) {
        return Ok(Answer::Exec { rows_affected: 0 });
    }
    let decide = |tx: &mut Tx<'_>| Ok(Answer::Exec { rows_affected: tx.exec(statement, params![])? });
    match begins_with(statement, "delete") {
        true => store.take_away(decide),
        false => store.write(decide),
    }
}

fn begins_with(statement: &str, word: &str) -> bool {
    statement.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// Whether a statement only asks for foreign keys to be looked after, as they always are: scripts for LXD begin so.
fn asks_for_what_holds(statement: &str) -> bool {
    let text: String = statement.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    matches!(text.as_str(), "pragmaforeign_keys=on" | "pragmaforeign_keys=1" | "pragmaforeign_keys=true")
}

/// A time as JSON has it.
fn rfc3339(value: Value) -> Value {
    parse_time(&value).map_or(value, |time| Value::Text(time.to_string()))
}

/// The words LXD puts before an error of [`run`].
pub fn describe(error: &DbError, statement_is_query: bool) -> String {
    let message = match error {
        DbError::Sql { message, .. } | DbError::Constraint { message, .. } => message.clone(),
        DbError::AlreadyExists(columns) => format!("UNIQUE constraint failed: {columns}"),
        other => other.to_string(),
    };
    match statement_is_query {
        true => format!("Failed to execute query: {message}"),
        false => format!("Failed to exec query: {message}"),
    }
}
