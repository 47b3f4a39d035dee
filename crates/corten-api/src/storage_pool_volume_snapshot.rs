//! What the API says of storage pool volume snapshot.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new storage volume snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeSnapshotsPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    pub expires_at: Option<Time>,
}

/// The body of a POST to a storage volume snapshot: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeSnapshotPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// Storage volume snapshot, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeSnapshot {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    pub expires_at: Option<Time>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub content_type: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
}

impl StorageVolumeSnapshot {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageVolumeSnapshotPut {
        StorageVolumeSnapshotPut { description: self.description.clone(), expires_at: self.expires_at }
    }
}

/// The part of a storage volume snapshot that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeSnapshotPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    pub expires_at: Option<Time>,
}
