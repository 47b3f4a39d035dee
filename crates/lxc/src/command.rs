//! The commands, one file each.

use crate::commands::Command;
use crate::help;

mod alias;
mod config;
mod config_device;
mod config_metadata;
mod config_template;
mod config_trust;
mod network;
mod profile;
mod project;
mod remote;
mod storage;
mod storage_volume;
mod version;
mod warning;

/// The commands directly below `lxc`, in the order of their names.
pub static ALL: &[&Command] = &[
    &alias::COMMAND,
    &config::COMMAND,
    &help::COMMAND,
    &network::COMMAND,
    &profile::COMMAND,
    &project::COMMAND,
    &remote::COMMAND,
    &storage::COMMAND,
    &version::COMMAND,
    &warning::COMMAND,
];
