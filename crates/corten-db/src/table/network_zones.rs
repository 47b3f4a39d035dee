//! `networks_zones` and their keys. A zone's name is taken for all projects.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// A DNS zone made from networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Its project.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Zone {
    fn from_row(row: &mut Row) -> Result<Zone> {
        Ok(Zone {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            description: row.take()?,
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Zone>> {
    let from = format!("FROM networks_zones AS z JOIN projects AS pr ON pr.id = z.project_id WHERE {filter}");
    let mut found: Vec<Zone> =
        view.rows(&format!("SELECT z.id, pr.name, z.name, z.description {from} ORDER BY z.id"), values)?;
    let mut configs = keyed::NETWORK_ZONE.of_many(view, &format!("SELECT z.id {from}"), values)?;
    for zone in &mut found {
        zone.config = configs.remove(&zone.id).unwrap_or_default();
    }
    Ok(found)
}

/// All zones of a project, or of all.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Zone>> {
    fetch(view, "?1 IS NULL OR pr.name = ?1", &params![project])
}

/// One zone.
pub fn get(view: &View<'_>, name: &str) -> Result<Option<Zone>> {
    Ok(fetch(view, "z.name = ?1", &params![name])?.pop())
}

/// The zone whose name is this but for the case of its letters; the very name goes first.
pub fn get_any_case(view: &View<'_>, name: &str) -> Result<Option<Zone>> {
    let mut found = fetch(view, "z.name = ?1 COLLATE NOCASE", &params![name])?;
    let exact = found.iter().position(|zone| zone.name == name).unwrap_or(0);
    Ok((!found.is_empty()).then(|| found.swap_remove(exact)))
}

/// Adds a zone, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, zone: &Zone) -> Result<i64> {
    let sql = "INSERT INTO networks_zones (project_id, name, description)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3)";
    let id = tx.insert(sql, params![&zone.project, &zone.name, &zone.description])?;
    keyed::NETWORK_ZONE.replace(tx, id, &zone.config)?;
    Ok(id)
}

/// Replaces description and keys.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config) -> Result<()> {
    tx.exec("UPDATE networks_zones SET description = ?2 WHERE id = ?1", params![id, description])?;
    keyed::NETWORK_ZONE.replace(tx, id, config)
}

/// Removes a zone and its records.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM networks_zones WHERE id = ?1", params![id]).map(drop)
}
