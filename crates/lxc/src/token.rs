//! Tokens: operations of the server that stand for a right to join it, written as text.

use std::collections::BTreeMap;

use corten_api::error::Result;
use corten_api::operation::Operation;
use corten_api::status::StatusCode;
use corten_api::url;
use data_encoding::BASE64;
use serde::Serialize;

use crate::session::Resource;
use crate::table;

/// A token as it is handed on: its JSON in base64.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn encode(token: &impl Serialize) -> Result<String> {
    Ok(BASE64.encode(table::json(token)?.as_bytes()))
}

/// Tokens that can still be used, each with the id of its operation; `read` knows those of one kind.
///
/// # Errors
/// The server's own.
pub async fn usable<T>(found: &Resource, read: impl Fn(&Operation) -> Option<T>) -> Result<Vec<(String, T)>> {
    let server = found.server.in_project(url::DEFAULT_PROJECT);
    let operations: BTreeMap<String, Vec<Operation>> = server.get("/1.0/operations?recursion=1").await?;
    Ok(operations
        .into_values()
        .flatten()
        .filter(|operation| operation.class == "token" && operation.status_code == StatusCode::Running)
        .filter_map(|operation| read(&operation).map(|token| (operation.id, token)))
        .collect())
}
