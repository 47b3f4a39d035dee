//! Deleting an instance: first what it is on disk, then the memory of it.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_db::table::{instances, snapshots, storage_volumes};
use corten_host::undo::Undo;
use corten_instance::instance::{Instance, is_true};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::pass;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;

use super::claims::{Key, Taken};
use super::intent::{self, Intent};
use super::{Instances, links, observe, root, start, tell};
use crate::app::backups::{Owner, change};
use crate::app::networks::hosts;
use crate::app::{App, apparmor};

/// Deletes the stopped instance of this key for a client.
///
/// # Errors
/// When it runs, is protected, or something of it cannot be removed; it stays then, and can be deleted again.
pub fn delete(app: &Arc<App>, key: &Key, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Delete, || observe(app, key))? else { return Ok(()) };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        if is_true(instance.get("security.protection.delete")) {
            return Err(Error::internal("Instance is protected"));
        }
        remove(app, &instance, requestor)
    });
    claim.end(outcome)
}

/// Removes a stopped instance under a claim that the caller has.
///
/// # Errors
/// See [`delete`].
pub fn remove(app: &App, instance: &Instance, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let (key, mut undo) = (super::key(instance), Undo::default());
    intent::note_if_possible(app, &key, &Intent::Delete, &mut undo);
    let snapshots = app.view(|view| Ok(snapshots::of_instance(view, instance.id)?))?;
    let removed = remove_parts(app, instance);
    // Without its volume it cannot stay; as long as that is there, the client may think again.
    let is_gone = |(pool, volume): (Pool, Volume)| !pool.has_volume(&volume);
    if removed.is_ok() || root::volume(app, instance).is_ok_and(is_gone) {
        undo.keep();
    }
    removed?;
    intent::done(app, &key)?;
    for snapshot in &snapshots {
        super::snapshots::tell(app, instance, &snapshot.name, "instance-snapshot-deleted", requestor);
    }
    tell(app, instance, "instance-deleted", requestor);
    Ok(())
}

/// Removes all that there is of a stopped instance, its row last; what is gone already is no failure.
///
/// # Errors
/// See [`delete`].
pub fn remove_parts(app: &App, instance: &Instance) -> Result<()> {
    change::delete_all(app, &Owner::instance(app, instance))?;
    let (pool, volume) = root::volume(app, instance)?;
    let _bar = app.instances.visits.bar(&super::key(instance));
    for snapshot in pool.snapshots(&volume)? {
        pass("remove a snapshot")?;
        pool.delete_snapshot(&volume, &snapshot)?;
    }
    pass("remove the volume")?;
    pool.delete_volume(&volume)?;
    for folder in [start::log_dir(app, instance), start::run_dir(app, instance)] {
        // A folder that was never made need not be removed.
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.display(), %error, "Failed to remove a folder of a deleted instance");
            }
            _ => {}
        }
    }
    if let Err(error) = links::remove(app, &instance.project, &instance.name) {
        tracing::warn!(instance = instance.name, %error, "Failed to remove the links of a deleted instance");
    }
    pass("forget the instance")?;
    let (project, name, row) = (&instance.project, &instance.name, volume.id.map(i64::from));
    app.take_away(|tx| {
        instances::delete(tx, project, name)?;
        if let Some(row) = row {
            storage_volumes::delete(tx, row)?;
        }
        Ok(())
    })?;
    hosts::forget(app, instance);
    apparmor::delete(app, instance);
    Ok(())
}
