//! Making an instance from a backup: rows, then the volume with its snapshots, or nothing of it.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_db::table::{instances, profiles};
use corten_host::idmap::IdMap;
use corten_host::undo::Undo;
use corten_instance::instance::{Config, Instance, root_disk};
use corten_instance::lifecycle::admission::{Action, Observed};
use corten_instance::step::{pass, step};
use corten_instance::volatile;
use corten_storage::fill::{Fill, Part};
use serde_json::Value;

use super::adopt::{self, Adopted, knows_pool};
use super::index::{self, Index};
use super::receive::Scratch;
use crate::app::App;
use crate::app::instances::claims::Taken;
use crate::app::instances::find::profile_project;
use crate::app::instances::intent::{self, Intent};
use crate::app::instances::{backup_file, create, root, snapshots};
use crate::app::storage::pools::Pools;
use crate::rest::operation::Op;

/// A backup that has arrived, and what is to become of it.
#[derive(Debug)]
pub struct Arrived {
    file: Scratch,
    index: Index,
    /// The project.
    pub project: String,
    /// The name that the instance or volume gets.
    pub name: String,
    /// The pool that it goes to.
    pub pool: String,
}

/// Looks at a backup. `pool` and `name` stand for those that it has itself, unless they are empty.
///
/// # Errors
/// 400 for what is no backup that can be used here, or when there is no pool for it.
pub fn look(app: &App, project: &str, file: Scratch, pool: &str, name: &str) -> Result<Arrived> {
    let index = index::read(file.path())?;
    let name = if name.is_empty() { index.name.clone() } else { name.to_string() };
    let wanted = if pool.is_empty() { &index.pool } else { pool };
    let pool = if knows_pool(app, wanted)? {
        wanted.to_string()
    } else if index.optimized == Some(true) || !pool.is_empty() {
        return Err(Error::internal("Storage pool not found: Storage pool not found"));
    } else {
        default_pool(app, project)?
    };
    Ok(Arrived { file, index, project: project.to_string(), name, pool })
}

/// The pool of the default profile's root disk.
fn default_pool(app: &App, project: &str) -> Result<String> {
    let devices = app.view(|view| {
        let holder = profile_project(view, project)?;
        let profile = profiles::named(view, &holder, &["default".to_string()])?.pop();
        Ok(profile.ok_or_else(|| Error::internal("Failed to get default profile: Profile not found"))?.devices)
    })?;
    let missing = || Error::internal("Failed to get root disk device: No root device could be found");
    let (_, disk) = root_disk(&devices).ok_or_else(missing)?;
    Ok(disk.get("pool").cloned().unwrap_or_default())
}

impl Arrived {
    /// Refuses what is of another kind than `kind`, or in another driver's own format.
    ///
    /// # Errors
    /// In LXD's words where it has some.
    pub fn must_be(&self, app: &App, kind: &str) -> Result<()> {
        if self.index.r#type != kind {
            let is = &self.index.r#type;
            return Err(Error::invalid(format!("The backup is one of type {is:?}, and must be one of type {kind:?}")));
        }
        if self.index.optimized == Some(true) {
            let (from, to) = (&self.index.backend, Pools::get(app, &self.pool)?.driver_name());
            return Err(Error::internal(format!(
                "Optimized backup storage driver {from:?} differs from the target storage pool driver {to:?}"
            )));
        }
        Ok(())
    }

    /// What it says of itself.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where it is.
    pub fn file(&self) -> &std::path::Path {
        self.file.path()
    }
}

/// Makes the instance.
///
/// # Errors
/// When it cannot be here, or what went wrong; nothing of it is left then.
pub fn import(app: &Arc<App>, arrived: &Arrived, op: &Op) -> Result<()> {
    arrived.must_be(app, "container")?;
    let key = (arrived.project.clone(), arrived.name.clone());
    let Taken::Go(claim) = app.instances.claims.take(&key, Action::Create, || Ok(Observed::Stopped))? else {
        return Ok(());
    };
    claim.end(make(app, arrived, op))
}

fn make(app: &Arc<App>, arrived: &Arrived, op: &Op) -> Result<()> {
    let importing = |error: Error| error.context("Failed importing backup");
    let index = &arrived.index;
    let config = index.config.as_ref();
    let config = config.ok_or_else(|| importing(Error::invalid("No instance configuration found in backup file.")))?;
    let pool = Pools::get(app, &arrived.pool)?;
    let is_there = |name: &str| index.snapshots.iter().any(|snapshot| snapshot == name);
    let planned = adopt::plan(app, (&arrived.project, &arrived.name), &pool, config, is_there);
    let mut planned = planned.map_err(importing)?;
    let (shifted, parts) = unshifted(&mut planned)?;
    let mut undo = Undo::default();
    let key = (arrived.project.clone(), arrived.name.clone());
    // An older instance may have the very mark by which the next daemon would know what to take back.
    if app.view(|view| Ok(instances::id(view, &key.0, &key.1)?))?.is_some() {
        let words = "Failed importing backup: Add instance info to the database: This instance already exists";
        return Err(Error::conflict(words));
    }
    let mark = planned.instance.volatile(volatile::UUID).to_string();
    intent::note(app, &key, &Intent::Create(mark), &mut undo)?;
    let instance = step(
        &mut undo,
        "remember the instance",
        || remember(app, &planned).map_err(importing),
        |instance: &Instance| {
            let (app, instance) = (app.clone(), instance.clone());
            move || create::forget(&app, &instance)
        },
    )?;
    let (pool, volume) = root::volume(app, &instance)?;
    pass("make the volume")?;
    let watch = Watch { cancelled: Some(op.cancel_flag()), progress: None };
    let fill = Fill::Backup {
        file: arrived.file.path(),
        below: "backup/container",
        shifted: shifted.as_ref(),
        snapshots: &parts,
        snapshots_below: "backup/snapshots",
    };
    let made = pool.create_volume(&volume, &fill, &watch);
    let made = made.map_err(|error| Error::from(error).context("Create instance from backup"));
    undo.absorb(made.map_err(|error| op.or_cancelled(error))?);
    let size =
        instance.root_disk().and_then(|(_, disk)| disk.get("size")).map(|size| corten_instance::size::bytes(size));
    if let Some(size) = size.transpose()? {
        pool.set_quota(&volume, Some(size))?;
    }
    show(app, &instance, &mut undo)?;
    undo.keep();
    intent::done(app, &key)?;
    let names: Vec<&str> = planned.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    tell(app, &instance, &names, op);
    Ok(())
}

/// What the files of instance and snapshots are shifted by, which they are not any more once they are unpacked.
fn unshifted(planned: &mut Adopted) -> Result<(Option<IdMap>, Vec<Part>)> {
    let instance = &mut planned.instance;
    let shifted = take_map(&mut instance.config)?;
    take_map(&mut instance.expanded_config)?;
    let parts = planned
        .snapshots
        .iter_mut()
        .map(|snapshot| Ok(Part { name: snapshot.name.clone(), shifted: take_map(&mut snapshot.config)? }));
    let parts = parts.collect::<Result<_>>()?;
    Ok((shifted, parts))
}

fn take_map(config: &mut Config) -> Result<Option<IdMap>> {
    let Some(text) = config.insert(volatile::IDMAP_ON_DISK.to_string(), "[]".to_string()) else { return Ok(None) };
    let map = IdMap::from_json(if text.is_empty() { "[]" } else { &text });
    let map = map.map_err(|error| Error::invalid(format!("Invalid {}: {error}", volatile::IDMAP_ON_DISK)))?;
    Ok((!map.is_empty()).then_some(map))
}

fn remember(app: &App, planned: &Adopted) -> Result<Instance> {
    let id = app.write(|tx| adopt::insert(tx, planned))?;
    Ok(Instance { id, ..planned.instance.clone() })
}

/// Links and describes an instance whose volume is there.
///
/// # Errors
/// What the kernel says.
pub fn show(app: &Arc<App>, instance: &Instance, undo: &mut Undo) -> Result<()> {
    create::link(app, instance, undo)?;
    pass("describe the instance")?;
    backup_file::write(app, instance)
}

/// Tells the listeners that the instance is there, with these snapshots.
fn tell(app: &App, instance: &Instance, snapshots: &[&str], op: &Op) {
    let source = corten_api::url::path_in(&instance.project, ["instances", &instance.name]);
    let pool = instance.pool().unwrap_or_default().to_string();
    let context = [("storage-pool", Value::from(pool)), ("type", Value::from("container"))];
    app.lifecycle_with(&instance.project, "instance-created", &source, op.requestor(), context);
    for snapshot in snapshots {
        snapshots::tell(app, instance, snapshot, "instance-snapshot-created", op.requestor().as_ref());
    }
}
