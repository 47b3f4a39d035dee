//! The root volume of an instance: which it is, opened for a start, shifted when the file system cannot map ids.

use std::path::Path;

use corten_api::error::{Context, Error, Result, chain};
use corten_db::table::storage_volumes;
use corten_host::idmap::IdMap;
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::step::step;
use corten_instance::volatile;
use corten_runtime::spec;
use corten_storage::driver::Root;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume, storage_name};

use crate::app::App;
use crate::app::storage::pools::Pools;

/// The pool and the volume of an instance.
///
/// # Errors
/// When the instance has none.
pub fn volume(app: &App, instance: &Instance) -> Result<(Pool, Volume)> {
    let row = app.view(|view| Ok(storage_volumes::of_instance(view, &instance.project, &instance.name)?))?;
    let row = row.ok_or_else(|| Error::internal(format!("The instance {:?} has no storage volume", instance.name)))?;
    let pool = Pools::get(app, &row.pool)?;
    let mut volume = Volume::new(Kind::Container, storage_name(Kind::Container, &instance.project, &instance.name));
    volume.config = row.config;
    volume.id = u32::try_from(row.id).ok();
    Ok((pool, volume))
}

/// Opens the root for a start with this id map.
///
/// # Errors
/// When the volume cannot be had, or its files cannot be given the container's ids.
pub fn open(app: &App, instance: &Instance, map: &IdMap, undo: &mut Undo) -> Result<spec::Root> {
    let (pool, volume) = volume(app, instance)?;
    let owner = map.root_uid().unwrap_or(0);
    pool.set_owner(&volume, owner)?;
    let root = step(
        undo,
        "open the root volume",
        || Ok(pool.root(&volume)?),
        |_| {
            let (pool, volume) = (pool.clone(), volume.clone());
            move || {
                pool.release_root(&volume);
                Ok(())
            }
        },
    )?;
    let on_disk = IdMap::from_json(or_empty(instance.volatile(volatile::IDMAP_ON_DISK)))
        .map_err(|error| Error::internal(chain(&error)))?;
    let source = match root {
        Root::Tree(path) => spec::Source::Tree { path },
        Root::Overlay { lower, upper, work } => spec::Source::Overlay { lower, upper, work },
    };
    if !on_disk.is_empty() && !on_disk.same_as(map) {
        unshift(&source, &on_disk)?;
    }
    // Files carry the container's ids unless an earlier start had to shift them by just this map.
    let shifted = !on_disk.is_empty() && on_disk.same_as(map);
    Ok(spec::Root { source, idmapped: !map.is_empty() && !shifted, readonly: false })
}

/// Gives the files of a tree the container's own ids again.
fn unshift(source: &spec::Source, on_disk: &IdMap) -> Result<()> {
    let spec::Source::Tree { path } = source else { return Ok(()) };
    shift(path, &on_disk.reversed())
}

fn shift(path: &Path, map: &IdMap) -> Result<()> {
    corten_host::idmap::shift::tree(path, map).map(drop).context("Failed to shift the file system of the instance")
}

fn or_empty(text: &str) -> &str {
    if text.is_empty() { "[]" } else { text }
}

/// The instance has stopped: its root is not in use any more.
///
/// # Errors
/// When the volume is not known.
pub fn release(app: &App, instance: &Instance) -> Result<()> {
    let (pool, volume) = volume(app, instance)?;
    pool.release_root(&volume);
    Ok(())
}
