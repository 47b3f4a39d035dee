//! Snapshots of instances.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::instance::InstancePostTarget;
use crate::time::Time;
use crate::wire::{is_false, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new instance snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSnapshotsPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    pub expires_at: Option<Time>,
}

/// The body of a POST to a instance snapshot: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSnapshotPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub migration: bool,
    pub target: Option<InstancePostTarget>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub live: bool,
}

/// The part of a instance snapshot that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSnapshotPut {
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
}

/// Instance snapshot, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSnapshot {
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub ephemeral: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub last_used_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    #[serde(deserialize_with = "nullable")]
    pub size: i64,
}

impl InstanceSnapshot {
    /// The part that a client may change.
    pub fn writable(&self) -> InstanceSnapshotPut {
        InstanceSnapshotPut { expires_at: self.expires_at }
    }
}
