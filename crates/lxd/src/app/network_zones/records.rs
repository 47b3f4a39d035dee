//! Records that users add to a zone.

use corten_api::error::{Error, Result};
use corten_api::network_zone::{
    NetworkZoneRecord, NetworkZoneRecordEntry, NetworkZoneRecordPut, NetworkZoneRecordsPost,
};
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::network_zone_records as table;

use super::{check, row as zone_row};
use crate::app::App;
use crate::app::check::stored;

fn shown(row: &table::Record) -> Result<NetworkZoneRecord> {
    let entries: Option<Vec<NetworkZoneRecordEntry>> = serde_json::from_str(&row.entries)
        .map_err(|error| Error::internal(format!("Failed unmarshalling entries: {error}")))?;
    Ok(NetworkZoneRecord {
        name: row.name.clone(),
        description: row.description.clone(),
        entries: entries.unwrap_or_default(),
        config: row.config.clone(),
    })
}

fn row(id: i64, zone_id: i64, name: &str, put: &NetworkZoneRecordPut) -> Result<table::Record> {
    let entries = serde_json::to_string(&put.entries)
        .map_err(|error| Error::internal(format!("Failed marshalling entries: {error}")))?;
    Ok(table::Record {
        id,
        zone_id,
        name: name.to_string(),
        description: put.description.clone(),
        entries,
        config: stored(&put.config),
    })
}

fn get(view: &View<'_>, project: &str, zone: &str, name: &str) -> Result<table::Record, Abort> {
    let found = table::get(view, zone_row(view, project, zone)?.id, name)?;
    Ok(found.ok_or_else(|| Error::not_found("Network zone record not found"))?)
}

/// All records of a zone.
///
/// # Errors
/// 404 when there is no such zone.
pub fn list(app: &App, project: &str, zone: &str) -> Result<Vec<NetworkZoneRecord>> {
    let rows = app.view(|view| Ok(table::list(view, zone_row(view, project, zone)?.id)?))?;
    rows.iter().map(shown).collect()
}

/// One record.
///
/// # Errors
/// 404.
pub fn find(app: &App, project: &str, zone: &str, name: &str) -> Result<NetworkZoneRecord> {
    shown(&app.view(|view| get(view, project, zone, name))?)
}

/// Adds a record.
///
/// # Errors
/// 404 when there is no such zone, 409 when it has a record of that name; what is not right, in LXD's words where it has
/// some.
pub fn create(app: &App, project: &str, zone: &str, post: &NetworkZoneRecordsPost) -> Result<()> {
    let put = post.writable();
    app.write(|tx| {
        let zone_id = zone_row(tx, project, zone)?.id;
        check::record(&put)?;
        check::record_name(zone, &post.name)?;
        if table::get(tx, zone_id, &post.name)?.is_some() {
            return Err(Error::conflict("A network zone record with that name already exists").into());
        }
        table::insert(tx, &row(0, zone_id, &post.name, &put)?)?;
        Ok(())
    })
}

/// Replaces what may be changed of a record.
///
/// # Errors
/// 404, or what is not right in LXD's words.
pub fn update(app: &App, project: &str, zone: &str, name: &str, put: &NetworkZoneRecordPut) -> Result<()> {
    check::record(put)?;
    app.write(|tx| {
        let old = get(tx, project, zone, name)?;
        Ok(table::update(tx, &row(old.id, old.zone_id, name, put)?)?)
    })
}

/// Removes a record.
///
/// # Errors
/// 404.
pub fn delete(app: &App, project: &str, zone: &str, name: &str) -> Result<()> {
    app.write(|tx| Ok(table::delete(tx, get(tx, project, zone, name)?.id)?))
}
