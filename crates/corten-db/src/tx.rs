//! What a closure holds while it reads ([`View`]) and while it decides ([`Tx`]).

use std::ops::Deref;

use rusqlite::Connection;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::entry::{self, Statement};
use crate::error::{DbError, Result};
use crate::row::{FromRow, Row};
use crate::value::Value;

/// A consistent state of the database to read from.
#[derive(Debug)]
pub struct View<'c> {
    connection: &'c Connection,
}

/// Lends one of our values to the engine.
struct Bound<'v>(&'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Takes a value out of the engine's row.
pub(crate) fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(text).into_owned(),
        }),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl<'c> View<'c> {
    pub(crate) fn new(connection: &'c Connection) -> View<'c> {
        View { connection }
    }

    /// All rows of a query, each read as a `T`. Give an `ORDER BY` wherever the order shows.
    pub fn rows<T: FromRow>(&self, sql: &str, values: impl AsRef<[Value]>) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, values.as_ref(), |mut row| {
            found.push(T::from_row(&mut row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row of a query, if there is one.
    pub fn maybe<T: FromRow>(&self, sql: &str, values: impl AsRef<[Value]>) -> Result<Option<T>> {
        let mut found = None;
        self.each(sql, values.as_ref(), |mut row| {
            found = Some(T::from_row(&mut row)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// The first row of a query that must have one, else [`DbError::NotFound`].
    pub fn one<T: FromRow>(&self, sql: &str, values: impl AsRef<[Value]>) -> Result<T> {
        self.maybe(sql, values)?.ok_or_else(|| DbError::NotFound(sql.to_owned()))
    }

    /// Hands each row to `take` until it answers false.
    fn each(&self, sql: &str, values: &[Value], mut take: impl FnMut(Row) -> Result<bool>) -> Result<()> {
        let failed = |error: rusqlite::Error| DbError::from_sqlite(&error, sql);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        if !statement.readonly() {
            return Err(DbError::NotAllowed(format!("this statement writes, but was given as a query: {sql}")));
        }
        let columns = statement.column_count();
        let bound = rusqlite::params_from_iter(values.iter().map(Bound));
        let mut rows = statement.query(bound).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let values =
                (0..columns).map(|at| row.get_ref(at).map(owned)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
            if !take(Row::new(values))? {
                break;
            }
        }
        Ok(())
    }

    /// A query's column names and all its rows, the values of time columns turned by `time`, for a person to read.
    pub(crate) fn table(&self, sql: &str, time: fn(Value) -> Value) -> Result<(Vec<String>, Vec<Vec<Value>>)> {
        let statement = self.connection.prepare_cached(sql).map_err(|error| DbError::from_sqlite(&error, sql))?;
        let (names, is_time): (Vec<String>, Vec<bool>) = statement
            .columns()
            .map(|column| (column.name().to_owned(), column.decl_type() == Some("DATETIME")))
            .unzip();
        drop(statement);
        let mut found = Vec::new();
        self.each(sql, &[], |row| {
            let values = row.rest().into_iter().zip(&is_time);
            found.push(values.map(|(value, is_time)| if *is_time { time(value) } else { value }).collect());
            Ok(true)
        })?;
        Ok((names, found))
    }
}

/// A decision in the making: reads see its own writes, and nobody else's until it ends.
#[derive(Debug)]
pub struct Tx<'c> {
    view: View<'c>,
    recorded: Option<Vec<Statement>>,
    size: usize,
    /// Why a statement found no room on the disk; the closure may have put it into other words.
    no_room: Option<DbError>,
}

impl<'c> Deref for Tx<'c> {
    type Target = View<'c>;
    fn deref(&self) -> &View<'c> {
        &self.view
    }
}

/// Statements that would end or leave the transaction that a closure runs in.
const NOT_IN_A_DECISION: [&str; 11] =
    ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "VACUUM", "PRAGMA", "ANALYZE"];

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, record: bool) -> Tx<'c> {
        Tx { view: View::new(connection), recorded: record.then(Vec::new), size: 0, no_room: None }
    }

    pub(crate) fn into_statements(self) -> Vec<Statement> {
        self.recorded.unwrap_or_default()
    }

    /// Why there was no room for what the closure wrote.
    pub(crate) fn no_room(self) -> Option<DbError> {
        self.no_room
    }

    /// Whether the closure has written anything.
    pub(crate) fn wrote(&self) -> bool {
        self.size > 0
    }

    /// Executes one statement that writes, and gives the number of rows it changed.
    pub fn exec(&mut self, sql: &str, values: impl AsRef<[Value]>) -> Result<usize> {
        let values = values.as_ref();
        let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        if NOT_IN_A_DECISION.iter().any(|refused| refused.eq_ignore_ascii_case(word)) {
            return Err(DbError::NotAllowed(format!("{} cannot be used inside of a decision", word.to_uppercase())));
        }
        self.size += entry::size_of(sql, values);
        if self.size > entry::SIZE_LIMIT {
            return Err(DbError::TooLarge(self.size));
        }
        let prepared = self.view.connection.prepare_cached(sql);
        let run = |mut statement: rusqlite::CachedStatement<'_>| {
            statement.execute(rusqlite::params_from_iter(values.iter().map(Bound)))
        };
        let changed = prepared.and_then(run).map_err(|error| {
            let error = DbError::from_sqlite(&error, sql);
            if matches!(error, DbError::NoRoom { .. }) {
                self.no_room = Some(error.clone());
            }
            error
        })?;
        if let Some(recorded) = &mut self.recorded {
            recorded.push(Statement { sql: sql.to_owned(), values: values.to_vec() });
        }
        Ok(changed)
    }

    /// Executes an `INSERT` and gives the id of the new row.
    pub fn insert(&mut self, sql: &str, values: impl AsRef<[Value]>) -> Result<i64> {
        self.exec(sql, values)?;
        Ok(self.view.connection.last_insert_rowid())
    }
}
