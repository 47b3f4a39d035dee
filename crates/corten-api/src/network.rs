//! Networks, their state and leases.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::{null_when_empty, nullable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworksPost {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
}

impl NetworksPost {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkPut {
        NetworkPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// The body of a POST to a network: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// The part of a network that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPut {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// Network, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub managed: bool,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable", serialize_with = "null_when_empty")]
    pub locations: Vec<String>,
}

impl Network {
    /// The part that a client may change.
    pub fn writable(&self) -> NetworkPut {
        NetworkPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// Network lease, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLease {
    #[serde(deserialize_with = "nullable")]
    pub hostname: String,
    #[serde(deserialize_with = "nullable")]
    pub hwaddr: String,
    #[serde(deserialize_with = "nullable")]
    pub address: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
}

/// Network state, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkState {
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<NetworkStateAddress>,
    #[serde(deserialize_with = "nullable")]
    pub counters: NetworkStateCounters,
    #[serde(deserialize_with = "nullable")]
    pub hwaddr: String,
    #[serde(deserialize_with = "nullable")]
    pub mtu: i64,
    #[serde(deserialize_with = "nullable")]
    pub state: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    pub bond: Option<NetworkStateBond>,
    pub bridge: Option<NetworkStateBridge>,
    pub vlan: Option<NetworkStateVLAN>,
    pub ovn: Option<NetworkStateOVN>,
}

/// Network state address, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateAddress {
    #[serde(deserialize_with = "nullable")]
    pub family: String,
    #[serde(deserialize_with = "nullable")]
    pub address: String,
    #[serde(deserialize_with = "nullable")]
    pub netmask: String,
    #[serde(deserialize_with = "nullable")]
    pub scope: String,
}

/// Network state counters, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateCounters {
    #[serde(deserialize_with = "nullable")]
    pub bytes_received: i64,
    #[serde(deserialize_with = "nullable")]
    pub bytes_sent: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_received: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_sent: i64,
}

/// Network state bond, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateBond {
    #[serde(deserialize_with = "nullable")]
    pub mode: String,
    #[serde(deserialize_with = "nullable")]
    pub transmit_policy: String,
    #[serde(deserialize_with = "nullable")]
    pub up_delay: u64,
    #[serde(deserialize_with = "nullable")]
    pub down_delay: u64,
    #[serde(deserialize_with = "nullable")]
    pub mii_frequency: u64,
    #[serde(deserialize_with = "nullable")]
    pub mii_state: String,
    #[serde(deserialize_with = "nullable")]
    pub lower_devices: Vec<String>,
}

/// Network state bridge, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateBridge {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub stp: bool,
    #[serde(deserialize_with = "nullable")]
    pub forward_delay: u64,
    #[serde(deserialize_with = "nullable")]
    pub vlan_default: u64,
    #[serde(deserialize_with = "nullable")]
    pub vlan_filtering: bool,
    #[serde(deserialize_with = "nullable")]
    pub upper_devices: Vec<String>,
}

/// Network state vlan, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateVLAN {
    #[serde(deserialize_with = "nullable")]
    pub lower_device: String,
    #[serde(deserialize_with = "nullable")]
    pub vid: u64,
}

/// Network state ovn, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkStateOVN {
    #[serde(deserialize_with = "nullable")]
    pub chassis: String,
}
