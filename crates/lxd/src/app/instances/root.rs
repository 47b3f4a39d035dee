//! The root volume of an instance: which it is, opened for a start, shifted when the file system cannot map ids.

use corten_api::error::{Error, Result};
use corten_db::table::storage_volumes;
use corten_host::idmap::IdMap;
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::step::step;
use corten_runtime::spec;
use corten_storage::driver::Root;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume, storage_name};

use super::shift;
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
    let source = match root {
        Root::Tree(path) => spec::Source::Tree { path },
        Root::Overlay { lower, upper, work } => spec::Source::Overlay { lower, upper, work },
    };
    // Files carry the container's own ids unless an earlier start had to give them the host's.
    let on_disk = shift::on_disk(instance)?;
    let mut shifted = !on_disk.is_empty() && on_disk.same_as(map);
    // Layers that others share stay as they are.
    if shift::is_wanted() && !shifted && !map.is_empty() && matches!(source, spec::Source::Tree { .. }) {
        shift::change(app, instance, &source, &on_disk, map)?;
        shifted = true;
    } else if !on_disk.is_empty() && !shifted {
        shift::change(app, instance, &source, &on_disk, &IdMap::default())?;
    }
    Ok(spec::Root { source, idmapped: !map.is_empty() && !shifted, readonly: false })
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
