//! Taking up what a pool holds and the database does not know: instances with their snapshots, and custom volumes.
//! The pool alone is enough, also one that another server wrote.

pub mod import;
pub mod scan;

use corten_api::storage_pool::StoragePoolsPost;
use serde::{Deserialize, Serialize};

/// The pools to look at: known ones by name, others with driver and source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecoverPost {
    /// The pools.
    pub pools: Vec<StoragePoolsPost>,
}

/// A volume that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnknownVolume {
    /// Its name.
    pub name: String,
    /// `container`, or `volume` for a custom one.
    pub r#type: String,
    /// How many snapshots it has.
    #[serde(rename = "snapshotCount")]
    pub snapshot_count: usize,
    /// The project that it belongs to.
    pub project: String,
    /// The pool that it is on.
    pub pool: String,
}

/// What was found, and what must be there before it can be taken up. The names are LXD's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    /// Volumes that nobody knows.
    #[serde(rename = "UnknownVolumes")]
    pub unknown: Option<Vec<UnknownVolume>>,
    /// What is missing, a line each.
    #[serde(rename = "DependencyErrors")]
    pub missing: Option<Vec<String>>,
}
