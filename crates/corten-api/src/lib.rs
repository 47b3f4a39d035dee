//! What travels on the wire of LXD's API: bodies, envelopes, errors.
#![forbid(unsafe_code)]

pub mod certificate;
pub mod cluster;
pub mod envelope;
pub mod error;
pub mod event;
pub mod image;
pub mod init;
pub mod instance;
pub mod instance_backup;
pub mod instance_console;
pub mod instance_exec;
pub mod instance_snapshot;
pub mod instance_state;
pub mod network;
pub mod network_acl;
pub mod network_forward;
pub mod network_load_balancer;
pub mod network_peer;
pub mod network_zone;
pub mod operation;
pub mod profile;
pub mod project;
pub mod resource;
pub mod server;
pub mod status;
pub mod storage_pool;
pub mod storage_pool_bucket;
pub mod storage_pool_volume;
pub mod storage_pool_volume_backup;
pub mod storage_pool_volume_snapshot;
pub mod storage_pool_volume_state;
pub mod time;
pub mod url;
pub mod warning;
mod wire;
