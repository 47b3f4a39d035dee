//! What the API says of network forward.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Network forward port, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkForwardPort {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable")]
    pub listen_port: String,
    #[serde(deserialize_with = "nullable")]
    pub target_port: String,
    #[serde(deserialize_with = "nullable")]
    pub target_address: String,
}

/// What makes a new network forward.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkForwardsPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkForwardPort>,
    #[serde(deserialize_with = "nullable")]
    pub listen_address: String,
}

impl NetworkForwardsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkForwardPut {
        NetworkForwardPut {
            description: self.description.clone(),
            config: self.config.clone(),
            ports: self.ports.clone(),
        }
    }
}

/// The part of a network forward that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkForwardPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkForwardPort>,
}

/// Network forward, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkForward {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkForwardPort>,
    #[serde(deserialize_with = "nullable")]
    pub listen_address: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
}

impl NetworkForward {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkForwardPut {
        NetworkForwardPut {
            description: self.description.clone(),
            config: self.config.clone(),
            ports: self.ports.clone(),
        }
    }
}
