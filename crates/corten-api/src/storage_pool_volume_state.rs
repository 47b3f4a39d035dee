//! What the API says of storage pool volume state.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::{is_zero, nullable};
use serde::{Deserialize, Serialize};

/// Storage volume state, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeState {
    pub usage: Option<StorageVolumeStateUsage>,
}

/// Storage volume state usage, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageVolumeStateUsage {
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub used: u64,
    #[serde(deserialize_with = "nullable")]
    pub total: i64,
}
