//! `instances_snapshots`: the remembered half of an instance's snapshots.

use jiff::Timestamp;

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, Devices, devices, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// A snapshot of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Row id of the instance.
    pub instance_id: i64,
    /// The instance's project.
    pub project: String,
    /// The instance's name.
    pub instance: String,
    /// Its own name, without the instance's.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether memory was saved with it.
    pub stateful: bool,
    /// Free text.
    pub description: String,
    /// When it is to be removed.
    pub expires: Option<Timestamp>,
    /// The instance's keys at that time.
    pub config: Config,
    /// The instance's devices at that time.
    pub devices: Devices,
}

impl FromRow for Snapshot {
    fn from_row(row: &mut Row) -> Result<Snapshot> {
        Ok(Snapshot {
            id: row.take()?,
            instance_id: row.take()?,
            project: row.take()?,
            instance: row.take()?,
            name: row.take()?,
            created: row.take()?,
            stateful: row.take()?,
            description: row.take()?,
            expires: row.take()?,
            config: Config::new(),
            devices: Devices::new(),
        })
    }
}

const FROM: &str = "FROM instances_snapshots AS s JOIN instances AS i ON i.id = s.instance_id
                    JOIN projects AS pr ON pr.id = i.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Snapshot>> {
    let sql = format!(
        "SELECT s.id, s.instance_id, pr.name, i.name, s.name, s.creation_date, s.stateful, s.description, s.expiry_date
         {FROM} WHERE {filter} ORDER BY pr.name, i.name, s.creation_date, s.id"
    );
    let mut found: Vec<Snapshot> = view.rows(&sql, values)?;
    let owners = format!("SELECT s.id {FROM} WHERE {filter}");
    let mut configs = keyed::SNAPSHOT.of_many(view, &owners, values)?;
    let mut all_devices = devices::SNAPSHOT.of_many(view, &owners, values)?;
    for snapshot in &mut found {
        snapshot.config = configs.remove(&snapshot.id).unwrap_or_default();
        snapshot.devices = all_devices.remove(&snapshot.id).unwrap_or_default();
    }
    Ok(found)
}

/// Snapshots of all instances of a project, or of all projects; per instance the oldest first.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Snapshot>> {
    match project {
        Some(project) => fetch(view, "pr.name = ?1", &params![project]),
        None => fetch(view, "true", &[]),
    }
}

/// Snapshots of one instance, the oldest first.
pub fn of_instance(view: &View<'_>, instance_id: i64) -> Result<Vec<Snapshot>> {
    fetch(view, "s.instance_id = ?1", &params![instance_id])
}

/// One snapshot.
pub fn get(view: &View<'_>, instance_id: i64, name: &str) -> Result<Option<Snapshot>> {
    Ok(fetch(view, "s.instance_id = ?1 AND s.name = ?2", &params![instance_id, name])?.pop())
}

/// Snapshots whose time to be removed has come.
pub fn expired(view: &View<'_>, now: Timestamp) -> Result<Vec<Snapshot>> {
    let mut found = fetch(view, "s.expiry_date IS NOT NULL", &[])?;
    // Year 1 is how LXD writes "never"; text is compared as times since zones may differ.
    found.retain(|snapshot| snapshot.expires.is_some_and(|when| when.as_second() > 0 && when <= now));
    Ok(found)
}

/// Adds a snapshot with its keys and devices, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, snapshot: &Snapshot) -> Result<i64> {
    let sql = "INSERT INTO instances_snapshots (instance_id, name, creation_date, stateful, description, expiry_date)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![
        snapshot.instance_id,
        &snapshot.name,
        snapshot.created,
        snapshot.stateful,
        &snapshot.description,
        snapshot.expires,
    ];
    let id = tx.insert(sql, values)?;
    keyed::SNAPSHOT.replace(tx, id, &snapshot.config)?;
    devices::SNAPSHOT.replace(tx, id, &snapshot.devices)?;
    Ok(id)
}

/// Replaces what a user may edit.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, expires: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE instances_snapshots SET description = ?2, expiry_date = ?3 WHERE id = ?1";
    tx.exec(sql, params![id, description, expires]).map(drop)
}

/// Replaces the devices.
pub fn set_devices(tx: &mut Tx<'_>, id: i64, own: &Devices) -> Result<()> {
    devices::SNAPSHOT.replace(tx, id, own)
}

/// Gives a snapshot another name.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE instances_snapshots SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Removes a snapshot.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM instances_snapshots WHERE id = ?1", params![id]).map(drop)
}
