//! What the API says of storage pool volume.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new storage volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumesPost {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub source: StorageVolumeSource,
    #[serde(deserialize_with = "nullable")]
    pub content_type: String,
}

impl StorageVolumesPost {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageVolumePut {
        StorageVolumePut {
            config: self.config.clone(),
            description: self.description.clone(),
            restore: self.restore.clone(),
        }
    }
}

/// The body of a POST to a storage volume: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumePost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub pool: String,
    #[serde(deserialize_with = "nullable")]
    pub migration: bool,
    pub target: Option<StorageVolumePostTarget>,
    #[serde(deserialize_with = "nullable")]
    pub volume_only: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub project: String,
}

/// Storage volume post target, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumePostTarget {
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub operation: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// Storage volume, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolume {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
    #[serde(deserialize_with = "nullable")]
    pub content_type: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
}

impl StorageVolume {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageVolumePut {
        StorageVolumePut {
            config: self.config.clone(),
            description: self.description.clone(),
            restore: self.restore.clone(),
        }
    }
}

/// The part of a storage volume that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumePut {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
}

/// Storage volume source, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeSource {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub pool: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub mode: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub operation: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub volume_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub refresh: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub project: String,
}
