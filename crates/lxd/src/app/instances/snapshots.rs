//! Snapshots of instances as the API shows them.

use std::collections::HashMap;

use corten_api::error::Result;
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::time::Time;
use corten_db::table::snapshots;
use corten_instance::instance::Instance;

use crate::app::App;

/// The snapshots of one instance, oldest first.
///
/// # Errors
/// Those of the database.
pub fn of(app: &App, instance: &Instance) -> Result<Vec<InstanceSnapshot>> {
    let rows = app.view(|view| Ok(snapshots::of_instance(view, instance.id)?))?;
    Ok(rows.into_iter().map(|row| show(row, instance)).collect())
}

/// The snapshots of all instances of a project, or of all, by the instance's number.
///
/// # Errors
/// Those of the database.
pub fn by_instance(app: &App, project: Option<&str>) -> Result<HashMap<i64, Vec<InstanceSnapshot>>> {
    let rows = app.view(|view| Ok(snapshots::list(view, project)?))?;
    let mut taken: HashMap<i64, Vec<InstanceSnapshot>> = HashMap::new();
    for row in rows {
        let id = row.instance_id;
        taken.entry(id).or_default().push(show(row, &Instance::default()));
    }
    Ok(taken)
}

fn show(row: snapshots::Snapshot, instance: &Instance) -> InstanceSnapshot {
    InstanceSnapshot {
        architecture: instance.architecture.clone(),
        config: row.config.clone(),
        created_at: Time::from(row.created),
        devices: row.devices.clone(),
        ephemeral: instance.ephemeral,
        expanded_config: row.config,
        expanded_devices: row.devices,
        expires_at: row.expires.map_or_else(Time::default, Time::from),
        last_used_at: Time::default(),
        name: row.name,
        profiles: instance.profiles.clone(),
        stateful: row.stateful,
        size: -1,
    }
}
