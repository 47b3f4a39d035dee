//! What the API says of storage pool volume backup.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};

/// Storage pool volume backup, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoragePoolVolumeBackup {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub volume_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub optimized_storage: bool,
}

/// What makes a new storage pool volume backup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoragePoolVolumeBackupsPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub volume_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub optimized_storage: bool,
    #[serde(deserialize_with = "nullable")]
    pub compression_algorithm: String,
}

/// The body of a POST to a storage pool volume backup: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoragePoolVolumeBackupPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}
