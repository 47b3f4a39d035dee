//! The server itself: configuration and environment.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Server environment, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerEnvironment {
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub architectures: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate_fingerprint: String,
    #[serde(deserialize_with = "nullable")]
    pub driver: String,
    #[serde(deserialize_with = "nullable")]
    pub driver_version: String,
    #[serde(deserialize_with = "nullable")]
    pub firewall: String,
    #[serde(deserialize_with = "nullable")]
    pub kernel: String,
    #[serde(deserialize_with = "nullable")]
    pub kernel_architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub kernel_features: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub kernel_version: String,
    #[serde(deserialize_with = "nullable")]
    pub lxc_features: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub os_name: String,
    #[serde(deserialize_with = "nullable")]
    pub os_version: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub server: String,
    #[serde(deserialize_with = "nullable")]
    pub server_clustered: bool,
    #[serde(deserialize_with = "nullable")]
    pub server_event_mode: String,
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub server_pid: i64,
    #[serde(deserialize_with = "nullable")]
    pub server_version: String,
    #[serde(deserialize_with = "nullable")]
    pub storage: String,
    #[serde(deserialize_with = "nullable")]
    pub storage_version: String,
    #[serde(deserialize_with = "nullable")]
    pub storage_supported_drivers: Vec<ServerStorageDriverInfo>,
}

/// Server storage driver info, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerStorageDriverInfo {
    #[serde(rename = "Name", deserialize_with = "nullable")]
    pub name: String,
    #[serde(rename = "Version", deserialize_with = "nullable")]
    pub version: String,
    #[serde(rename = "Remote", deserialize_with = "nullable")]
    pub remote: bool,
}

/// The part of a server that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerPut {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, Value>,
}

/// Server untrusted, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerUntrusted {
    #[serde(deserialize_with = "nullable")]
    pub api_extensions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub api_status: String,
    #[serde(deserialize_with = "nullable")]
    pub api_version: String,
    #[serde(deserialize_with = "nullable")]
    pub auth: String,
    #[serde(deserialize_with = "nullable")]
    pub public: bool,
    #[serde(deserialize_with = "nullable")]
    pub auth_methods: Vec<String>,
}

/// Server, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, Value>,
    #[serde(deserialize_with = "nullable")]
    pub api_extensions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub api_status: String,
    #[serde(deserialize_with = "nullable")]
    pub api_version: String,
    #[serde(deserialize_with = "nullable")]
    pub auth: String,
    #[serde(deserialize_with = "nullable")]
    pub public: bool,
    #[serde(deserialize_with = "nullable")]
    pub auth_methods: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub environment: ServerEnvironment,
}

impl Server {
    /// The part that a client may change.
    pub fn writable(&self) -> ServerPut {
        ServerPut { config: self.config.clone() }
    }
}
