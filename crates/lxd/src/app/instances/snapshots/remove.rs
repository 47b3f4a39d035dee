//! Removing a snapshot: first its files, then the memory of it.

use std::sync::Arc;

use corten_api::error::Result;
use corten_api::event::EventLifecycleRequestor;
use corten_db::table::{snapshots, storage_volumes, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::pass;

use super::super::claims::{Key, Taken};
use super::super::intent::{self, Intent};
use super::super::{Instances, key, observe, root};
use super::take::forget;
use crate::app::App;

/// Removes the snapshot `name` of the instance of this key.
///
/// # Errors
/// 404, or what cannot be removed; the snapshot is remembered then, and can be removed again.
pub fn remove(app: &Arc<App>, key: &Key, name: &str, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Snapshot, || observe(app, key))? else {
        return Ok(());
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        under_claim(app, &instance, name)?;
        super::show_again(app, key);
        super::tell(app, &instance, name, "instance-snapshot-deleted", requestor);
        Ok(())
    });
    claim.end(outcome)
}

/// Removes files and rows of a snapshot under a claim that the caller has.
///
/// # Errors
/// See [`remove`].
pub fn under_claim(app: &App, instance: &Instance, name: &str) -> Result<()> {
    let snapshot = super::find(app, instance, name)?;
    let (pool, volume) = root::volume(app, instance)?;
    let (key, mut undo) = (key(instance), Undo::default());
    intent::note_if_possible(app, &key, &Intent::DeleteSnapshot(name.to_string()), &mut undo);
    pass("remove the files")?;
    pool.delete_snapshot(&volume, name)?;
    // What is gone does not come back: should the rest fail, the next daemon ends it.
    undo.keep();
    forget_it(app, instance, snapshot.id, name)?;
    intent::done(app, &key)
}

/// Ends the removal of a snapshot, or takes back its making: what is there of it goes.
///
/// # Errors
/// What cannot be removed.
pub fn remains(app: &App, instance: &Instance, name: &str) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    pool.delete_snapshot(&volume, name)?;
    if let Some(row) = app.view(|view| Ok(snapshots::get(view, instance.id, name)?))? {
        forget_it(app, instance, row.id, name)?;
    }
    super::show_again(app, &key(instance));
    Ok(())
}

/// Removes the files of a snapshot, then its rows; no note is made of it.
///
/// # Errors
/// What cannot be removed; the rows stay then.
pub fn files_and_rows(app: &App, instance: &Instance, snapshot: &snapshots::Snapshot) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    pool.delete_snapshot(&volume, &snapshot.name)?;
    forget_rows(app, instance, snapshot.id, &snapshot.name)
}

fn forget_it(app: &App, instance: &Instance, row: i64, name: &str) -> Result<()> {
    pass("forget the snapshot")?;
    forget_rows(app, instance, row, name)
}

fn forget_rows(app: &App, instance: &Instance, row: i64, name: &str) -> Result<()> {
    let copy = app.view(|view| {
        let volume = storage_volumes::of_instance(view, &instance.project, &instance.name)?;
        Ok(volume.map(|volume| volume_snapshots::get(view, volume.id, name)).transpose()?.flatten())
    })?;
    forget(app, row, copy.map_or(0, |copy| copy.id))
}
