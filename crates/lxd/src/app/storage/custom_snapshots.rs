//! Snapshots of volumes that users make.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::time::Time;
use corten_archive::watch::Watch;
use corten_config::name as names;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{storage_volumes, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::snapshot::{expiry, pattern};
use corten_instance::step::{pass, step};

use super::custom::{Place, must_not_run};
use super::meant::{self, Meant};
use super::pools::Pools;
use crate::app::App;
use crate::app::projects::{allow, scope_in};

/// A snapshot as the API shows it, under the name `VOLUME/SNAPSHOT`.
pub fn shown(volume: &storage_volumes::Volume, row: volume_snapshots::VolumeSnapshot) -> StorageVolumeSnapshot {
    StorageVolumeSnapshot {
        description: row.description,
        expires_at: row.expires.map(Time::from),
        name: format!("{}/{}", volume.name, row.name),
        config: row.config,
        content_type: "filesystem".to_string(),
        created_at: Time::ZERO,
    }
}

/// The row of a snapshot.
///
/// # Errors
/// 404.
pub fn row(view: &View<'_>, volume: i64, name: &str) -> Result<volume_snapshots::VolumeSnapshot, Abort> {
    let row = volume_snapshots::get(view, volume, name)?;
    Ok(row.ok_or_else(|| Error::not_found("Storage pool volume not found"))?)
}

/// What is to be known before the snapshot is made: its name.
///
/// # Errors
/// 400 for a bad name, 404 when the volume is not there, 409 when the name is taken.
pub fn plan(app: &App, place: &Place, asked: &str) -> Result<String> {
    let now = Time::now();
    app.view(|view| {
        let volume = place.row(view)?;
        allow::snapshot(&scope_in(view, &place.project)?)?;
        let taken = volume_snapshots::of_volume(view, volume.id)?;
        let name = match asked {
            "" => {
                let pattern = volume.config.get("snapshots.pattern").map_or("", String::as_str);
                pattern::next(pattern, now, taken.iter().map(|snapshot| snapshot.name.as_str()))?
            }
            asked => asked.to_string(),
        };
        names::check_volume_snapshot(&name)?;
        must_be_free(view, volume.id, &name)?;
        Ok(name)
    })
}

fn must_be_free(view: &View<'_>, volume: i64, name: &str) -> Result<(), Abort> {
    match volume_snapshots::get(view, volume, name)? {
        Some(_) => Err(Error::conflict(format!("Snapshot {name:?} already in use")).into()),
        None => Ok(()),
    }
}

/// Makes the snapshot `name`, which goes at `expires` if there is such a time.
///
/// # Errors
/// 404 when the volume is gone, 409 when the name is taken, or why it cannot be made; nothing is left then.
pub fn create(app: &Arc<App>, place: &Place, name: &str, expires: Option<Time>) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let lifetime = app.view(|view| place.row(view))?.config.get("snapshots.expiry").cloned().unwrap_or_default();
    let expires = match expires {
        Some(time) => Some(time.timestamp()).filter(|_| !time.is_never()),
        None => expiry::after(&lifetime, Time::now())?.map(Time::timestamp),
    };
    let _turn = meant::turn(app, place);
    app.view(|view| {
        let volume = place.row(view)?;
        must_be_free(view, volume.id, name)
    })?;
    let mut undo = Undo::default();
    meant::note(app, place, &Meant::Snapshot(name.to_string()), &mut undo)?;
    let remember = || {
        app.write(|tx| {
            let volume = place.row(tx)?;
            must_be_free(tx, volume.id, name)?;
            let id = volume_snapshots::insert(tx, volume.id, name, &volume.description, expires, &volume.config)?;
            Ok((id, volume.config))
        })
    };
    let (_, config) = step(&mut undo, "remember the snapshot", remember, |(id, _)| {
        let (app, id) = (app.clone(), *id);
        move || app.take_away(|tx| Ok(volume_snapshots::delete(tx, id)?))
    })?;
    pass("make the snapshot")?;
    undo.absorb(pool.snapshot_volume(&place.volume(&config), name, &Watch::default())?);
    undo.keep();
    meant::done(app, place)
}

/// Renames a snapshot.
///
/// # Errors
/// 404, 400 for a bad name, 409 when it is taken.
pub fn rename(app: &App, place: &Place, old: &str, new: &str) -> Result<()> {
    names::check_volume_snapshot(new)?;
    let pool = Pools::get(app, &place.pool)?;
    let _turn = meant::turn(app, place);
    let (volume, snapshot) = app.view(|view| {
        let volume = place.row(view)?;
        must_be_free(view, volume.id, new)?;
        let snapshot = row(view, volume.id, old)?;
        Ok((volume, snapshot))
    })?;
    let mut undo = Undo::default();
    meant::note(app, place, &Meant::RenameSnapshot(old.to_string(), new.to_string()), &mut undo)?;
    undo.absorb(pool.rename_snapshot(&place.volume(&volume.config), old, new)?);
    pass("remember the new name")?;
    app.write(|tx| {
        must_be_free(tx, volume.id, new)?;
        Ok(volume_snapshots::rename(tx, snapshot.id, new)?)
    })?;
    undo.keep();
    meant::done(app, place)
}

/// Removes a snapshot.
///
/// # Errors
/// 404, or what could not be removed.
pub fn delete(app: &App, place: &Place, name: &str) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let _turn = meant::turn(app, place);
    let (volume, snapshot) = app.view(|view| {
        let volume = place.row(view)?;
        let snapshot = row(view, volume.id, name)?;
        Ok((volume, snapshot))
    })?;
    let mut undo = Undo::default();
    meant::note_if_possible(app, place, &Meant::DeleteSnapshot(name.to_string()), &mut undo);
    pool.delete_snapshot(&place.volume(&volume.config), name)?;
    // What is gone does not come back: should the rest fail, the next daemon ends it.
    undo.keep();
    pass("forget the snapshot")?;
    app.take_away(|tx| Ok(volume_snapshots::delete(tx, snapshot.id)?))?;
    meant::done(app, place)
}

/// Changes what is said of a snapshot.
///
/// # Errors
/// 404.
pub fn update(app: &App, place: &Place, name: &str, description: &str, expires: Option<Time>) -> Result<()> {
    let expires = expires.filter(|time| !time.is_never()).map(Time::timestamp);
    app.write(|tx| {
        let volume = place.row(tx)?;
        let snapshot = row(tx, volume.id, name)?;
        Ok(volume_snapshots::update(tx, snapshot.id, description, expires, &snapshot.config)?)
    })
}

/// Makes the volume what the snapshot is.
///
/// # Errors
/// 404, while running instances use the volume, or why it cannot be done.
pub fn restore(app: &App, place: &Place, name: &str) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let volume = app.view(|view| {
        let volume = place.row(view)?;
        let there = volume_snapshots::get(view, volume.id, name)?.is_some();
        if there { Ok(volume) } else { Err(Error::not_found("Snapshot not found").into()) }
    })?;
    must_not_run(app, place)?;
    Ok(pool.restore_volume(&place.volume(&volume.config), name, &Watch::default())?)
}
