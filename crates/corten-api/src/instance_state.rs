//! The state of an instance: processes, memory, disks, addresses.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::status::StatusCode;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The part of a instance state that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStatePut {
    #[serde(deserialize_with = "nullable")]
    pub action: String,
    #[serde(deserialize_with = "nullable")]
    pub timeout: i64,
    #[serde(deserialize_with = "nullable")]
    pub force: bool,
    #[serde(deserialize_with = "nullable")]
    pub stateful: bool,
}

/// Instance state, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceState {
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub status_code: StatusCode,
    pub disk: Option<BTreeMap<String, InstanceStateDisk>>,
    #[serde(deserialize_with = "nullable")]
    pub memory: InstanceStateMemory,
    pub network: Option<BTreeMap<String, InstanceStateNetwork>>,
    #[serde(deserialize_with = "nullable")]
    pub pid: i64,
    #[serde(deserialize_with = "nullable")]
    pub processes: i64,
    #[serde(deserialize_with = "nullable")]
    pub cpu: InstanceStateCPU,
}

/// Instance state disk, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateDisk {
    #[serde(deserialize_with = "nullable")]
    pub usage: i64,
}

/// Instance state cpu, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateCPU {
    #[serde(deserialize_with = "nullable")]
    pub usage: i64,
}

/// Instance state memory, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateMemory {
    #[serde(deserialize_with = "nullable")]
    pub usage: i64,
    #[serde(deserialize_with = "nullable")]
    pub usage_peak: i64,
    #[serde(deserialize_with = "nullable")]
    pub swap_usage: i64,
    #[serde(deserialize_with = "nullable")]
    pub swap_usage_peak: i64,
}

/// Instance state network, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetwork {
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<InstanceStateNetworkAddress>,
    #[serde(deserialize_with = "nullable")]
    pub counters: InstanceStateNetworkCounters,
    #[serde(deserialize_with = "nullable")]
    pub hwaddr: String,
    #[serde(deserialize_with = "nullable")]
    pub host_name: String,
    #[serde(deserialize_with = "nullable")]
    pub mtu: i64,
    #[serde(deserialize_with = "nullable")]
    pub state: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
}

/// Instance state network address, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetworkAddress {
    #[serde(deserialize_with = "nullable")]
    pub family: String,
    #[serde(deserialize_with = "nullable")]
    pub address: String,
    #[serde(deserialize_with = "nullable")]
    pub netmask: String,
    #[serde(deserialize_with = "nullable")]
    pub scope: String,
}

/// Instance state network counters, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetworkCounters {
    #[serde(deserialize_with = "nullable")]
    pub bytes_received: i64,
    #[serde(deserialize_with = "nullable")]
    pub bytes_sent: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_received: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_sent: i64,
    #[serde(deserialize_with = "nullable")]
    pub errors_received: i64,
    #[serde(deserialize_with = "nullable")]
    pub errors_sent: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_dropped_outbound: i64,
    #[serde(deserialize_with = "nullable")]
    pub packets_dropped_inbound: i64,
}
