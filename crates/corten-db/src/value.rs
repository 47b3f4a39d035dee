//! Values as they go into statements and come out of rows, owned and free of the engine's types.

use jiff::Timestamp;

/// One SQLite value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer; booleans are 0 and 1.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Makes the argument list of a statement: `params![name, 7, None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::value::Value::from($value)),*] as [$crate::value::Value; _] };
}

macro_rules! from_integers {
    ($($kind:ty),*) => { $(impl From<$kind> for Value {
        fn from(value: $kind) -> Value { Value::Integer(i64::from(value)) }
    })* };
}
from_integers!(i64, i32, u32, u16, u8, bool);

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::Text(value.clone())
    }
}

impl From<Timestamp> for Value {
    /// Times are text in UTC, `2023-01-17 10:00:00.5+00:00`, as LXD's SQLite driver writes them.
    fn from(value: Timestamp) -> Value {
        Value::Text(value.strftime("%Y-%m-%d %H:%M:%S%.f+00:00").to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl Value {
    /// How much of an entry's size limit this value takes, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            _ => 8,
        }
    }

    /// Short description for error messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Value::Null => "NULL".to_owned(),
            Value::Integer(number) => format!("the integer {number}"),
            Value::Real(number) => format!("the number {number}"),
            Value::Text(text) => format!("the text {text:?}"),
            Value::Blob(bytes) => format!("{} bytes", bytes.len()),
        }
    }
}

/// Reads a time in any of the forms that SQLite files of LXD hold: text with or without zone, or seconds since 1970.
pub fn parse_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Integer(seconds) => Timestamp::from_second(*seconds).ok(),
        Value::Text(text) => text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| format!("{text}Z").parse::<Timestamp>().ok())
            .or_else(|| text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())),
        _ => None,
    }
}

/// A type that one column can be read as.
pub trait FromValue: Sized {
    /// What the type wants, for error messages.
    const EXPECTED: &'static str;
    /// Takes the value, or gives it back if it is of another type.
    fn from_value(value: Value) -> Result<Self, Value>;
}

impl FromValue for Value {
    const EXPECTED: &'static str = "any value";
    fn from_value(value: Value) -> Result<Value, Value> {
        Ok(value)
    }
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "an integer";
    fn from_value(value: Value) -> Result<i64, Value> {
        match value {
            Value::Integer(number) => Ok(number),
            // `operations.node_id` is a number in a TEXT column.
            Value::Text(text) => text.parse().map_err(|_| Value::Text(text)),
            other => Err(other),
        }
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "0 or 1";
    fn from_value(value: Value) -> Result<bool, Value> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "text";
    fn from_value(value: Value) -> Result<String, Value> {
        match value {
            Value::Text(text) => Ok(text),
            // A person typing into `lxd sql` may leave a number in a text column without affinity.
            Value::Integer(number) => Ok(number.to_string()),
            other => Err(other),
        }
    }
}

impl FromValue for Timestamp {
    const EXPECTED: &'static str = "a time";
    fn from_value(value: Value) -> Result<Timestamp, Value> {
        parse_time(&value).ok_or(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: Value) -> Result<Option<T>, Value> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_written_and_as_lxd_wrote_them() {
        let cases = [
            ("2026-11-23 18:50:14+00:00", "2026-11-23T18:50:14Z"),
            ("2026-11-23 18:50:14.5+02:00", "2026-11-23T16:50:14.5Z"),
            ("2026-11-23 18:50:14", "2026-11-23T18:50:14Z"),
            ("2026-11-23T18:50:14.123456789Z", "2026-11-23T18:50:14.123456789Z"),
            ("0001-01-01 00:00:00+00:00", "0001-01-01T00:00:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
        ];
        for (text, expected) in cases {
            let time = parse_time(&Value::from(text)).unwrap_or_else(|| panic!("{text} is not read"));
            assert_eq!(time.to_string(), expected);
            assert_eq!(parse_time(&Value::from(time)), Some(time), "{text} written again");
        }
        assert_eq!(parse_time(&Value::Integer(0)), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(parse_time(&Value::from("soon")), None);
    }
}
