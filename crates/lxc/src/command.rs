//! The commands, one file each.

use crate::commands::Command;
use crate::complete;
use crate::help;

mod action;
mod alias;
mod cluster;
mod config;
mod config_device;
mod config_metadata;
mod config_template;
mod config_trust;
mod console;
mod console_vga;
mod copy;
mod copy_transfer;
mod delete;
mod exec;
mod export;
mod file;
mod image;
mod import;
mod info;
mod init;
mod launch;
mod list;
mod manpage;
mod monitor;
mod move_;
mod network;
mod network_acl;
mod network_forward;
mod network_peer;
mod network_zone;
mod operation;
mod pause;
mod profile;
mod project;
mod publish;
mod query;
mod remote;
mod rename;
mod restart;
mod restore;
mod snapshot;
mod start;
mod stop;
mod storage;
mod storage_volume;
mod transfer;
mod version;
mod warning;

/// The commands directly below `lxc`, in the order of their names.
pub static ALL: &[&Command] = &[
    &alias::COMMAND,
    &cluster::COMMAND,
    &config::COMMAND,
    &console::COMMAND,
    &copy::COMMAND,
    &delete::COMMAND,
    &exec::COMMAND,
    &export::COMMAND,
    &file::COMMAND,
    &help::COMMAND,
    &image::COMMAND,
    &import::COMMAND,
    &info::COMMAND,
    &init::COMMAND,
    &launch::COMMAND,
    &list::COMMAND,
    &manpage::COMMAND,
    &monitor::COMMAND,
    &move_::COMMAND,
    &network::COMMAND,
    &operation::COMMAND,
    &pause::COMMAND,
    &profile::COMMAND,
    &project::COMMAND,
    &publish::COMMAND,
    &query::COMMAND,
    &remote::COMMAND,
    &rename::COMMAND,
    &restart::COMMAND,
    &restore::COMMAND,
    &snapshot::COMMAND,
    &start::COMMAND,
    &stop::COMMAND,
    &storage::COMMAND,
    &version::COMMAND,
    &warning::COMMAND,
    &complete::COMPLETE,
    &complete::COMPLETION,
];
