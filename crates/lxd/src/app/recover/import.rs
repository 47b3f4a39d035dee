//! Remembering what was found on pools. The volumes themselves are not touched, but for the description of each instance.

use std::sync::Arc;

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result};
use corten_db::table::{State, storage_pools, storage_volumes, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::step::step;
use corten_storage::pool::Pool;

use super::scan::Found;
use crate::app::App;
use crate::app::backups::adopt;
use crate::app::backups::import::show;
use crate::app::check::stored;
use crate::app::instances::{self, create, root};
use crate::app::projects::scope_in;

/// Remembers everything that was found, or nothing of it.
///
/// # Errors
/// In LXD's words.
pub fn import(app: &Arc<App>, found: &mut [Found]) -> Result<()> {
    let mut undo = Undo::default();
    for one in found.iter().filter(|one| !one.known) {
        remember_pool(app, one, &mut undo)?;
    }
    // Volumes first: instances may have them as disks.
    for one in found.iter() {
        for (project, config) in one.unknown.iter().filter(|(_, config)| config.container.is_none()) {
            remember_volume(app, &one.pool, project, config, &mut undo)?;
        }
    }
    let mut made = Vec::new();
    for one in found.iter() {
        for (project, config) in one.unknown.iter().filter(|(_, config)| config.container.is_some()) {
            made.push(remember_instance(app, &one.pool, project, config, &mut undo)?);
        }
    }
    undo.keep();
    for one in found {
        one.known = true;
    }
    for instance in made {
        // It may have run on all the time.
        if let Err(error) = instances::adopt::adopt_one(app, &instance) {
            tracing::error!(instance = instance.name, %error, "Failed to take up an instance");
        }
    }
    Ok(())
}

/// Writes the row of a pool, as an instance on it describes it, else as the client does.
fn remember_pool(app: &Arc<App>, found: &Found, undo: &mut Undo) -> Result<()> {
    let described = found.unknown.iter().find_map(|(_, config)| config.pool.clone());
    let (description, config) = match described {
        Some(pool) => (pool.description, pool.config),
        None => (String::new(), stored(&found.post.config)),
    };
    let (name, driver) = (found.pool.name(), found.pool.driver_name());
    step(
        undo,
        "remember the pool",
        || {
            let made = app.write(|tx| {
                let id = storage_pools::insert(tx, name, driver, &description, State::Created, &config)?;
                Ok(storage_pools::set_state(tx, id, State::Created).map(|()| id)?)
            });
            made.map_err(|error| error.context(format!("Failed creating storage pool {name:?} database entry")))
        },
        |id| {
            let (app, id, name) = (app.clone(), *id, name.to_string());
            move || {
                app.pools.remove(&name);
                app.take_away(|tx| Ok(storage_pools::delete(tx, id)?))
            }
        },
    )?;
    let opened = Pool::open(driver, name, &app.dirs.var, config)?;
    app.pools.add(opened);
    Ok(())
}

fn remember_volume(app: &Arc<App>, pool: &Pool, project: &str, config: &BackupConfig, undo: &mut Undo) -> Result<()> {
    let Some(volume) = &config.volume else { return Ok(()) };
    let insert = || {
        app.write(|tx| {
            let holder = scope_in(tx, project)?.volumes().to_string();
            let row = storage_pools::get(tx, pool.name())?;
            let row = row.ok_or_else(|| Error::not_found("Storage pool not found"))?;
            let new = storage_volumes::Volume {
                id: 0,
                pool_id: row.id,
                pool: row.name,
                project: holder,
                name: volume.name.clone(),
                kind: storage_volumes::CUSTOM,
                content: 0,
                description: String::new(),
                config: volume.config.clone(),
            };
            let id = storage_volumes::insert(tx, &new)?;
            for one in &config.volume_snapshots {
                volume_snapshots::insert(tx, id, &one.name, "", None, &one.config)?;
            }
            Ok(id)
        })
        .map_err(|error| {
            error.context(format!("Failed importing custom volume {:?} in project {project:?}", volume.name))
        })
    };
    step(undo, "remember the volume", insert, |id| {
        let (app, id) = (app.clone(), *id);
        move || app.take_away(|tx| Ok(storage_volumes::delete(tx, id)?))
    })
    .map(drop)
}

fn remember_instance(
    app: &Arc<App>,
    pool: &Pool,
    project: &str,
    config: &BackupConfig,
    undo: &mut Undo,
) -> Result<Instance> {
    let name = config.container.as_ref().map(|instance| instance.name.clone()).unwrap_or_default();
    let failed =
        |error: Error| error.context(format!("Failed creating instance {name:?} record in project {project:?}"));
    let planned = adopt::plan(app, (project, &name), pool, config, |_| true).map_err(failed)?;
    let instance = step(
        undo,
        "remember the instance",
        || {
            let id = app.write(|tx| adopt::insert(tx, &planned)).map_err(failed)?;
            Ok(Instance { id, ..planned.instance.clone() })
        },
        |instance: &Instance| {
            let (app, instance) = (app.clone(), instance.clone());
            move || create::forget(&app, &instance)
        },
    )?;
    show(app, &instance, undo)?;
    let size = instance.root_disk().and_then(|(_, disk)| disk.get("size")).filter(|size| !size.is_empty());
    if let Some(size) = size {
        let (pool, volume) = root::volume(app, &instance)?;
        pool.set_quota(&volume, Some(corten_instance::size::bytes(size)?))?;
    }
    Ok(instance)
}
