//! `instances`: containers and virtual machines with their keys, devices and profiles.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::error::{DbError, Result};
use crate::row::{FromRow, Row};
use crate::table::{Config, Devices, devices, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// LXD's number for containers.
pub const CONTAINER: i64 = 0;
/// LXD's number for virtual machines.
pub const VIRTUAL_MACHINE: i64 = 1;

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// The project it belongs to.
    pub project: String,
    /// Its name, unique in the project.
    pub name: String,
    /// [`CONTAINER`] or [`VIRTUAL_MACHINE`].
    pub kind: i64,
    /// Number of its architecture, see [`super::architecture`].
    pub architecture: i64,
    /// Whether it is deleted when it stops.
    pub ephemeral: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it has a saved state to start from.
    pub stateful: bool,
    /// When it was last started.
    pub last_used: Option<Timestamp>,
    /// Free text.
    pub description: String,
    /// Names of its profiles in the order they apply.
    pub profiles: Vec<String>,
    /// Its own keys.
    pub config: Config,
    /// Its own devices.
    pub devices: Devices,
}

impl FromRow for Instance {
    fn from_row(row: &mut Row) -> Result<Instance> {
        Ok(Instance {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            kind: row.take()?,
            architecture: row.take()?,
            ephemeral: row.take()?,
            created: row.take()?,
            stateful: row.take()?,
            last_used: row.take()?,
            description: row.take()?,
            profiles: Vec::new(),
            config: Config::new(),
            devices: Devices::new(),
        })
    }
}

const FROM: &str = "FROM instances AS i JOIN projects AS pr ON pr.id = i.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Instance>> {
    let sql = format!(
        "SELECT i.id, pr.name, i.name, i.type, i.architecture, i.ephemeral, i.creation_date, i.stateful,
                i.last_use_date, i.description {FROM} WHERE {filter} ORDER BY pr.name, i.name"
    );
    let mut found: Vec<Instance> = view.rows(&sql, values)?;
    let owners = format!("SELECT i.id {FROM} WHERE {filter}");
    let mut configs = keyed::INSTANCE.of_many(view, &owners, values)?;
    let mut all_devices = devices::INSTANCE.of_many(view, &owners, values)?;
    let mut profiles: HashMap<i64, Vec<String>> = HashMap::new();
    let sql = format!(
        "SELECT ip.instance_id, p.name FROM instances_profiles AS ip JOIN profiles AS p ON p.id = ip.profile_id
         WHERE ip.instance_id IN ({owners}) ORDER BY ip.instance_id, ip.apply_order"
    );
    for (id, name) in view.rows::<(i64, String)>(&sql, values)? {
        profiles.entry(id).or_default().push(name);
    }
    for instance in &mut found {
        instance.config = configs.remove(&instance.id).unwrap_or_default();
        instance.devices = all_devices.remove(&instance.id).unwrap_or_default();
        instance.profiles = profiles.remove(&instance.id).unwrap_or_default();
    }
    Ok(found)
}

/// All instances of a project, or of all, by project and name.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Instance>> {
    match project {
        Some(project) => fetch(view, "pr.name = ?1", &params![project]),
        None => fetch(view, "true", &[]),
    }
}

/// One instance.
pub fn get(view: &View<'_>, project: &str, name: &str) -> Result<Option<Instance>> {
    Ok(fetch(view, "pr.name = ?1 AND i.name = ?2", &params![project, name])?.pop())
}

/// The instance with this row id.
pub fn by_id(view: &View<'_>, id: i64) -> Result<Option<Instance>> {
    Ok(fetch(view, "i.id = ?1", &params![id])?.pop())
}

/// Project, name and kind of all instances of a project, or of all.
pub fn names(view: &View<'_>, project: Option<&str>) -> Result<Vec<(String, String, i64)>> {
    let sql =
        format!("SELECT pr.name, i.name, i.type {FROM} WHERE ?1 IS NULL OR pr.name = ?1 ORDER BY pr.name, i.name");
    view.rows(&sql, params![project])
}

/// The row id of an instance.
pub fn id(view: &View<'_>, project: &str, name: &str) -> Result<Option<i64>> {
    view.maybe(&format!("SELECT i.id {FROM} WHERE pr.name = ?1 AND i.name = ?2"), params![project, name])
}

/// Adds an instance with all that belongs to it, and gives its row id. Project and profiles must be there;
/// `profiles` are
/// names in `profile_project`.
pub fn insert(tx: &mut Tx<'_>, instance: &Instance, profile_project: &str) -> Result<i64> {
    let sql =
        "INSERT INTO instances (project_id, node_id, name, type, architecture, ephemeral, creation_date, stateful,
                                      last_use_date, description)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![
        &instance.project,
        THIS_NODE,
        &instance.name,
        instance.kind,
        instance.architecture,
        instance.ephemeral,
        instance.created,
        instance.stateful,
        instance.last_used,
        &instance.description,
    ];
    let id = tx.insert(sql, values)?;
    keyed::INSTANCE.replace(tx, id, &instance.config)?;
    devices::INSTANCE.replace(tx, id, &instance.devices)?;
    replace_profiles(tx, id, profile_project, &instance.profiles)?;
    Ok(id)
}

/// What an update of an instance replaces.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// Free text.
    pub description: &'a str,
    /// Number of the architecture.
    pub architecture: i64,
    /// Whether it is deleted when it stops.
    pub ephemeral: bool,
    /// Its own keys, volatile ones included.
    pub config: &'a Config,
    /// Its own devices.
    pub devices: &'a Devices,
    /// Names of profiles in the order they apply.
    pub profiles: &'a [String],
    /// The project that holds the profiles.
    pub profile_project: &'a str,
}

/// Replaces what a user may edit.
pub fn update(tx: &mut Tx<'_>, id: i64, new: &Update<'_>) -> Result<()> {
    tx.exec(
        "UPDATE instances SET description = ?2, architecture = ?3, ephemeral = ?4 WHERE id = ?1",
        params![id, new.description, new.architecture, new.ephemeral],
    )?;
    keyed::INSTANCE.replace(tx, id, new.config)?;
    devices::INSTANCE.replace(tx, id, new.devices)?;
    replace_profiles(tx, id, new.profile_project, new.profiles)
}

/// Replaces keys and devices, and leaves all else.
pub fn set_config_and_devices(tx: &mut Tx<'_>, id: i64, config: &Config, own: &Devices) -> Result<()> {
    keyed::INSTANCE.replace(tx, id, config)?;
    devices::INSTANCE.replace(tx, id, own)
}

/// Makes exactly these the profiles of an instance, in this order.
pub fn replace_profiles(tx: &mut Tx<'_>, id: i64, profile_project: &str, profiles: &[String]) -> Result<()> {
    let sql = "SELECT p.name FROM instances_profiles AS ip JOIN profiles AS p ON p.id = ip.profile_id
               WHERE ip.instance_id = ?1 ORDER BY ip.apply_order";
    let old: Vec<String> = tx.rows(sql, params![id])?;
    if old == profiles {
        return Ok(());
    }
    tx.exec("DELETE FROM instances_profiles WHERE instance_id = ?1", params![id])?;
    for (order, name) in (1_i64..).zip(profiles) {
        let profile = super::profiles::id(tx, profile_project, name)?
            .ok_or_else(|| DbError::NotFound(format!("profile {name} in project {profile_project}")))?;
        tx.exec(
            "INSERT INTO instances_profiles (instance_id, profile_id, apply_order) VALUES (?1, ?2, ?3)",
            params![id, profile, order],
        )?;
    }
    Ok(())
}

/// Sets (or, with `None`, removes) some keys and leaves the others: volatile keys, power state.
pub fn set_keys(tx: &mut Tx<'_>, id: i64, keys: &[(&str, Option<&str>)]) -> Result<()> {
    keys.iter().try_for_each(|(key, value)| keyed::INSTANCE.set(tx, id, key, *value))
}

/// Notes when an instance was last started.
pub fn set_last_used(tx: &mut Tx<'_>, id: i64, when: Timestamp) -> Result<()> {
    tx.exec("UPDATE instances SET last_use_date = ?2 WHERE id = ?1", params![id, when]).map(drop)
}

/// Notes whether an instance has a saved state.
pub fn set_stateful(tx: &mut Tx<'_>, id: i64, stateful: bool) -> Result<()> {
    tx.exec("UPDATE instances SET stateful = ?2 WHERE id = ?1", params![id, stateful]).map(drop)
}

/// Gives an instance another name; false if there is none of the old name.
pub fn rename(tx: &mut Tx<'_>, project: &str, old: &str, new: &str) -> Result<bool> {
    let sql = "UPDATE instances SET name = ?3
               WHERE name = ?2 AND project_id = (SELECT id FROM projects WHERE name = ?1)";
    Ok(tx.exec(sql, params![project, old, new])? == 1)
}

/// Gives an instance another project, name and profiles, all at once.
pub fn relocate(
    tx: &mut Tx<'_>,
    id: i64,
    (project, name): (&str, &str),
    profile_project: &str,
    profiles: &[String],
) -> Result<()> {
    let sql = "UPDATE instances SET name = ?3, project_id = (SELECT id FROM projects WHERE name = ?2) WHERE id = ?1";
    tx.exec(sql, params![id, project, name])?;
    // The same names may be other profiles there.
    replace_profiles(tx, id, profile_project, &[])?;
    replace_profiles(tx, id, profile_project, profiles)
}

/// Removes an instance with its snapshots and backups; false if there was none.
pub fn delete(tx: &mut Tx<'_>, project: &str, name: &str) -> Result<bool> {
    let sql = "DELETE FROM instances WHERE name = ?2 AND project_id = (SELECT id FROM projects WHERE name = ?1)";
    Ok(tx.exec(sql, params![project, name])? == 1)
}
