//! Operations: what runs in the background.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::status::StatusCode;
use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Operation, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub class: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub updated_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub status_code: StatusCode,
    pub resources: Option<BTreeMap<String, Vec<String>>>,
    pub metadata: Option<BTreeMap<String, Value>>,
    #[serde(deserialize_with = "nullable")]
    pub may_cancel: bool,
    #[serde(deserialize_with = "nullable")]
    pub err: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
}
