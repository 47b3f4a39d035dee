//! `streams/v1/index.json`: where the lists of products are.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use serde::Deserialize;

/// Path of the document below the server's URL.
pub const PATH: &str = "streams/v1/index.json";

#[derive(Debug, Deserialize)]
struct Index {
    #[serde(default)]
    index: BTreeMap<String, Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    datatype: String,
    path: String,
    products: Vec<String>,
}

/// The paths of all lists of images that are not empty.
///
/// # Errors
/// When the text is not such a document.
pub fn image_lists(text: &[u8]) -> Result<Vec<String>> {
    let index: Index = serde_json::from_slice(text)
        .map_err(|error| Error::internal(format!("Failed decoding stream JSON from {PATH:?}: {error}")))?;
    let wanted = index.index.into_values();
    let wanted = wanted.filter(|entry| entry.datatype == "image-downloads" && !entry.products.is_empty());
    Ok(wanted.map(|entry| entry.path).collect())
}
