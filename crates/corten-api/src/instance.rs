//! Instances, and the bodies that make and change them.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::instance_backup::InstanceBackup;
use crate::instance_snapshot::InstanceSnapshot;
use crate::instance_state::InstanceState;
use crate::instance_state::InstanceStatePut;
use crate::status::StatusCode;
use crate::time::Time;
use crate::wire::{is_false, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancesPost {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub ephemeral: bool,
    /// `None` (`null`) asks for the default profile, an empty list for none at all.
    pub profiles: Option<Vec<String>>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub source: InstanceSource,
    #[serde(deserialize_with = "nullable")]
    pub instance_type: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
}

impl InstancesPost {
    /// The part that a client may change.
    pub fn writable(&self) -> InstancePut {
        InstancePut {
            architecture: self.architecture.clone(),
            config: self.config.clone(),
            devices: self.devices.clone(),
            ephemeral: self.ephemeral,
            profiles: self.profiles.clone().unwrap_or_default(),
            restore: self.restore.clone(),
            stateful: self.stateful,
            description: self.description.clone(),
        }
    }
}

/// The part of a instances that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancesPut {
    pub state: Option<InstanceStatePut>,
}

/// The body of a POST to a instance: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub migration: bool,
    #[serde(deserialize_with = "nullable")]
    pub live: bool,
    #[serde(deserialize_with = "nullable")]
    pub instance_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub container_only: bool,
    pub target: Option<InstancePostTarget>,
    #[serde(deserialize_with = "nullable")]
    pub pool: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub allow_inconsistent: bool,
}

/// Instance post target, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePostTarget {
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub operation: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// The part of a instance that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePut {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub ephemeral: bool,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// Instance, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub ephemeral: bool,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub status_code: StatusCode,
    #[serde(deserialize_with = "nullable")]
    pub last_used_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
}

impl Instance {
    /// The part that a client may change.
    pub fn writable(&self) -> InstancePut {
        InstancePut {
            architecture: self.architecture.clone(),
            config: self.config.clone(),
            devices: self.devices.clone(),
            ephemeral: self.ephemeral,
            profiles: self.profiles.clone(),
            restore: self.restore.clone(),
            stateful: self.stateful,
            description: self.description.clone(),
        }
    }
}

/// Instance full, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceFull {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub ephemeral: bool,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub restore: String,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub expanded_devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub status_code: StatusCode,
    #[serde(deserialize_with = "nullable")]
    pub last_used_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    pub backups: Option<Vec<InstanceBackup>>,
    pub state: Option<InstanceState>,
    pub snapshots: Option<Vec<InstanceSnapshot>>,
}

/// Instance source, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSource {
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub alias: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub server: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub secret: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    #[serde(rename = "base-image", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub base_image: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub mode: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub operation: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub source: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub live: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub instance_only: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub container_only: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub refresh: bool,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub allow_inconsistent: bool,
}
