//! What the API says of cluster.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cluster, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub enabled: bool,
    #[serde(deserialize_with = "nullable")]
    pub member_config: Vec<ClusterMemberConfigKey>,
}

/// Cluster member config key, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberConfigKey {
    #[serde(deserialize_with = "nullable")]
    pub entity: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub key: String,
    #[serde(deserialize_with = "nullable")]
    pub value: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// The part of a cluster that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterPut {
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
}

/// What makes a new cluster member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMembersPost {
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
}

/// Cluster member join token, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberJoinToken {
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub fingerprint: String,
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub secret: String,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
}

/// The body of a POST to a cluster member: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberPost {
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
}

/// Cluster member, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMember {
    #[serde(deserialize_with = "nullable")]
    pub roles: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub failure_domain: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub groups: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    #[serde(deserialize_with = "nullable")]
    pub database: bool,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub message: String,
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
}

impl ClusterMember {
    /// The part that a client may change.
    pub fn writable(&self) -> ClusterMemberPut {
        ClusterMemberPut {
            roles: self.roles.clone(),
            failure_domain: self.failure_domain.clone(),
            description: self.description.clone(),
            config: self.config.clone(),
            groups: self.groups.clone(),
        }
    }
}

/// The part of a cluster member that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberPut {
    #[serde(deserialize_with = "nullable")]
    pub roles: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub failure_domain: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub groups: Vec<String>,
}

/// The part of a cluster certificate that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterCertificatePut {
    #[serde(deserialize_with = "nullable")]
    pub cluster_certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub cluster_certificate_key: String,
}

/// The body of a POST to a cluster member state: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberStatePost {
    #[serde(deserialize_with = "nullable")]
    pub action: String,
    #[serde(deserialize_with = "nullable")]
    pub mode: String,
}

/// What makes a new cluster group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterGroupsPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub members: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl ClusterGroupsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> ClusterGroupPut {
        ClusterGroupPut { description: self.description.clone(), members: self.members.clone() }
    }
}

/// Cluster group, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterGroup {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub members: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl ClusterGroup {
    /// The part that a client may change.
    pub fn writable(&self) -> ClusterGroupPut {
        ClusterGroupPut { description: self.description.clone(), members: self.members.clone() }
    }
}

/// The body of a POST to a cluster group: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterGroupPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// The part of a cluster group that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterGroupPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub members: Vec<String>,
}
