//! Projects.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a new project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectsPost {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

impl ProjectsPost {
    /// The part that a client may change.
    pub fn writable(&self) -> ProjectPut {
        ProjectPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// The body of a POST to a project: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// The part of a project that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectPut {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// Project, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Project {
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub used_by: Vec<String>,
}

impl Project {
    /// The part that a client may change.
    pub fn writable(&self) -> ProjectPut {
        ProjectPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// Project state, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectState {
    #[serde(deserialize_with = "nullable")]
    pub resources: BTreeMap<String, ProjectStateResource>,
}

/// Project state resource, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectStateResource {
    #[serde(rename = "Limit", deserialize_with = "nullable")]
    pub limit: i64,
    #[serde(rename = "Usage", deserialize_with = "nullable")]
    pub usage: i64,
}
