//! A custom volume that comes from another server: made anew, or what brings one that is there up to date.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::StorageVolumesPost;
use corten_api::time::Time;
use corten_db::table::storage_volumes::{self, CUSTOM};
use corten_db::table::{Config, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::step::step;
use corten_storage::pool::Pool;
use serde_json::json;

use super::compresses;
use super::incoming::{Incoming, Wanted};
use super::session::Session;
use super::wire::{self, Snapshot};
use crate::app::App;
use crate::app::backups::adopt::volume_keys;
use crate::app::storage::custom::{self, New, Place, must_not_run};
use crate::app::storage::pools::Pools;
use crate::app::storage::{custom_refresh, custom_snapshots, volumes};
use crate::rest::operation::Op;

/// Makes the volume that `post` describes of what comes in `session`, or refreshes one that is there when that is asked for.
///
/// # Errors
/// In LXD's words, or the source's; nothing is left then, and what was there is as before.
pub fn take_in(app: &Arc<App>, place: &Place, post: &StorageVolumesPost, mut session: Session, op: &Op) -> Result<()> {
    let transferring = |error: Error| error.context("Error transferring storage volume");
    let looked = Pools::get(app, &place.pool).and_then(|pool| {
        let row = app.view(|view| Ok(storage_volumes::get(view, &place.pool, &place.project, CUSTOM, &place.name)?))?;
        Ok((pool, row))
    });
    let outcome = match looked {
        Err(error) => session.end(Err(error)),
        Ok((pool, Some(row))) if post.source.refresh => {
            bring_up_to_date(app, place, &pool, &row, post.source.volume_only, session)
        }
        Ok((_, Some(_))) => {
            let words = "Cannot create volume, already exists on migration target storage";
            session.end(Err(Error::internal(words)))
        }
        Ok((pool, None)) => make(app, place, &pool, post, session, op),
    };
    outcome.map_err(transferring)
}

fn make(
    app: &Arc<App>,
    place: &Place,
    pool: &Pool,
    post: &StorageVolumesPost,
    session: Session,
    op: &Op,
) -> Result<()> {
    let incoming = Incoming::greet(session, &Wanted { name: &place.name, compress: compresses(pool), refresh: None })?;
    let made = || {
        let config = volume_keys(pool, "custom", &place.name, &post.config);
        let snapshots = rows(place, pool, &incoming, &incoming.snapshots, &post.description, &config)?;
        let new = New { description: &post.description, config: &config, snapshots: &snapshots };
        custom::make_by(app, place, &new, |pool, volume| {
            let mut receive = |name: Option<&str>, landing: &_| Ok(incoming.receive(name, landing)?);
            Ok(pool.receive_volume(volume, &incoming.names(), &mut receive)?)
        })?;
        let path = volumes::path(&place.pool, &place.project, CUSTOM, &place.name);
        let context = [("type", json!("custom"))];
        app.lifecycle_with(&place.project, "storage-volume-created", &path, op.requestor(), context);
        Ok(())
    };
    incoming.end(made())
}

/// The rows of `snapshots`, with what the source says of them.
fn rows(
    place: &Place,
    pool: &Pool,
    incoming: &Incoming,
    snapshots: &[Snapshot],
    description: &str,
    config: &Config,
) -> Result<Vec<volume_snapshots::VolumeSnapshot>> {
    let row = |one: &Snapshot| {
        corten_config::name::check_volume_snapshot(&one.name)?;
        let said = incoming.index.volume_snapshots.iter().find(|other| other.name == one.name);
        let expires = said.and_then(|said| said.expires_at).filter(|time| !time.is_never());
        let keys = said.map_or_else(|| config.clone(), |said| volume_keys(pool, "custom", &place.name, &said.config));
        Ok(volume_snapshots::VolumeSnapshot {
            id: 0,
            volume_id: 0,
            name: one.name.clone(),
            description: said.map_or(description, |said| said.description.as_str()).to_string(),
            expires: expires.map(Time::timestamp),
            config: keys,
        })
    };
    snapshots.iter().map(row).collect()
}

/// Its keys stay. Its snapshots become those of the source by name, unless it is to be refreshed `alone`.
fn bring_up_to_date(
    app: &Arc<App>,
    place: &Place,
    pool: &Pool,
    row: &storage_volumes::Volume,
    alone: bool,
    mut session: Session,
) -> Result<()> {
    if let Err(error) = must_not_run(app, place) {
        return session.end(Err(error));
    }
    let there = match app.view(|view| Ok(volume_snapshots::of_volume(view, row.id)?)) {
        Ok(there) => there,
        Err(error) => return session.end(Err(error)),
    };
    let extra = std::cell::RefCell::new(Vec::new());
    let choose = |offered: &[Snapshot]| {
        if alone {
            return Vec::new();
        }
        let is_offered = |one: &&volume_snapshots::VolumeSnapshot| offered.iter().any(|other| other.name == one.name);
        let gone = there.iter().filter(|one| !is_offered(one));
        *extra.borrow_mut() = gone.map(|one| one.name.clone()).collect::<Vec<_>>();
        offered.iter().filter(|one| !there.iter().any(|other| other.name == one.name)).cloned().collect()
    };
    let wanted = Wanted { name: &place.name, compress: compresses(pool), refresh: Some(&choose) };
    let incoming = Incoming::greet(session, &wanted)?;
    let replaced = || {
        let missing = rows(place, pool, &incoming, &incoming.snapshots, &row.description, &row.config)?;
        let mut undo = Undo::default();
        step(
            &mut undo,
            "remember the snapshots",
            || app.write(|tx| custom_refresh::insert(tx, row.id, &missing)),
            |ids: &Vec<i64>| {
                let (app, ids) = (app.clone(), ids.clone());
                move || app.take_away(|tx| Ok(ids.iter().try_for_each(|id| volume_snapshots::delete(tx, *id))?))
            },
        )?;
        let mut receive = |name: Option<&str>, landing: &_| Ok(incoming.receive(name, landing)?);
        pool.receive_again(&place.volume(&row.config), &incoming.names(), &mut receive)?;
        undo.keep();
        extra.borrow().iter().try_for_each(|name| custom_snapshots::delete(app, place, name))
    };
    incoming.end(replaced())
}

/// A snapshot of a volume as a source tells of it.
pub fn told(row: &volume_snapshots::VolumeSnapshot) -> Snapshot {
    wire::Snapshot::of_volume(&row.name, &row.config)
}
