//! Bringing a copy of a custom volume up to date with what it was copied from: files, and snapshots that came or went.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::volume_snapshots;
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_storage::fill::Fill;

use super::custom::{Place, must_not_run};
use super::custom_snapshots;
use super::meant::{self, Meant};
use super::pools::Pools;
use crate::app::App;

/// Brings the volume at `place` up to what `source` is. Its keys stay. Its snapshots become those of `source` by name, unless
/// it is to be refreshed `alone`.
///
/// # Errors
/// 404, while a running instance uses the volume, or what went wrong; its files are as before then.
pub fn refresh(app: &Arc<App>, place: &Place, source: &Place, alone: bool) -> Result<()> {
    if place == source {
        return Err(Error::invalid("A volume cannot be refreshed from itself"));
    }
    must_not_run(app, place)?;
    let (row, from) = app.view(|view| Ok((place.row(view)?, source.row(view)?)))?;
    let (there, wanted) = match alone {
        true => (Vec::new(), Vec::new()),
        false => app.view(|view| {
            Ok((volume_snapshots::of_volume(view, row.id)?, volume_snapshots::of_volume(view, from.id)?))
        })?,
    };
    let lacks = |of: &[volume_snapshots::VolumeSnapshot], name: &str| !of.iter().any(|one| one.name == name);
    let missing: Vec<_> = wanted.iter().filter(|one| lacks(&there, &one.name)).cloned().collect();
    let (pool, from_pool) = (Pools::get(app, &place.pool)?, Pools::get(app, &source.pool)?);
    let (volume, original) = (place.volume(&row.config), source.volume(&from.config));
    let turn = meant::turn(app, place);
    let mut undo = Undo::default();
    let names = missing.iter().map(|one| one.name.clone()).collect();
    meant::note(app, place, &Meant::Refresh(names), &mut undo)?;
    step(
        &mut undo,
        "remember the snapshots",
        || app.write(|tx| insert(tx, row.id, &missing)),
        |ids: &Vec<i64>| {
            let (app, ids) = (app.clone(), ids.clone());
            move || app.take_away(|tx| Ok(ids.iter().try_for_each(|id| volume_snapshots::delete(tx, *id))?))
        },
    )?;
    let watch = Watch::default();
    for one in &missing {
        let fill = Fill::Copy { pool: &from_pool, source: &original.snapshot(&one.name), snapshots: &[], like: None };
        undo.absorb(pool.create_volume(&volume.snapshot(&one.name), &fill, &watch)?);
    }
    pass("copy the volume")?;
    pool.refill_volume(
        &volume,
        &Fill::Copy { pool: &from_pool, source: &original, snapshots: &[], like: None },
        &watch,
    )?;
    undo.keep();
    meant::done(app, place)?;
    drop(turn);
    for one in there.iter().filter(|one| lacks(&wanted, &one.name)) {
        custom_snapshots::delete(app, place, &one.name)?;
    }
    Ok(())
}

/// Writes the rows of snapshots of the volume with this row; gives theirs.
///
/// # Errors
/// The database's.
pub fn insert(tx: &mut Tx<'_>, volume: i64, missing: &[volume_snapshots::VolumeSnapshot]) -> Result<Vec<i64>, Abort> {
    let insert = |one: &volume_snapshots::VolumeSnapshot| {
        volume_snapshots::insert(tx, volume, &one.name, &one.description, one.expires, &one.config)
    };
    Ok(missing.iter().map(insert).collect::<Result<_, _>>()?)
}
