//! One decision as it would stand in a replicated log: what must still hold, and the statements to apply.

use crate::value::Value;

/// The most that one entry may hold, in bytes of statements and values; images, logs and backups belong in files.
pub const SIZE_LIMIT: usize = 1024 * 1024;

/// What must hold for the statements of an entry to be applied.
///
/// It is an enum so that narrower guards (per table, per recorded read) can follow without any caller noticing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The last applied entry must be this one.
    Base(u64),
}

/// A statement that writes, with its bound values.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// SQL with numbered parameters.
    pub sql: String,
    /// The values of the parameters.
    pub values: Vec<Value>,
}

impl Statement {
    /// What the statement takes of [`SIZE_LIMIT`].
    pub fn size(&self) -> usize {
        size_of(&self.sql, &self.values)
    }
}

/// What a statement takes of [`SIZE_LIMIT`], in bytes.
pub(crate) fn size_of(sql: &str, values: &[Value]) -> usize {
    sql.len() + values.iter().map(Value::size).sum::<usize>()
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What must still hold.
    pub guard: Guard,
    /// What to apply, in this order.
    pub statements: Vec<Statement>,
}
