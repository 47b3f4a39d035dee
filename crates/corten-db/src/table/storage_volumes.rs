//! `storage_volumes`: volumes of instances, images and users, and their keys.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// Names of volume types; LXD's numbers are the places in this list.
pub const TYPES: [&str; 4] = ["container", "image", "custom", "virtual-machine"];
/// Names of content types; LXD's numbers are the places in this list.
pub const CONTENT_TYPES: [&str; 2] = ["filesystem", "block"];

/// Number of the volumes of containers.
pub const CONTAINER: i64 = 0;
/// Number of the volumes of images.
pub const IMAGE: i64 = 1;
/// Number of the volumes that users make.
pub const CUSTOM: i64 = 2;
/// Number of the volumes of virtual machines.
pub const VIRTUAL_MACHINE: i64 = 3;

/// The number of a volume type.
pub fn type_code(name: &str) -> Option<i64> {
    TYPES.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok())
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Row id of its pool.
    pub pool_id: i64,
    /// Name of its pool.
    pub pool: String,
    /// The project it belongs to.
    pub project: String,
    /// Its name, unique in pool, project and type.
    pub name: String,
    /// [`CONTAINER`], [`IMAGE`], [`CUSTOM`] or [`VIRTUAL_MACHINE`].
    pub kind: i64,
    /// Place in [`CONTENT_TYPES`].
    pub content: i64,
    /// Free text.
    pub description: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Volume {
    fn from_row(row: &mut Row) -> Result<Volume> {
        Ok(Volume {
            id: row.take()?,
            pool_id: row.take()?,
            pool: row.take()?,
            project: row.take()?,
            name: row.take()?,
            kind: row.take()?,
            content: row.take()?,
            description: row.take()?,
            config: Config::new(),
        })
    }
}

const FROM: &str = "FROM storage_volumes AS v JOIN storage_pools AS sp ON sp.id = v.storage_pool_id
                    JOIN projects AS pr ON pr.id = v.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Volume>> {
    let sql = format!(
        "SELECT v.id, sp.id, sp.name, pr.name, v.name, v.type, v.content_type, v.description
         {FROM} WHERE {filter} ORDER BY sp.name, pr.name, v.type, v.name"
    );
    let mut found: Vec<Volume> = view.rows(&sql, values)?;
    let mut configs = keyed::VOLUME.of_many(view, &format!("SELECT v.id {FROM} WHERE {filter}"), values)?;
    for volume in &mut found {
        volume.config = configs.remove(&volume.id).unwrap_or_default();
    }
    Ok(found)
}

/// All volumes, narrowed to a pool, a project and a type where these are given.
pub fn list(view: &View<'_>, pool: Option<&str>, project: Option<&str>, kind: Option<i64>) -> Result<Vec<Volume>> {
    let filter = "(?1 IS NULL OR sp.name = ?1) AND (?2 IS NULL OR pr.name = ?2) AND (?3 IS NULL OR v.type = ?3)";
    fetch(view, filter, &params![pool, project, kind])
}

/// One volume.
pub fn get(view: &View<'_>, pool: &str, project: &str, kind: i64, name: &str) -> Result<Option<Volume>> {
    let filter = "sp.name = ?1 AND pr.name = ?2 AND v.type = ?3 AND v.name = ?4";
    Ok(fetch(view, filter, &params![pool, project, kind, name])?.pop())
}

/// The volume of an instance, whatever its pool; this is how an instance's pool is known.
pub fn of_instance(view: &View<'_>, project: &str, name: &str) -> Result<Option<Volume>> {
    let filter = "pr.name = ?1 AND v.name = ?2 AND v.type IN (0, 3)";
    Ok(fetch(view, filter, &params![project, name])?.pop())
}

/// Adds a volume, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, volume: &Volume) -> Result<i64> {
    let sql =
        "INSERT INTO storage_volumes (storage_pool_id, node_id, project_id, name, type, content_type, description)
               VALUES (?1, ?2, (SELECT id FROM projects WHERE name = ?3), ?4, ?5, ?6, ?7)";
    let values = params![
        volume.pool_id,
        THIS_NODE,
        &volume.project,
        &volume.name,
        volume.kind,
        volume.content,
        &volume.description,
    ];
    let id = tx.insert(sql, values)?;
    keyed::VOLUME.replace(tx, id, &volume.config)?;
    Ok(id)
}

/// Replaces description and keys.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config) -> Result<()> {
    tx.exec("UPDATE storage_volumes SET description = ?2 WHERE id = ?1", params![id, description])?;
    keyed::VOLUME.replace(tx, id, config)
}

/// Sets (or, with `None`, removes) one key.
pub fn set_key(tx: &mut Tx<'_>, id: i64, key: &str, value: Option<&str>) -> Result<()> {
    keyed::VOLUME.set(tx, id, key, value)
}

/// Gives a volume another name.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE storage_volumes SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Gives a volume another pool, project and name, all at once.
pub fn relocate(tx: &mut Tx<'_>, id: i64, pool_id: i64, project: &str, name: &str) -> Result<()> {
    let sql = "UPDATE storage_volumes SET storage_pool_id = ?2, name = ?4,
               project_id = (SELECT id FROM projects WHERE name = ?3) WHERE id = ?1";
    tx.exec(sql, params![id, pool_id, project, name]).map(drop)
}

/// Removes a volume with the rows of its snapshots.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM storage_volumes WHERE id = ?1", params![id]).map(drop)
}
