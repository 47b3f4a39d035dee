//! `instances_backups` and `storage_volumes_backups`: archives made on request, until they expire.

use jiff::Timestamp;

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::tx::{Tx, View};

/// Which of the two tables is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Backups of instances.
    Instance,
    /// Backups of custom volumes.
    Volume,
}

impl Of {
    /// Table, owner column, and the column that says "without snapshots".
    fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Of::Instance => ("instances_backups", "instance_id", "container_only"),
            Of::Volume => ("storage_volumes_backups", "storage_volume_id", "volume_only"),
        }
    }
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Row id of the instance or volume.
    pub owner_id: i64,
    /// Owner's name, a slash, its own name.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it is to be removed.
    pub expires: Option<Timestamp>,
    /// Whether snapshots were left out.
    pub without_snapshots: bool,
    /// Whether it is in the driver's own format.
    pub optimized: bool,
}

impl FromRow for Backup {
    fn from_row(row: &mut Row) -> Result<Backup> {
        Ok(Backup {
            id: row.take()?,
            owner_id: row.take()?,
            name: row.take()?,
            created: row.take()?,
            expires: row.take()?,
            without_snapshots: row.take()?,
            optimized: row.take()?,
        })
    }
}

fn select(of: Of, filter: &str) -> String {
    let (table, owner, only) = of.columns();
    format!(
        "SELECT id, {owner}, name, creation_date, expiry_date, {only}, optimized_storage FROM {table}
         WHERE {filter} ORDER BY id"
    )
}

/// All backups of one instance or volume, the oldest first.
pub fn list(view: &View<'_>, of: Of, owner_id: i64) -> Result<Vec<Backup>> {
    view.rows(&select(of, &format!("{} = ?1", of.columns().1)), params![owner_id])
}

/// All backups of instances or of volumes, the oldest first.
pub fn all(view: &View<'_>, of: Of) -> Result<Vec<Backup>> {
    view.rows(&select(of, "true"), params![])
}

/// One backup, by its full name.
pub fn get(view: &View<'_>, of: Of, owner_id: i64, name: &str) -> Result<Option<Backup>> {
    view.maybe(&select(of, &format!("{} = ?1 AND name = ?2", of.columns().1)), params![owner_id, name])
}

/// Backups whose time to be removed has come.
pub fn expired(view: &View<'_>, of: Of, now: Timestamp) -> Result<Vec<Backup>> {
    let mut found: Vec<Backup> = view.rows(&select(of, "expiry_date IS NOT NULL"), params![])?;
    found.retain(|backup| backup.expires.is_some_and(|when| when.as_second() > 0 && when <= now));
    Ok(found)
}

/// Whether there is no backup of anything.
pub fn is_empty(view: &View<'_>) -> Result<bool> {
    let sql = "SELECT (SELECT count(*) FROM instances_backups) + (SELECT count(*) FROM storage_volumes_backups)";
    Ok(view.one::<i64>(sql, params![])? == 0)
}

/// Adds a backup, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, of: Of, backup: &Backup) -> Result<i64> {
    let (table, owner, only) = of.columns();
    let sql = format!(
        "INSERT INTO {table} ({owner}, name, creation_date, expiry_date, {only}, optimized_storage)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    );
    let Backup { owner_id, name, created, expires, without_snapshots, optimized, .. } = backup;
    tx.insert(&sql, params![*owner_id, name, *created, *expires, *without_snapshots, *optimized])
}

/// Gives a backup another full name.
pub fn rename(tx: &mut Tx<'_>, of: Of, id: i64, name: &str) -> Result<()> {
    let (table, ..) = of.columns();
    tx.exec(&format!("UPDATE {table} SET name = ?2 WHERE id = ?1"), params![id, name]).map(drop)
}

/// Removes a backup.
pub fn delete(tx: &mut Tx<'_>, of: Of, id: i64) -> Result<()> {
    let (table, ..) = of.columns();
    tx.exec(&format!("DELETE FROM {table} WHERE id = ?1"), params![id]).map(drop)
}
