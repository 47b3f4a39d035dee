//! Templates in pongo2's language (Django's, as LXD's images use it), made into text.
//!
//! A template comes with an image, and may be hostile: it reaches nothing but the values that it is given, its text and
//! its work are bounded, and tags that would read files are refused.

mod eval;
mod expression;
mod filters;
mod lex;
mod parse;

use std::collections::BTreeMap;
use std::fmt;

/// The longest text that a template makes, and the longest value on the way, in bytes.
pub const LONGEST: usize = 1 << 20;

/// How many steps a template may take: every piece of text, every part of an expression is one.
pub const STEPS: usize = 200_000;

/// A value in a template.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// What is not there.
    #[default]
    Nothing,
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Yes or no.
    Truth(bool),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// A map of texts.
    pub fn texts<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
        Value::Map(pairs.into_iter().map(|(key, value)| (key.clone(), Value::Text(value.clone()))).collect())
    }

    /// Whether a condition holds with it.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nothing => false,
            Value::Text(text) => !text.is_empty(),
            Value::Integer(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Truth(truth) => *truth,
            Value::List(values) => !values.is_empty(),
            Value::Map(values) => !values.is_empty(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_string())
    }
}

/// As pongo2 prints it.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nothing => Ok(()),
            Value::Text(text) => out.write_str(text),
            Value::Integer(number) => write!(out, "{number}"),
            Value::Float(number) => write!(out, "{number:.6}"),
            Value::Truth(true) => out.write_str("True"),
            Value::Truth(false) => out.write_str("False"),
            Value::List(values) => {
                let words: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(out, "[{}]", words.join(" "))
            }
            Value::Map(values) => {
                let words: Vec<String> = values.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                write!(out, "map[{}]", words.join(" "))
            }
        }
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Error {
    /// Where, from 1.
    pub line: usize,
    /// What.
    pub what: String,
}

impl Error {
    fn new(line: usize, what: impl Into<String>) -> Error {
        Error { line, what: what.into() }
    }
}

/// Makes the text of a template. `config` is what its function `config_get(key, default)` looks into.
///
/// # Errors
/// Where it is no template, or does more than it may.
pub fn render(
    text: &str,
    variables: BTreeMap<String, Value>,
    config: &BTreeMap<String, String>,
) -> Result<String, Error> {
    if text.len() > LONGEST {
        return Err(Error::new(1, format!("the template is longer than {LONGEST} bytes")));
    }
    let nodes = parse::parse(&lex::pieces(text)?)?;
    eval::Eval::new(variables, config).run(&nodes)
}

#[cfg(test)]
mod tests;
