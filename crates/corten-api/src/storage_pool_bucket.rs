//! What the API says of storage pool bucket.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new storage bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucketsPost {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl StorageBucketsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageBucketPut {
        StorageBucketPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// The part of a storage bucket that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucketPut {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// Storage bucket, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucket {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub s3_url: String,
    #[serde(deserialize_with = "nullable")]
    pub location: String,
}

impl StorageBucket {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageBucketPut {
        StorageBucketPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// What makes a new storage bucket key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucketKeysPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub role: String,
    #[serde(rename = "access-key", deserialize_with = "nullable")]
    pub access_key: String,
    #[serde(rename = "secret-key", deserialize_with = "nullable")]
    pub secret_key: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl StorageBucketKeysPost {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageBucketKeyPut {
        StorageBucketKeyPut {
            description: self.description.clone(),
            role: self.role.clone(),
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
        }
    }
}

/// The part of a storage bucket key that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucketKeyPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub role: String,
    #[serde(rename = "access-key", deserialize_with = "nullable")]
    pub access_key: String,
    #[serde(rename = "secret-key", deserialize_with = "nullable")]
    pub secret_key: String,
}

/// Storage bucket key, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageBucketKey {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub role: String,
    #[serde(rename = "access-key", deserialize_with = "nullable")]
    pub access_key: String,
    #[serde(rename = "secret-key", deserialize_with = "nullable")]
    pub secret_key: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl StorageBucketKey {
    /// The part that a client may change.
    pub fn writable(&self) -> StorageBucketKeyPut {
        StorageBucketKeyPut {
            description: self.description.clone(),
            role: self.role.clone(),
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
        }
    }
}
