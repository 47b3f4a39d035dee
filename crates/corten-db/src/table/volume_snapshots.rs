//! `storage_volumes_snapshots`: the remembered half of volume snapshots, those of instances included.

use jiff::Timestamp;

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// A snapshot of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSnapshot {
    /// Row id; no volume has the same.
    pub id: i64,
    /// Row id of the volume.
    pub volume_id: i64,
    /// Its own name, without the volume's.
    pub name: String,
    /// Free text.
    pub description: String,
    /// When it is to be removed.
    pub expires: Option<Timestamp>,
    /// The volume's keys at that time.
    pub config: Config,
}

impl FromRow for VolumeSnapshot {
    fn from_row(row: &mut Row) -> Result<VolumeSnapshot> {
        Ok(VolumeSnapshot {
            id: row.take()?,
            volume_id: row.take()?,
            name: row.take()?,
            description: row.take()?,
            expires: row.take()?,
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<VolumeSnapshot>> {
    let from = format!("FROM storage_volumes_snapshots WHERE {filter}");
    let sql =
        format!("SELECT id, storage_volume_id, name, description, expiry_date {from} ORDER BY storage_volume_id, id");
    let mut found: Vec<VolumeSnapshot> = view.rows(&sql, values)?;
    let mut configs = keyed::VOLUME_SNAPSHOT.of_many(view, &format!("SELECT id {from}"), values)?;
    for snapshot in &mut found {
        snapshot.config = configs.remove(&snapshot.id).unwrap_or_default();
    }
    Ok(found)
}

/// Snapshots of one volume, the oldest first.
pub fn of_volume(view: &View<'_>, volume_id: i64) -> Result<Vec<VolumeSnapshot>> {
    fetch(view, "storage_volume_id = ?1", &params![volume_id])
}

/// Snapshots of all volumes, by volume.
pub fn list(view: &View<'_>) -> Result<Vec<VolumeSnapshot>> {
    fetch(view, "true", &[])
}

/// One snapshot.
pub fn get(view: &View<'_>, volume_id: i64, name: &str) -> Result<Option<VolumeSnapshot>> {
    Ok(fetch(view, "storage_volume_id = ?1 AND name = ?2", &params![volume_id, name])?.pop())
}

/// Adds a snapshot with its keys, and gives its row id.
pub fn insert(
    tx: &mut Tx<'_>,
    volume_id: i64,
    name: &str,
    description: &str,
    expires: Option<Timestamp>,
    config: &Config,
) -> Result<i64> {
    // Volumes and snapshots share one range of ids: a snapshot takes the next of the volumes' sequence.
    tx.exec("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'storage_volumes'", params![])?;
    let id: i64 = tx.one("SELECT seq FROM sqlite_sequence WHERE name = 'storage_volumes'", params![])?;
    let sql = "INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description, expiry_date)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.exec(sql, params![id, volume_id, name, description, expires])?;
    keyed::VOLUME_SNAPSHOT.replace(tx, id, config)?;
    Ok(id)
}

/// Replaces what a user may edit.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, expires: Option<Timestamp>, config: &Config) -> Result<()> {
    let sql = "UPDATE storage_volumes_snapshots SET description = ?2, expiry_date = ?3 WHERE id = ?1";
    tx.exec(sql, params![id, description, expires])?;
    keyed::VOLUME_SNAPSHOT.replace(tx, id, config)
}

/// Gives a snapshot another name.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE storage_volumes_snapshots SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Removes a snapshot.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM storage_volumes_snapshots WHERE id = ?1", params![id]).map(drop)
}
