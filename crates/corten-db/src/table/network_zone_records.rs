//! `networks_zones_records` and their keys.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// What users add to a zone under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Row id of its zone.
    pub zone_id: i64,
    /// Its name within the zone.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its entries, as the API's JSON.
    pub entries: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Record {
    fn from_row(row: &mut Row) -> Result<Record> {
        Ok(Record {
            id: row.take()?,
            zone_id: row.take()?,
            name: row.take()?,
            description: row.take()?,
            entries: row.take()?,
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Record>> {
    let from = format!("FROM networks_zones_records AS r WHERE {filter}");
    let columns = "r.id, r.network_zone_id, r.name, r.description, r.entries";
    let mut found: Vec<Record> = view.rows(&format!("SELECT {columns} {from} ORDER BY r.name"), values)?;
    let mut configs = keyed::NETWORK_ZONE_RECORD.of_many(view, &format!("SELECT r.id {from}"), values)?;
    for record in &mut found {
        record.config = configs.remove(&record.id).unwrap_or_default();
    }
    Ok(found)
}

/// All records of a zone.
pub fn list(view: &View<'_>, zone_id: i64) -> Result<Vec<Record>> {
    fetch(view, "r.network_zone_id = ?1", &params![zone_id])
}

/// One record.
pub fn get(view: &View<'_>, zone_id: i64, name: &str) -> Result<Option<Record>> {
    Ok(fetch(view, "r.network_zone_id = ?1 AND r.name = ?2", &params![zone_id, name])?.pop())
}

/// Adds a record, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, record: &Record) -> Result<i64> {
    let sql = "INSERT INTO networks_zones_records (network_zone_id, name, description, entries)
               VALUES (?1, ?2, ?3, ?4)";
    let id = tx.insert(sql, params![record.zone_id, &record.name, &record.description, &record.entries])?;
    keyed::NETWORK_ZONE_RECORD.replace(tx, id, &record.config)?;
    Ok(id)
}

/// Replaces description, entries and keys.
pub fn update(tx: &mut Tx<'_>, record: &Record) -> Result<()> {
    let sql = "UPDATE networks_zones_records SET description = ?2, entries = ?3 WHERE id = ?1";
    tx.exec(sql, params![record.id, &record.description, &record.entries])?;
    keyed::NETWORK_ZONE_RECORD.replace(tx, record.id, &record.config)
}

/// Removes a record.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM networks_zones_records WHERE id = ?1", params![id]).map(drop)
}
