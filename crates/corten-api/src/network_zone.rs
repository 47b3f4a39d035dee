//! What the API says of network zone.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::{is_zero, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new network zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZonesPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl NetworkZonesPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkZonePut {
        NetworkZonePut { description: self.description.clone(), config: self.config.clone() }
    }
}

/// The part of a network zone that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZonePut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// Network zone, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZone {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
}

impl NetworkZone {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkZonePut {
        NetworkZonePut { description: self.description.clone(), config: self.config.clone() }
    }
}

/// What makes a new network zone record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZoneRecordsPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub entries: Vec<NetworkZoneRecordEntry>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl NetworkZoneRecordsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkZoneRecordPut {
        NetworkZoneRecordPut {
            description: self.description.clone(),
            entries: self.entries.clone(),
            config: self.config.clone(),
        }
    }
}

/// The part of a network zone record that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZoneRecordPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub entries: Vec<NetworkZoneRecordEntry>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// Network zone record entry, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZoneRecordEntry {
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub ttl: u64,
    #[serde(deserialize_with = "nullable")]
    pub value: String,
}

/// Network zone record, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkZoneRecord {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub entries: Vec<NetworkZoneRecordEntry>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl NetworkZoneRecord {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkZoneRecordPut {
        NetworkZoneRecordPut {
            description: self.description.clone(),
            entries: self.entries.clone(),
            config: self.config.clone(),
        }
    }
}
