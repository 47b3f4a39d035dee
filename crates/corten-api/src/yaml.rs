//! YAML as LXD writes and reads it: bit for bit what its Go library prints, and strings read as they stand.
//!
//! LXD prints YAML in `show` and `list --format yaml`, and keeps `backup.yaml` and image metadata in it; scripts compare
//! the text. So the writer follows the rules of LXD's library (quoting, folding at 80 columns, natural order of keys),
//! which differ from those of every Rust writer. [`to_string`] takes any serde value: structs keep the order of their
//! fields, maps are sorted.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};

mod emit;
mod float;
mod node;
mod order;
mod read;
mod scalar;
mod serializer;

/// Writes a value as one YAML document, ending in a newline.
///
/// # Errors
/// Only for values that YAML has no place for: byte strings, and maps whose keys are neither text nor number.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    Ok(emit::document(&serializer::node(value)?))
}

/// Writes JSON of unknown shape as LXD does after decoding it: all its numbers are floating point ones, hence
/// `1000000` is printed as `1e+06`.
pub fn untyped_to_string(value: &Value) -> String {
    emit::document(&node::Node::untyped(value))
}

/// Reads one YAML document; an empty one gives the default. Scalars that go into strings keep their text (`1.50` stays
/// `1.50`), unknown fields are ignored unless the type refuses them, `null` stands for the empty value.
///
/// # Errors
/// [`Kind::Invalid`](crate::error::Kind::Invalid) with the line and column, and what was expected there.
pub fn from_str<T: DeserializeOwned + Default>(text: &str) -> Result<T> {
    read::document(text, read::Unknown::Ignored)
}

/// As [`from_str`], but fields that the type does not have are an error.
///
/// # Errors
/// As [`from_str`], and for unknown fields.
pub fn from_str_strict<T: DeserializeOwned + Default>(text: &str) -> Result<T> {
    read::document(text, read::Unknown::Refused)
}

/// Orders two keys of a map as LXD's YAML does: letters last, runs of digits as numbers.
pub fn key_order(left: &str, right: &str) -> std::cmp::Ordering {
    order::keys(left, right)
}

fn invalid(what: impl std::fmt::Display) -> Error {
    Error::invalid(what.to_string())
}

#[cfg(test)]
mod tests;
