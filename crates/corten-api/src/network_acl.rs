//! What the API says of network acl.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Network aclrule, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkACLRule {
    #[serde(deserialize_with = "nullable")]
    pub action: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub source: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub destination: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub source_port: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub destination_port: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub icmp_type: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub icmp_code: String,
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub state: String,
}

/// The body of a POST to a network ac: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkACLPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// The part of a network ac that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkACLPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub egress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub ingress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

/// Network acl, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkACL {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub egress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub ingress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
}

impl NetworkACL {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkACLPut {
        NetworkACLPut {
            description: self.description.clone(),
            egress: self.egress.clone(),
            ingress: self.ingress.clone(),
            config: self.config.clone(),
        }
    }
}

/// What makes a new network acl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkACLsPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub egress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub ingress: Vec<NetworkACLRule>,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
}

impl NetworkACLsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkACLPut {
        NetworkACLPut {
            description: self.description.clone(),
            egress: self.egress.clone(),
            ingress: self.ingress.clone(),
            config: self.config.clone(),
        }
    }
}
