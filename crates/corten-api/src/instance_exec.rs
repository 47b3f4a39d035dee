//! Running a command in an instance.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Instance exec control, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceExecControl {
    #[serde(deserialize_with = "nullable")]
    pub command: String,
    #[serde(deserialize_with = "nullable")]
    pub args: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub signal: i64,
}

/// The body of a POST to a instance exec: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceExecPost {
    #[serde(deserialize_with = "nullable")]
    pub command: Vec<String>,
    #[serde(rename = "wait-for-websocket", deserialize_with = "nullable")]
    pub wait_for_websocket: bool,
    #[serde(deserialize_with = "nullable")]
    pub interactive: bool,
    #[serde(deserialize_with = "nullable")]
    pub environment: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub width: i64,
    #[serde(deserialize_with = "nullable")]
    pub height: i64,
    #[serde(rename = "record-output", deserialize_with = "nullable")]
    pub record_output: bool,
    #[serde(deserialize_with = "nullable")]
    pub user: u32,
    #[serde(deserialize_with = "nullable")]
    pub group: u32,
    #[serde(deserialize_with = "nullable")]
    pub cwd: String,
}
