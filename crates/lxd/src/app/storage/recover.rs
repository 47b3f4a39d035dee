//! What a daemon that was killed had begun with users' volumes and not ended: taken back, or ended where only that is left.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_db::table::storage_volumes::{self, CUSTOM, Volume};
use corten_db::table::volume_snapshots;

use super::custom::{self, Place};
use super::meant::{self, Meant};
use super::pools::Pools;
use crate::app::App;

/// Deals with everything that was begun and not ended. Pools are mounted, and nothing is under way.
///
/// # Errors
/// When the notes cannot be read; what cannot be dealt with is logged, and its note stays for the next time.
pub fn recover(app: &Arc<App>) -> Result<()> {
    let mut all = meant::found(app)?;
    // A move is told from what it was making.
    all.sort_by_key(|(_, meant)| *meant != Meant::Create);
    for (place, meant) in all {
        tracing::info!(?place, ?meant, "The last daemon did not end what it began");
        if let Err(error) = one(app, &place, &meant).and_then(|()| meant::done(app, &place)) {
            tracing::error!(volume = place.name, %error, "Failed to tidy up after the last daemon");
        }
    }
    Ok(())
}

fn row(app: &App, place: &Place) -> Result<Option<Volume>> {
    app.view(|view| Ok(storage_volumes::get(view, &place.pool, &place.project, CUSTOM, &place.name)?))
}

fn one(app: &Arc<App>, place: &Place, meant: &Meant) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    if !pool.is_reachable() {
        return Err(Error::internal(format!("The storage pool {:?} is not there", pool.name())));
    }
    // Without its row a volume is made no more, gone, or has its new name.
    let Some(row) = row(app, place)? else { return Ok(()) };
    let volume = place.volume(&row.config);
    match meant {
        Meant::Create | Meant::Delete => custom::remove_parts(app, place, &row).map(drop),
        Meant::Rename(new) => {
            let renamed = Place { name: new.clone(), ..place.clone() }.volume(&row.config);
            if pool.has_volume(&renamed) && !pool.has_volume(&volume) {
                pool.rename_volume(&renamed, &volume.name)?.keep();
            }
            Ok(())
        }
        Meant::Snapshot(name) | Meant::DeleteSnapshot(name) => {
            pool.delete_snapshot(&volume, name)?;
            forget(app, &row, name)
        }
        Meant::RenameSnapshot(old, new) => {
            let is_remembered = app.view(|view| Ok(volume_snapshots::get(view, row.id, old)?))?.is_some();
            let is_there = |name: &str| pool.has_volume(&volume.snapshot(name));
            if is_remembered && is_there(new) && !is_there(old) {
                pool.rename_snapshot(&volume, new, old)?.keep();
            }
            Ok(())
        }
        // Each of them is there whole, or not at all.
        Meant::Refresh(names) => {
            let missing = names.iter().filter(|name| !pool.has_volume(&volume.snapshot(name)));
            missing.into_iter().try_for_each(|name| forget(app, &row, name))
        }
        Meant::Move(to) => {
            // What was not made whole has gone by now.
            if self::row(app, to)?.is_none() { Ok(()) } else { custom::leave(app, place, to) }
        }
    }
}

fn forget(app: &App, row: &Volume, name: &str) -> Result<()> {
    app.take_away(|tx| match volume_snapshots::get(tx, row.id, name)? {
        Some(snapshot) => Ok(volume_snapshots::delete(tx, snapshot.id)?),
        None => Ok(()),
    })
}
