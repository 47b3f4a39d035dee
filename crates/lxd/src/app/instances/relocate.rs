//! Moving a stopped instance to another pool or project of this server, perhaps under another name.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_archive::watch::Watch;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::{
    devices as device_rows, instances, snapshots, storage_pools, storage_volumes, volume_snapshots,
};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::{Action, Observed};
use corten_instance::step::{pass, step};
use corten_storage::fill::Fill;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume, storage_name};
use serde_json::Value;

use super::claims::{Claim, Key, Taken};
use super::copy::on_pool_of;
use super::find::profile_project;
use super::intent::{self, Intent, Move};
use super::{Instances, backup_file, create, key, links, observe, rename, root, start};
use crate::app::networks::hosts;
use crate::app::projects::allow;
use crate::app::storage::pools::Pools;
use crate::app::{App, apparmor, backups};

/// Where an instance is to go.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its project and name there.
    pub key: Key,
    /// The pool; `None` is the one that it is on.
    pub pool: Option<String>,
    /// Whether its snapshots are left behind, that is removed.
    pub alone: bool,
}

/// Moves the instance of this key. It keeps its identity, its number and all that is remembered of it.
///
/// # Errors
/// When it runs or is busy, something of that name is there, or what went wrong; it is where it was then.
pub fn relocate(app: &Arc<App>, key: &Key, to: &Target, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let between = if to.pool.is_some() { "pools" } else { "projects" };
    if observe(app, key)? != Observed::Stopped {
        return Err(Error::invalid(format!("Instance must be stopped to move between {between} statelessly")));
    }
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Rename, || observe(app, key))? else { return Ok(()) };
    // Nothing else may be made there meanwhile.
    let _there: Option<Claim> = match to.key == *key {
        true => None,
        false => match app.instances.claims.take(&to.key, Action::Create, || Ok(Observed::Stopped))? {
            Taken::Go(there) => Some(there),
            _ => return Err(Error::busy("Instance is busy running a \"create\" operation")),
        },
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|old| {
        let new = planned(app, &old, to)?;
        make(app, &old, &new, to)?;
        tell(app, &old, &new, requestor);
        Ok(())
    });
    claim.end(outcome)
}

/// The instance as it will be, expanded by the profiles of its new project.
fn planned(app: &App, old: &Instance, to: &Target) -> Result<Instance> {
    corten_config::name::check_instance(&to.key.1)?;
    let (name, root) = old.root_disk().ok_or_else(|| Error::invalid("No root device could be found"))?;
    let mut root = root.clone();
    if let Some(pool) = &to.pool {
        root.insert("pool".to_string(), pool.clone());
    }
    let mut new = Instance { project: to.key.0.clone(), name: to.key.1.clone(), ..old.clone() };
    // Profiles that it has there may give it another root disk, or none.
    new.devices.insert(name.to_string(), root);
    let (config, devices) = app.view(|view| {
        if to.key != key(old) && instances::id(view, &new.project, &new.name)?.is_some() {
            let words = "Failed creating instance record: Add instance info to the database: This \"instances\" entry \
                         already exists";
            return Err(Error::conflict(words).into());
        }
        if new.project != old.project {
            allow::new_instance(view, &new.project, &allow::member_of(&new))?;
        }
        create::expanded(view, &new)
    })?;
    (new.expanded_config, new.expanded_devices) = (config, devices);
    Ok(new)
}

fn make(app: &Arc<App>, old: &Instance, new: &Instance, to: &Target) -> Result<()> {
    let (from_pool, from) = root::volume(app, old)?;
    let pool = Pools::get(app, new.pool().unwrap_or_default())?;
    let volume = Volume { name: storage_name(Kind::Container, &new.project, &new.name), ..from.clone() };
    let taken = app.view(|view| Ok(snapshots::of_instance(view, old.id)?))?;
    let _bar = app.instances.visits.bar(&key(old));
    let mut undo = Undo::default();
    let (project, name) = key(new);
    let meant = Move { from_pool: from_pool.name().to_string(), pool: pool.name().to_string(), project, name };
    intent::note(app, &key(old), &Intent::Move(meant), &mut undo)?;
    // Taken back last of all, when the volume is again where it was.
    let (again, was, is) = (app.clone(), key(old), key(new));
    undo.push("link the volume as before", move || {
        let gone = if is == was { Ok(()) } else { links::remove(&again, &is.0, &is.1) };
        gone.and_then(|()| links::set_known(&again, &was.0, &was.1)).map_err(|error| error.message)
    });
    pass("move the volume")?;
    if pool.name() == from_pool.name() {
        if volume.name != from.name {
            undo.absorb(from_pool.rename_volume(&from, &volume.name)?);
        }
    } else {
        let names: Vec<String> = taken.iter().map(|one| one.name.clone()).collect();
        let along: &[String] = if to.alone { &[] } else { &names };
        let fill = Fill::Copy { pool: &from_pool, source: &from, snapshots: along, like: None };
        undo.absorb(pool.create_volume(&volume, &fill, &Watch::default())?);
        create::limit(new, &pool, &volume)?;
    }
    let (log, log_there) = (start::log_dir(app, old), start::log_dir(app, new));
    step(
        &mut undo,
        "rename the logs",
        || rename::rename_folder(&log, &log_there),
        |()| {
            let (log, log_there) = (log.clone(), log_there.clone());
            move || rename::rename_folder(&log_there, &log)
        },
    )?;
    let (kept, kept_after) = (backups::Owner::instance(app, old), backups::Owner::instance(app, new));
    let follows = key(old) != key(new);
    if follows {
        backups::change::link_under(app, &kept, &kept_after, &mut undo)?;
    }
    pass("link the volume anew")?;
    links::remove(app, &old.project, &old.name)?;
    links::set(app, &new.project, &new.name, &pool)?;
    pass("remember the new place")?;
    app.write(|tx| {
        remember(tx, new, &pool, &taken, to.alone)?;
        if follows { backups::change::rename_rows(tx, &kept, &kept_after) } else { Ok(()) }
    })?;
    undo.keep();
    if follows {
        backups::change::unlink(&kept);
    }
    clean_up(app, old, (&from_pool, &from), (&pool, &volume), &taken, to.alone);
    hosts::forget(app, old);
    apparmor::delete(app, old);
    let shown = intent::done(app, &key(old)).and_then(|()| links::set(app, &new.project, &new.name, &pool));
    if let Err(error) = shown {
        tracing::warn!(instance = new.name, %error, "Failed to end the move of an instance");
    }
    backup_file::refresh(app, &key(new));
    Ok(())
}

fn remember(
    tx: &mut Tx<'_>,
    new: &Instance,
    pool: &Pool,
    taken: &[snapshots::Snapshot],
    alone: bool,
) -> Result<(), Abort> {
    let row = instances::by_id(tx, new.id)?.ok_or_else(|| Error::not_found("Instance not found"))?;
    let volume = storage_volumes::of_instance(tx, &row.project, &row.name)?;
    let volume = volume.ok_or_else(|| Error::not_found("Storage volume not found"))?;
    let pool_row = storage_pools::get(tx, pool.name())?.ok_or_else(|| Error::not_found("Storage pool not found"))?;
    let holder = profile_project(tx, &new.project)?;
    instances::relocate(tx, new.id, (&new.project, &new.name), &holder, &new.profiles)?;
    device_rows::INSTANCE.replace(tx, new.id, &new.devices)?;
    storage_volumes::relocate(tx, volume.id, pool_row.id, &new.project, &new.name)?;
    for snapshot in taken {
        if alone {
            snapshots::delete(tx, snapshot.id)?;
        } else {
            snapshots::set_devices(tx, snapshot.id, &on_pool_of(new, &snapshot.devices))?;
        }
    }
    if alone {
        for copy in volume_snapshots::of_volume(tx, volume.id)? {
            volume_snapshots::delete(tx, copy.id)?;
        }
    }
    Ok(())
}

/// Removes what is left at the old place. The instance has moved already, so that failures are only logged.
fn clean_up(
    app: &App,
    old: &Instance,
    (from_pool, from): (&Pool, &Volume),
    (pool, volume): (&Pool, &Volume),
    taken: &[snapshots::Snapshot],
    alone: bool,
) {
    let moved = pool.name() != from_pool.name();
    let (left_pool, left) = if moved { (from_pool, from) } else { (pool, volume) };
    let remove = || -> Result<()> {
        if moved || alone {
            taken.iter().try_for_each(|snapshot| left_pool.delete_snapshot(left, &snapshot.name))?;
        }
        if moved { Ok(left_pool.delete_volume(left)?) } else { Ok(()) }
    };
    if let Err(error) = remove() {
        tracing::warn!(instance = old.name, %error, "Failed to remove what an instance left when it moved");
    }
    let _ = std::fs::remove_dir_all(start::run_dir(app, old));
}

/// Ends or takes back a move that was cut short: the rows say which of the two places is the right one.
///
/// # Errors
/// What cannot be moved or removed.
pub fn recover(app: &App, from: &Key, to: &Move) -> Result<()> {
    let there = (to.project.clone(), to.name.clone());
    let row = |(project, name): &Key| app.view(|view| Ok(storage_volumes::of_instance(view, project, name)?));
    let has_moved = row(&there)?.is_some_and(|row| row.pool == to.pool) && (there == *from || row(from)?.is_none());
    let volume = |(project, name): &Key| Volume::new(Kind::Container, storage_name(Kind::Container, project, name));
    let (old, new) = (volume(from), volume(&there));
    let right = if has_moved { &there } else { from };
    if to.from_pool == to.pool {
        let pool = Pools::get(app, &to.pool)?;
        let (wrong, right) = if has_moved { (&old, &new) } else { (&new, &old) };
        if pool.has_volume(wrong) && !pool.has_volume(right) {
            pool.rename_volume(wrong, &right.name)?.keep();
        }
    } else {
        let (pool, other) = if has_moved { (&to.from_pool, &old) } else { (&to.pool, &new) };
        let pool = Pools::get(app, pool)?;
        for snapshot in pool.snapshots(other)? {
            pool.delete_snapshot(other, &snapshot)?;
        }
        pool.delete_volume(other)?;
    }
    let wrong = if has_moved { from } else { &there };
    if wrong != right {
        links::remove(app, &wrong.0, &wrong.1)?;
    }
    links::set_known(app, &right.0, &right.1)?;
    backup_file::refresh(app, right);
    Ok(())
}

fn tell(app: &App, old: &Instance, new: &Instance, requestor: Option<&EventLifecycleRequestor>) {
    super::tell(app, old, "instance-deleted", requestor);
    let source = corten_api::url::path_in(&new.project, ["instances", &new.name]);
    let pool = new.pool().unwrap_or_default().to_string();
    let context = [("storage-pool", Value::from(pool)), ("type", Value::from("container"))];
    app.lifecycle_with(&new.project, "instance-created", &source, requestor.cloned(), context);
}
