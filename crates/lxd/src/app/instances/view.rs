//! Instances as the API shows them.

use corten_api::instance::{Instance as Shown, InstanceFull};
use corten_api::instance_backup::InstanceBackup;
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::instance_state::InstanceState;
use corten_api::status::StatusCode;
use corten_instance::instance::Instance;
use serde::Serialize;

/// Where instances are, until hosts form a cluster.
const LOCATION: &str = "none";

/// The instance with this status.
pub fn show(instance: &Instance, status: StatusCode) -> Shown {
    show_owned(instance.clone(), status)
}

/// The same, of an instance that is not needed any more: long lists are made without a copy of everything.
pub fn show_owned(instance: Instance, status: StatusCode) -> Shown {
    Shown {
        architecture: instance.architecture,
        config: instance.config,
        devices: instance.devices,
        ephemeral: instance.ephemeral,
        profiles: instance.profiles,
        stateful: instance.stateful,
        description: instance.description,
        created_at: instance.created,
        expanded_config: instance.expanded_config,
        expanded_devices: instance.expanded_devices,
        name: instance.name,
        status: status.name().to_string(),
        status_code: status,
        last_used_at: instance.last_used,
        location: LOCATION.to_string(),
        r#type: "container".to_string(),
        project: instance.project,
        ..Shown::default()
    }
}

/// The instance with its state and snapshots, as `recursion=2` wants it.
pub fn show_full(
    shown: Shown,
    state: Option<InstanceState>,
    snapshots: Vec<InstanceSnapshot>,
    backups: Vec<InstanceBackup>,
) -> InstanceFull {
    InstanceFull {
        architecture: shown.architecture,
        config: shown.config,
        devices: shown.devices,
        ephemeral: shown.ephemeral,
        profiles: shown.profiles,
        restore: shown.restore,
        stateful: shown.stateful,
        description: shown.description,
        created_at: shown.created_at,
        expanded_config: shown.expanded_config,
        expanded_devices: shown.expanded_devices,
        name: shown.name,
        status: shown.status,
        status_code: shown.status_code,
        last_used_at: shown.last_used_at,
        location: shown.location,
        r#type: shown.r#type,
        project: shown.project,
        backups: (!backups.is_empty()).then_some(backups),
        state,
        snapshots: (!snapshots.is_empty()).then_some(snapshots),
    }
}

/// What LXD hashes into an instance's ETag.
#[derive(Serialize)]
pub struct EtagFields<'a>(
    &'a str,
    &'a corten_instance::instance::Config,
    &'a corten_instance::instance::Devices,
    bool,
    &'a [String],
);

/// The fields of an instance's ETag.
pub fn etag(instance: &Instance) -> EtagFields<'_> {
    EtagFields(&instance.architecture, &instance.config, &instance.devices, instance.ephemeral, &instance.profiles)
}
