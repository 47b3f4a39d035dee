//! Snapshots of instances: which there are, as the API shows them; one file for each thing that can be done to one.

pub mod by_clock;
pub mod change;
pub mod names;
pub mod remove;
pub mod rename;
pub mod take;

use std::collections::HashMap;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::time::Time;
use corten_api::url;
use corten_db::table::snapshots;
use corten_instance::instance::Instance;

use super::claims::Key;
use super::find::{Profiles, expand_by_name, known_profiles};
use super::{backup_file, links, root};
use crate::app::App;

/// The snapshots of one instance, oldest first.
///
/// # Errors
/// Those of the database.
pub fn of(app: &App, instance: &Instance) -> Result<Vec<InstanceSnapshot>> {
    let (rows, known) = app.view(|view| {
        let rows = snapshots::of_instance(view, instance.id)?;
        let known = known_profiles(view, rows.iter().map(|row| row.project.as_str()))?;
        Ok((rows, known))
    })?;
    Ok(rows.into_iter().map(|row| show(row, instance, &known)).collect())
}

/// The snapshots of these instances, by the instance's number.
///
/// # Errors
/// Those of the database.
pub fn of_all(app: &App, project: Option<&str>, all: &[Instance]) -> Result<HashMap<i64, Vec<InstanceSnapshot>>> {
    let (rows, known) = app.view(|view| {
        let rows = snapshots::list(view, project)?;
        let known = known_profiles(view, rows.iter().map(|row| row.project.as_str()))?;
        Ok((rows, known))
    })?;
    let parents: HashMap<i64, &Instance> = all.iter().map(|instance| (instance.id, instance)).collect();
    let mut taken: HashMap<i64, Vec<InstanceSnapshot>> = HashMap::new();
    for row in rows {
        if let Some(parent) = parents.get(&row.instance_id) {
            taken.entry(parent.id).or_default().push(show(row, parent, &known));
        }
    }
    Ok(taken)
}

/// The snapshot `name` of an instance.
///
/// # Errors
/// 404 when there is none.
pub fn find(app: &App, instance: &Instance, name: &str) -> Result<snapshots::Snapshot> {
    let row = app.view(|view| Ok(snapshots::get(view, instance.id, name)?))?;
    row.ok_or_else(|| not_found(instance, name))
}

/// One snapshot as the API shows it, with the bytes that are its own where the pool can tell.
///
/// # Errors
/// 404 when there is none.
pub fn find_shown(app: &App, instance: &Instance, name: &str) -> Result<InstanceSnapshot> {
    let mut all = of(app, instance)?;
    all.retain(|snapshot| snapshot.name == name);
    with_sizes(app, instance, &mut all);
    all.pop().ok_or_else(|| not_found(instance, name))
}

/// What is said of a snapshot that is not there.
pub fn not_found(instance: &Instance, name: &str) -> Error {
    let Instance { name: of, project, .. } = instance;
    let what = format!("Failed to fetch snapshot {name:?} of instance {of:?} in project {project:?}");
    Error::not_found(format!("{what}: InstanceSnapshot not found"))
}

/// Fills in how many bytes each snapshot takes, where the pool can tell that quickly.
pub fn with_sizes(app: &App, instance: &Instance, shown: &mut [InstanceSnapshot]) {
    let Ok((pool, volume)) = root::volume(app, instance) else { return };
    for snapshot in shown {
        let usage = pool.usage(&volume.snapshot(&snapshot.name)).ok().flatten();
        snapshot.size = usage.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(snapshot.size);
    }
}

/// A snapshot has no profiles of its own: it is seen through those that its instance has now.
fn show(row: snapshots::Snapshot, instance: &Instance, known: &Profiles) -> InstanceSnapshot {
    let (expanded_config, expanded_devices) =
        expand_by_name(&row.config, &row.devices, known, &row.project, &instance.profiles);
    InstanceSnapshot {
        architecture: instance.architecture.clone(),
        config: row.config,
        created_at: Time::from(row.created),
        devices: row.devices,
        ephemeral: false,
        expanded_config,
        expanded_devices,
        expires_at: row.expires.map_or_else(Time::default, Time::from),
        last_used_at: Time::default(),
        name: row.name,
        profiles: instance.profiles.clone(),
        stateful: row.stateful,
        size: -1,
    }
}

/// Brings links and backup file up to date with what is remembered. The change that they tell of is done, so that a
/// failure is only logged.
fn show_again(app: &App, key: &Key) {
    if let Err(error) = links::set_known(app, &key.0, &key.1) {
        tracing::warn!(project = key.0, instance = key.1, %error, "Failed to update the links of an instance");
    }
    backup_file::refresh(app, key);
}

/// The path of a snapshot.
pub fn path(instance: &Instance, name: &str) -> String {
    url::path_in(&instance.project, ["instances", &instance.name, "snapshots", name])
}

/// Tells the listeners that something happened to a snapshot.
pub fn tell(app: &App, instance: &Instance, name: &str, action: &str, requestor: Option<&EventLifecycleRequestor>) {
    app.lifecycle(&instance.project, action, &path(instance, name), requestor.cloned());
}
