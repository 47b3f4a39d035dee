//! Giving a stopped instance another name: volume, links, folders and row change together.

use std::sync::Arc;

use corten_api::error::{Context, Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_db::table::{instances, storage_volumes};
use corten_host::undo::Undo;
use corten_instance::instance::{Instance, host_name};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::{pass, step};
use corten_instance::volatile;
use corten_storage::volume::Volume;
use serde_json::Value;

use super::claims::{Key, Taken};
use super::intent::{self, Intent};
use super::{Instances, backup_file, links, observe, root, start};
use crate::app::networks::hosts;
use crate::app::{App, apparmor, backups};

/// Refuses names that no instance may have, and those that another one has.
///
/// # Errors
/// 400, or 409 for a name that is taken.
pub fn check(app: &App, instance: &Instance, new: &str) -> Result<()> {
    corten_config::name::check_instance(new)?;
    match app.view(|view| Ok(instances::id(view, &instance.project, new)?))? {
        Some(_) => Err(Error::conflict(format!("Name {new:?} already in use"))),
        None => Ok(()),
    }
}

/// Renames the stopped instance of this key.
///
/// # Errors
/// When it runs, the name is no instance name or taken; the old name stays then.
pub fn rename(app: &Arc<App>, key: &Key, new: &str, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Rename, || observe(app, key))? else { return Ok(()) };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        change(app, &instance, new)?;
        backup_file::refresh(app, &(key.0.clone(), new.to_string()));
        let source = corten_api::url::path_in(&key.0, ["instances", new]);
        let context = [("old_name", Value::from(key.1.as_str()))];
        app.lifecycle_with(&key.0, "instance-renamed", &source, requestor.cloned(), context);
        Ok(())
    });
    claim.end(outcome)
}

fn change(app: &Arc<App>, instance: &Instance, new: &str) -> Result<()> {
    check(app, instance, new)?;
    let (pool, volume) = root::volume(app, instance)?;
    let _bar = app.instances.visits.bar(&super::key(instance));
    let row = volume.id.map(i64::from);
    let (key, mut undo) = (super::key(instance), Undo::default());
    intent::note(app, &key, &Intent::Rename(new.to_string()), &mut undo)?;
    // Taken back last of all, when the volume has its old name again.
    let (again, (project, old), new_name) = (app.clone(), super::key(instance), new.to_string());
    undo.push("link the volume as before", move || {
        let linked = links::remove(&again, &project, &new_name).and_then(|()| links::set_known(&again, &project, &old));
        linked.map_err(|error| error.message)
    });
    pass("rename the volume")?;
    undo.absorb(pool.rename_volume(&volume, &host_name(&instance.project, new))?);
    let renamed = Instance { name: new.to_string(), ..instance.clone() };
    let (from, to) = (start::log_dir(app, instance), start::log_dir(app, &renamed));
    step(
        &mut undo,
        "rename the logs",
        || rename_folder(&from, &to),
        |()| {
            let (from, to) = (from.clone(), to.clone());
            move || rename_folder(&to, &from)
        },
    )?;
    let kept = backups::Owner::instance(app, instance);
    let kept_after = backups::Owner::instance(app, &renamed);
    backups::change::link_under(app, &kept, &kept_after, &mut undo)?;
    pass("link the volume anew")?;
    links::remove(app, &instance.project, &instance.name)?;
    links::set(app, &instance.project, new, &pool)?;
    pass("remember the new name")?;
    // Under another name it is another machine to cloud-init, and to templates that say so.
    let id = volatile::new_uuid()?;
    let mut keys = vec![(volatile::INSTANCE_ID, Some(id.as_str()))];
    if instance.volatile(volatile::APPLY_TEMPLATE).is_empty() {
        keys.push((volatile::APPLY_TEMPLATE, Some("rename")));
    }
    app.write(|tx| {
        instances::set_keys(tx, instance.id, &keys)?;
        instances::rename(tx, &instance.project, &instance.name, new)?;
        if let Some(row) = row {
            storage_volumes::rename(tx, row, new)?;
        }
        backups::change::rename_rows(tx, &kept, &kept_after)
    })?;
    undo.keep();
    backups::change::unlink(&kept);
    end(app, &key, new)?;
    intent::done(app, &key)?;
    hosts::forget(app, instance);
    apparmor::delete(app, instance);
    Ok(())
}

/// What follows once the new name is remembered: the links, and the folder of a run under the old name.
///
/// # Errors
/// What cannot be changed.
pub fn end(app: &App, old: &Key, new: &str) -> Result<()> {
    links::remove(app, &old.0, &old.1)?;
    links::set_known(app, &old.0, new)?;
    let old = Instance { project: old.0.clone(), name: old.1.clone(), ..Instance::default() };
    // What was never made need not be removed.
    let _ = std::fs::remove_dir_all(start::run_dir(app, &old));
    Ok(())
}

/// Gives an instance that was to be called `new` what is its own again.
///
/// # Errors
/// What cannot be renamed.
pub fn take_back(app: &App, instance: &Instance, new: &str) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    let renamed = Volume { name: host_name(&instance.project, new), ..volume.clone() };
    if !pool.has_volume(&volume) && pool.has_volume(&renamed) {
        pool.rename_volume(&renamed, &volume.name)?.keep();
    }
    links::remove(app, &instance.project, new)?;
    links::set_known(app, &instance.project, &instance.name)?;
    let other = Instance { name: new.to_string(), ..instance.clone() };
    rename_folder(&start::log_dir(app, &other), &start::log_dir(app, instance))
}

/// Renames a folder that may not be there.
///
/// # Errors
/// What the kernel says.
pub(super) fn rename_folder(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.with_context(|| format!("Failed to rename {} to {}", from.display(), to.display())),
    }
}
