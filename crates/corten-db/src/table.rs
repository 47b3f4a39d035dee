//! One file per group of tables: plain structs, and functions that read and write them.
//!
//! Functions that read take a [`crate::View`] (a [`crate::Tx`] stands for one), those that write a [`crate::Tx`].
//! Things
//! are named by project and name, as the API does. A thing that is not there is `None`, never an error; the caller has
//! the words for it. Lists come in the order of names.

pub mod architecture;
pub mod backups;
pub mod certificates;
pub mod config;
pub mod devices;
pub mod entities;
pub mod image_aliases;
pub mod images;
pub mod instances;
pub mod keyed;
pub mod local;
mod member_keyed;
pub mod network_acls;
pub mod network_forwards;
pub mod network_zone_records;
pub mod network_zones;
pub mod networks;
pub mod nodes;
pub mod operations;
pub mod own_keys;
pub mod profiles;
pub mod projects;
pub mod snapshots;
pub mod storage_pools;
pub mod storage_volumes;
pub mod used_by;
pub mod volume_snapshots;
pub mod warnings;

use std::collections::BTreeMap;

/// Keys and values of one thing.
pub type Config = BTreeMap<String, String>;

/// Devices by name, each as the API has it: with its `type` among the keys.
pub type Devices = BTreeMap<String, Config>;

/// The state of a network or storage pool, and of its part on one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Defined, not yet made.
    Pending,
    /// Made and in use.
    Created,
    /// Making it failed.
    Errored,
}

impl State {
    /// LXD's number.
    pub fn code(self) -> i64 {
        match self {
            State::Pending => 0,
            State::Created => 1,
            State::Errored => 2,
        }
    }

    /// What LXD calls it.
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "Pending",
            State::Created => "Created",
            State::Errored => "Errored",
        }
    }

    /// The state of a number; unknown ones count as an error in making it.
    pub fn from_code(code: i64) -> State {
        match code {
            0 => State::Pending,
            1 => State::Created,
            _ => State::Errored,
        }
    }
}
