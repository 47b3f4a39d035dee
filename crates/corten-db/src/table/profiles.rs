//! `profiles`, their keys and devices.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, Devices, devices, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// The profile that every project with profiles of its own has.
pub const DEFAULT: &str = "default";

/// A profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Row id.
    pub id: i64,
    /// The project it belongs to.
    pub project: String,
    /// Its name, unique in the project.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its keys.
    pub config: Config,
    /// Its devices.
    pub devices: Devices,
}

impl FromRow for Profile {
    fn from_row(row: &mut Row) -> Result<Profile> {
        Ok(Profile {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            description: row.take()?,
            config: Config::new(),
            devices: Devices::new(),
        })
    }
}

const FROM: &str = "FROM profiles AS p JOIN projects AS pr ON pr.id = p.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Profile>> {
    let sql = format!("SELECT p.id, pr.name, p.name, p.description {FROM} WHERE {filter} ORDER BY pr.name, p.name");
    let mut found: Vec<Profile> = view.rows(&sql, values)?;
    let owners = format!("SELECT p.id {FROM} WHERE {filter}");
    let mut configs = keyed::PROFILE.of_many(view, &owners, values)?;
    let mut all_devices = devices::PROFILE.of_many(view, &owners, values)?;
    for profile in &mut found {
        profile.config = configs.remove(&profile.id).unwrap_or_default();
        profile.devices = all_devices.remove(&profile.id).unwrap_or_default();
    }
    Ok(found)
}

/// All profiles of a project, or of all.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Profile>> {
    match project {
        Some(project) => fetch(view, "pr.name = ?1", &params![project]),
        None => fetch(view, "true", &[]),
    }
}

/// One profile.
pub fn get(view: &View<'_>, project: &str, name: &str) -> Result<Option<Profile>> {
    Ok(fetch(view, "pr.name = ?1 AND p.name = ?2", &params![project, name])?.pop())
}

/// These profiles in this order; those that are not there are left out.
pub fn named(view: &View<'_>, project: &str, names: &[String]) -> Result<Vec<Profile>> {
    let mut found = Vec::new();
    for name in names {
        found.extend(get(view, project, name)?);
    }
    Ok(found)
}

/// The row id of a profile.
pub fn id(view: &View<'_>, project: &str, name: &str) -> Result<Option<i64>> {
    view.maybe(&format!("SELECT p.id {FROM} WHERE pr.name = ?1 AND p.name = ?2"), params![project, name])
}

/// Adds a profile, and gives its row id.
pub fn insert(
    tx: &mut Tx<'_>,
    project: &str,
    name: &str,
    description: &str,
    config: &Config,
    devices: &Devices,
) -> Result<i64> {
    let sql = "INSERT INTO profiles (project_id, name, description)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3)";
    let id = tx.insert(sql, params![project, name, description])?;
    keyed::PROFILE.replace(tx, id, config)?;
    devices::PROFILE.replace(tx, id, devices)?;
    Ok(id)
}

/// Replaces description, keys and devices.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config, devices: &Devices) -> Result<()> {
    tx.exec("UPDATE profiles SET description = ?2 WHERE id = ?1", params![id, description])?;
    keyed::PROFILE.replace(tx, id, config)?;
    devices::PROFILE.replace(tx, id, devices)
}

/// Gives a profile another name; false if there is none of the old name.
pub fn rename(tx: &mut Tx<'_>, project: &str, old: &str, new: &str) -> Result<bool> {
    let sql = "UPDATE profiles SET name = ?3
               WHERE name = ?2 AND project_id = (SELECT id FROM projects WHERE name = ?1)";
    Ok(tx.exec(sql, params![project, old, new])? == 1)
}

/// Removes a profile; false if there was none.
pub fn delete(tx: &mut Tx<'_>, project: &str, name: &str) -> Result<bool> {
    let sql = "DELETE FROM profiles WHERE name = ?2 AND project_id = (SELECT id FROM projects WHERE name = ?1)";
    Ok(tx.exec(sql, params![project, name])? == 1)
}
