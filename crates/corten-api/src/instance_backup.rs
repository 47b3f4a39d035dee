//! Backups of instances.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};

/// What makes a new instance backup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceBackupsPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub instance_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub container_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub optimized_storage: bool,
    #[serde(deserialize_with = "nullable")]
    pub compression_algorithm: String,
}

/// Instance backup, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceBackup {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub instance_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub container_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub optimized_storage: bool,
}

/// The body of a POST to a instance backup: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceBackupPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}
