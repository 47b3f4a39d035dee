//! Giving a snapshot another name.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_config::name;
use corten_db::table::{snapshots, storage_volumes, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::pass;
use serde_json::Value;

use super::super::claims::{Key, Taken};
use super::super::intent::{self, Intent};
use super::super::{Instances, key, observe, root};
use crate::app::App;

/// Renames the snapshot `old` of the instance of this key.
///
/// # Errors
/// 404, 400 for a bad name, 409 when it is taken; the old name stays then.
pub fn rename(
    app: &Arc<App>,
    key: &Key,
    old: &str,
    new: &str,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Snapshot, || observe(app, key))? else {
        return Ok(());
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        change(app, &instance, old, new)?;
        super::show_again(app, key);
        let context = [("old_name", Value::from(format!("{}/{old}", instance.name)))];
        let source = super::path(&instance, new);
        app.lifecycle_with(&key.0, "instance-snapshot-renamed", &source, requestor.cloned(), context);
        Ok(())
    });
    claim.end(outcome)
}

/// Refuses a name that no snapshot of the instance may get.
///
/// # Errors
/// 400, 409.
pub fn check(app: &App, instance: &Instance, new: &str) -> Result<()> {
    name::check_snapshot(new)?;
    match app.view(|view| Ok(snapshots::get(view, instance.id, new)?))? {
        Some(_) => Err(Error::conflict(format!("Name '{}/{new}' already in use", instance.name))),
        None => Ok(()),
    }
}

fn change(app: &Arc<App>, instance: &Instance, old: &str, new: &str) -> Result<()> {
    check(app, instance, new)?;
    let snapshot = super::find(app, instance, old)?;
    let (pool, volume) = root::volume(app, instance)?;
    let (key, mut undo) = (key(instance), Undo::default());
    intent::note(app, &key, &Intent::RenameSnapshot(old.to_string(), new.to_string()), &mut undo)?;
    pass("rename the files")?;
    undo.absorb(pool.rename_snapshot(&volume, old, new)?);
    pass("remember the new name")?;
    app.write(|tx| {
        snapshots::rename(tx, snapshot.id, new)?;
        let volume = storage_volumes::of_instance(tx, &instance.project, &instance.name)?;
        if let Some(volume) = volume
            && let Some(copy) = volume_snapshots::get(tx, volume.id, old)?
        {
            volume_snapshots::rename(tx, copy.id, new)?;
        }
        Ok(())
    })?;
    undo.keep();
    intent::done(app, &key)
}

/// Gives the files of the snapshot that is remembered as `old` that name again.
///
/// # Errors
/// What cannot be renamed.
pub fn take_back(app: &App, instance: &Instance, old: &str, new: &str) -> Result<()> {
    let remembered = app.view(|view| Ok(snapshots::get(view, instance.id, old)?))?;
    let (pool, volume) = root::volume(app, instance)?;
    if remembered.is_some() && !pool.has_volume(&volume.snapshot(old)) && pool.has_volume(&volume.snapshot(new)) {
        pool.rename_snapshot(&volume, new, old)?.keep();
    }
    super::show_again(app, &key(instance));
    Ok(())
}
