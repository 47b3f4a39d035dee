//! Rows as they come out of a query, read column after column into owned values and structs.

use crate::error::{DbError, Result};
use crate::value::{FromValue, Value};

/// One row; columns are taken from left to right.
#[derive(Debug)]
pub struct Row {
    values: std::vec::IntoIter<Value>,
    taken: usize,
}

impl Row {
    /// A row of these values.
    pub fn new(values: Vec<Value>) -> Row {
        Row { values: values.into_iter(), taken: 0 }
    }

    /// The next column as a `T`; an error names the column and what it held.
    pub fn take<T: FromValue>(&mut self) -> Result<T> {
        let column = self.taken;
        self.taken += 1;
        let wrong = |found: String| DbError::Type { column, found, expected: T::EXPECTED };
        let value = self.values.next().ok_or_else(|| wrong("nothing, the row has ended".to_owned()))?;
        T::from_value(value).map_err(|value| wrong(value.describe()))
    }

    /// All columns not yet taken.
    pub fn rest(self) -> Vec<Value> {
        self.values.collect()
    }
}

/// What a row can be read as: one value, a tuple, or a struct that takes its columns in order.
pub trait FromRow: Sized {
    /// Takes its columns from the row.
    fn from_row(row: &mut Row) -> Result<Self>;
}

impl<T: FromValue> FromRow for T {
    fn from_row(row: &mut Row) -> Result<T> {
        row.take()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => { $(impl<$($name: FromValue),+> FromRow for ($($name,)+) {
        fn from_row(row: &mut Row) -> Result<Self> { Ok(($(row.take::<$name>()?,)+)) }
    })+ };
}
tuples! { (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }
