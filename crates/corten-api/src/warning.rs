//! Warnings.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};

/// Warning, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Warning {
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub uuid: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub count: i64,
    #[serde(deserialize_with = "nullable")]
    pub first_seen_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub last_seen_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub last_message: String,
    #[serde(deserialize_with = "nullable")]
    pub severity: String,
    #[serde(deserialize_with = "nullable")]
    pub entity_url: String,
}

impl Warning {
    /// The part that a client may change.
    pub fn writable(&self) -> WarningPut {
        WarningPut { status: self.status.clone() }
    }
}

/// The part of a warning that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarningPut {
    #[serde(deserialize_with = "nullable")]
    pub status: String,
}
