//! What the API says of network peer.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new network peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPeersPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub target_project: String,
    #[serde(deserialize_with = "nullable")]
    pub target_network: String,
}

impl NetworkPeersPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkPeerPut {
        NetworkPeerPut { description: self.description.clone(), config: self.config.clone() }
    }
}

/// The part of a network peer that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPeerPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// Network peer, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPeer {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub target_project: String,
    #[serde(deserialize_with = "nullable")]
    pub target_network: String,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
}

impl NetworkPeer {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkPeerPut {
        NetworkPeerPut { description: self.description.clone(), config: self.config.clone() }
    }
}
