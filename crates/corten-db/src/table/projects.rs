//! `projects` and their keys.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// The project that is always there.
pub const DEFAULT: &str = "default";

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Row id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Project {
    fn from_row(row: &mut Row) -> Result<Project> {
        Ok(Project { id: row.take()?, name: row.take()?, description: row.take()?, config: Config::new() })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Project>> {
    let sql = format!("SELECT id, name, description FROM projects WHERE {filter} ORDER BY name");
    let mut found: Vec<Project> = view.rows(&sql, values)?;
    let mut configs = keyed::PROJECT.of_many(view, &format!("SELECT id FROM projects WHERE {filter}"), values)?;
    for project in &mut found {
        project.config = configs.remove(&project.id).unwrap_or_default();
    }
    Ok(found)
}

/// All projects.
pub fn list(view: &View<'_>) -> Result<Vec<Project>> {
    fetch(view, "true", &[])
}

/// One project.
pub fn get(view: &View<'_>, name: &str) -> Result<Option<Project>> {
    Ok(fetch(view, "name = ?1", &params![name])?.pop())
}

/// The row id of a project.
pub fn id(view: &View<'_>, name: &str) -> Result<Option<i64>> {
    view.maybe("SELECT id FROM projects WHERE name = ?1", params![name])
}

/// Adds a project, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, name: &str, description: &str, config: &Config) -> Result<i64> {
    let id = tx.insert("INSERT INTO projects (name, description) VALUES (?1, ?2)", params![name, description])?;
    keyed::PROJECT.replace(tx, id, config)?;
    Ok(id)
}

/// Replaces description and keys.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config) -> Result<()> {
    tx.exec("UPDATE projects SET description = ?2 WHERE id = ?1", params![id, description])?;
    keyed::PROJECT.replace(tx, id, config)
}

/// Gives a project another name; false if there is none of the old name.
pub fn rename(tx: &mut Tx<'_>, old: &str, new: &str) -> Result<bool> {
    Ok(tx.exec("UPDATE projects SET name = ?2 WHERE name = ?1", params![old, new])? == 1)
}

/// Removes a project and everything in it; false if there was none.
pub fn delete(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    Ok(tx.exec("DELETE FROM projects WHERE name = ?1", params![name])? == 1)
}
