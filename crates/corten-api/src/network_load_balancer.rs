//! What the API says of network load balancer.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Network load balancer backend, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLoadBalancerBackend {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub target_port: String,
    #[serde(deserialize_with = "nullable")]
    pub target_address: String,
}

/// Network load balancer port, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLoadBalancerPort {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable")]
    pub listen_port: String,
    #[serde(deserialize_with = "nullable")]
    pub target_backend: Vec<String>,
}

/// What makes a new network load balancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLoadBalancersPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub backends: Vec<NetworkLoadBalancerBackend>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkLoadBalancerPort>,
    #[serde(deserialize_with = "nullable")]
    pub listen_address: String,
}

impl NetworkLoadBalancersPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkLoadBalancerPut {
        NetworkLoadBalancerPut {
            description: self.description.clone(),
            config: self.config.clone(),
            backends: self.backends.clone(),
            ports: self.ports.clone(),
        }
    }
}

/// The part of a network load balancer that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLoadBalancerPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub backends: Vec<NetworkLoadBalancerBackend>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkLoadBalancerPort>,
}

/// Network load balancer, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLoadBalancer {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub backends: Vec<NetworkLoadBalancerBackend>,
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<NetworkLoadBalancerPort>,
    #[serde(deserialize_with = "nullable")]
    pub listen_address: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
}

impl NetworkLoadBalancer {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkLoadBalancerPut {
        NetworkLoadBalancerPut {
            description: self.description.clone(),
            config: self.config.clone(),
            backends: self.backends.clone(),
            ports: self.ports.clone(),
        }
    }
}
