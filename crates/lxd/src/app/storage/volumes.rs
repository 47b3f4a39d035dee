//! Volumes as the API shows them, and who uses them.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::storage_pool_volume::StorageVolume;
use corten_api::time::Time;
use corten_api::url;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::storage_volumes::{self, CONTENT_TYPES, CUSTOM, IMAGE, TYPES};
use corten_db::table::{images, instances, profiles, projects};
use serde_json::Value;

use super::custom::Place;
use crate::app::App;
use crate::app::projects::{Scope, scope_in};

/// The number of a type of volumes.
///
/// # Errors
/// 400 for an unknown one.
pub fn type_code(name: &str) -> Result<i64> {
    storage_volumes::type_code(name).ok_or_else(|| Error::invalid("Invalid storage volume type name"))
}

fn named<'a>(names: &[&'a str], code: i64) -> &'a str {
    usize::try_from(code).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
}

/// The name of a type of volumes.
pub fn type_name(code: i64) -> &'static str {
    named(&TYPES, code)
}

/// Tells the listeners of a new custom volume.
pub fn tell_created(app: &App, place: &Place, requestor: Option<EventLifecycleRequestor>) {
    let source = path(&place.pool, &place.project, CUSTOM, &place.name);
    let context = [("type", Value::from("custom"))];
    app.lifecycle_with(&place.project, "storage-volume-created", &source, requestor, context);
}

/// The project that holds volumes of a type for this project.
pub fn holder(scope: &Scope, kind: i64) -> &str {
    match kind {
        CUSTOM => scope.volumes(),
        // Images of all projects share one volume.
        IMAGE => projects::DEFAULT,
        _ => scope.name(),
    }
}

/// The path of a volume.
pub fn path(pool: &str, project: &str, kind: i64, name: &str) -> String {
    match name.split_once('/') {
        Some((volume, snapshot)) => {
            url::path_in(project, ["storage-pools", pool, "volumes", type_name(kind), volume, "snapshots", snapshot])
        }
        None => url::path_in(project, ["storage-pools", pool, "volumes", type_name(kind), name]),
    }
}

/// A volume as the API shows it.
pub fn shown(row: storage_volumes::Volume, used_by: Vec<String>) -> StorageVolume {
    StorageVolume {
        config: row.config,
        description: row.description,
        restore: String::new(),
        name: row.name,
        r#type: type_name(row.kind).to_string(),
        used_by,
        location: "none".to_string(),
        content_type: named(&CONTENT_TYPES, row.content).to_string(),
        project: row.project,
        created_at: Time::ZERO,
    }
}

/// Which volumes are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Of this pool.
    pub pool: &'a str,
    /// As this project sees them; all projects' when there is none.
    pub scope: Option<&'a Scope>,
    /// Of this type only.
    pub kind: Option<i64>,
}

/// The volumes of a pool, ordered by type and name.
///
/// # Errors
/// 404 when there is no such pool, or the database's.
pub fn list(app: &App, asked: &Asked<'_>) -> Result<Vec<StorageVolume>> {
    app.view(|view| {
        super::change::row(view, asked.pool)?;
        let mut rows = storage_volumes::list(view, Some(asked.pool), None, asked.kind)?;
        if let Some(scope) = asked.scope {
            let own = images::list(view, Some(scope.images()))?;
            rows.retain(|row| match row.kind {
                IMAGE => own.iter().any(|image| image.fingerprint == row.name),
                kind => row.project == holder(scope, kind),
            });
        }
        let users = Users::look(view)?;
        let mut found = Vec::new();
        for row in rows {
            let used_by = users.of(view, &row, asked.scope.map_or(projects::DEFAULT, Scope::name))?;
            found.push(shown(row.clone(), used_by));
            for snapshot in corten_db::table::volume_snapshots::of_volume(view, row.id)? {
                let name = format!("{}/{}", row.name, snapshot.name);
                let (config, description) = (snapshot.config, snapshot.description);
                found.push(shown(storage_volumes::Volume { name, config, description, ..row.clone() }, Vec::new()));
            }
        }
        found.sort_by(|one, other| (&one.r#type, &one.name).cmp(&(&other.r#type, &other.name)));
        Ok(found)
    })
}

/// The row of a volume.
///
/// # Errors
/// 404 when pool or volume is not there, or the database's.
pub fn row(
    view: &View<'_>,
    pool: &str,
    project: &str,
    kind: i64,
    name: &str,
) -> Result<storage_volumes::Volume, Abort> {
    super::change::row(view, pool)?;
    let row = storage_volumes::get(view, pool, project, kind, name)?;
    Ok(row.ok_or_else(|| Error::not_found("Storage pool volume not found"))?)
}

/// One volume as a project sees it.
///
/// # Errors
/// 404 when pool or volume is not there, or the database's.
pub fn find(app: &App, scope: &Scope, pool: &str, kind: i64, name: &str) -> Result<StorageVolume> {
    app.view(|view| {
        let row = row(view, pool, holder(scope, kind), kind, name)?;
        let used_by = Users::look(view)?.of(view, &row, scope.name())?;
        Ok(shown(row, used_by))
    })
}

/// A disk that a device brings: pool, volume, and the project that holds the volume.
type Disk = (String, String, String);

/// Paths of the instances and profiles that have a volume among their own devices.
pub struct Users(BTreeMap<Disk, Vec<String>>);

impl Users {
    /// Looks at all instances and profiles.
    ///
    /// # Errors
    /// The database's.
    pub fn look(view: &View<'_>) -> Result<Users, Abort> {
        let mut users: BTreeMap<Disk, Vec<String>> = BTreeMap::new();
        let mut scopes: BTreeMap<String, String> = BTreeMap::new();
        let mut note = |project: &str, path: String, devices: &corten_db::table::Devices| -> Result<(), Abort> {
            if !scopes.contains_key(project) {
                scopes.insert(project.to_string(), scope_in(view, project)?.volumes().to_string());
            }
            for disk in devices.values().filter(|device| device.get("type").is_some_and(|kind| kind == "disk")) {
                if let (Some(pool), Some(source)) = (disk.get("pool"), disk.get("source")) {
                    let users = users.entry((pool.clone(), source.clone(), scopes[project].clone())).or_default();
                    if !users.contains(&path) {
                        users.push(path.clone());
                    }
                }
            }
            Ok(())
        };
        for instance in instances::list(view, None)? {
            let path = url::path_in(&instance.project, ["instances", &instance.name]);
            note(&instance.project, path, &instance.devices)?;
        }
        for profile in profiles::list(view, None)? {
            let path = url::path_in(&profile.project, ["profiles", &profile.name]);
            note(&profile.project, path, &profile.devices)?;
        }
        Ok(Users(users))
    }

    /// Who uses a volume, as `project` is told.
    ///
    /// # Errors
    /// The database's.
    pub fn of(&self, view: &View<'_>, row: &storage_volumes::Volume, project: &str) -> Result<Vec<String>, Abort> {
        match row.kind {
            CUSTOM => {
                let disk = (row.pool.clone(), row.name.clone(), row.project.clone());
                Ok(self.0.get(&disk).cloned().unwrap_or_default())
            }
            IMAGE => {
                let there = !images::projects_with(view, &row.name)?.is_empty();
                Ok(there.then(|| url::path_in(project, ["images", &row.name])).into_iter().collect())
            }
            _ => Ok(vec![url::path_in(&row.project, ["instances", &row.name])]),
        }
    }
}
