//! ETags: the hash of what a change must not overlook.

use super::json;
use corten_api::error::{Error, Result};
use hyper::HeaderMap;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// LXD's hash of an object: SHA-256, in hexadecimal, over the JSON of `fields` and a newline.
pub fn hash(fields: &(impl Serialize + ?Sized)) -> Option<String> {
    let mut text = Vec::new();
    json::write_for_pages(&mut text, fields).ok()?;
    text.push(b'\n');
    Some(data_encoding::HEXLOWER.encode(&Sha256::digest(&text)))
}

/// Compares `If-Match`, when the client sent one, with the object as it is now.
///
/// # Errors
/// 412 when the client looked at another version.
pub fn check(headers: &HeaderMap, fields: &(impl Serialize + ?Sized)) -> Result<()> {
    let asked = headers.get(hyper::header::IF_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asked = asked.trim_matches('"');
    if asked.is_empty() {
        return Ok(());
    }
    let current = hash(fields).ok_or_else(|| Error::internal("Failed to compute the ETag"))?;
    if asked == current {
        return Ok(());
    }
    Err(Error::precondition(format!("ETag doesn't match: {current} vs {asked}")))
}
