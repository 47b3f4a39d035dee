//! The preseed document of `lxd init`.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::cluster::ClusterMemberConfigKey;
use crate::cluster::ClusterPut;
use crate::profile::ProfilesPost;
use crate::project::ProjectsPost;
use crate::server::ServerPut;
use crate::storage_pool::StoragePoolsPost;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Init preseed, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InitPreseed {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, Value>,
    #[serde(deserialize_with = "nullable")]
    pub networks: Vec<InitNetworksProjectPost>,
    #[serde(deserialize_with = "nullable")]
    pub storage_pools: Vec<StoragePoolsPost>,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<ProfilesPost>,
    #[serde(deserialize_with = "nullable")]
    pub projects: Vec<ProjectsPost>,
    pub cluster: Option<InitClusterPreseed>,
}

/// Init local preseed, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InitLocalPreseed {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, Value>,
    #[serde(deserialize_with = "nullable")]
    pub networks: Vec<InitNetworksProjectPost>,
    #[serde(deserialize_with = "nullable")]
    pub storage_pools: Vec<StoragePoolsPost>,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<ProfilesPost>,
    #[serde(deserialize_with = "nullable")]
    pub projects: Vec<ProjectsPost>,
}

impl InitLocalPreseed {
    /// The part that a client may change.
    pub fn writable(&self) -> ServerPut {
        ServerPut { config: self.config.clone() }
    }
}

/// The body of a POST to a init networks project: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InitNetworksProjectPost {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(alias = "Project", deserialize_with = "nullable")]
    pub project: String,
}

/// Init cluster preseed, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InitClusterPreseed {
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub enabled: bool,
    #[serde(deserialize_with = "nullable")]
    pub member_config: Vec<ClusterMemberConfigKey>,
    #[serde(deserialize_with = "nullable")]
    pub cluster_address: String,
    #[serde(deserialize_with = "nullable")]
    pub cluster_certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub server_address: String,
    #[serde(deserialize_with = "nullable")]
    pub cluster_password: String,
    #[serde(deserialize_with = "nullable")]
    pub cluster_certificate_path: String,
    #[serde(deserialize_with = "nullable")]
    pub cluster_token: String,
}

impl InitClusterPreseed {
    /// The part that a client may change.
    pub fn writable(&self) -> ClusterPut {
        ClusterPut {
            server_name: self.server_name.clone(),
            enabled: self.enabled,
            member_config: self.member_config.clone(),
            cluster_address: self.cluster_address.clone(),
            cluster_certificate: self.cluster_certificate.clone(),
            server_address: self.server_address.clone(),
            cluster_password: self.cluster_password.clone(),
        }
    }
}
