//! What a backup of an instance holds.

use std::path::Path;
use std::sync::Arc;

use corten_api::error::Result;
use corten_api::time::Time;
use corten_api::yaml;
use corten_archive::watch::Watch;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;

use super::Owner;
use super::create::{self, Wanted};
use super::index::{self, Index};
use crate::app::App;
use crate::app::archive_file::{Packing, in_words};
use crate::app::instances::claims::Taken;
use crate::app::instances::still::Still;
use crate::app::instances::{backup_file, key, observe, root};
use crate::rest::operation::Op;

/// Makes a backup of an instance, which may run.
///
/// # Errors
/// See [`create::create`].
pub fn backup(app: &Arc<App>, instance: &Instance, wanted: &Wanted, op: &Op) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    let mut config = backup_file::describe(app, instance)?;
    if wanted.without_snapshots {
        config.snapshots.clear();
        config.volume_snapshots.clear();
    }
    let index = Index {
        name: instance.name.clone(),
        backend: pool.driver_name().to_string(),
        pool: pool.name().to_string(),
        snapshots: config.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        optimized: Some(false),
        optimized_header: Some(false),
        r#type: "container".to_string(),
        config: Some(config),
    };
    // What is beside the root comes along, and says what the index says.
    backup_file::write(app, instance)?;
    let owner = Owner::instance(app, instance);
    create::create(app, &owner, wanted, op, |pack| {
        describe(pack, &index)?;
        for name in &index.snapshots {
            content(pack, &pool, &volume.snapshot(name), &format!("backup/snapshots/{name}"))?;
        }
        let still = stand_still(app, instance, &pool, &volume)?;
        let reading = pool.read_volume(&volume, &Watch::default())?;
        drop(still);
        pack.forget_names();
        pack.tree_without(reading.path(), Path::new("backup/container"), pool.private_names()).map_err(in_words)?;
        Ok(reading.end()?)
    })
}

/// Lets a running instance stand still where its content can only be had by a snapshot; nobody changes it meanwhile.
fn stand_still(app: &App, instance: &Instance, pool: &Pool, volume: &Volume) -> Result<Option<impl Sized>> {
    if !pool.needs_passing_snapshot(volume) {
        return Ok(None);
    }
    let key = key(instance);
    let Taken::Go(claim) = app.instances.claims.take(&key, Action::Snapshot, || observe(app, &key))? else {
        return Ok(None);
    };
    Ok(Some((Still::for_copy(app, instance, pool)?, claim)))
}

/// Packs the index.
///
/// # Errors
/// What writing says.
pub fn describe(pack: &mut Packing<'_>, index: &Index) -> Result<()> {
    let text = yaml::to_string(index)?;
    pack.file(Path::new(index::PATH), text.as_bytes(), 0o644, Time::now().unix()).map_err(in_words)
}

/// Packs a volume or snapshot that nobody writes to under the path `to`.
///
/// # Errors
/// What reading or writing says.
pub fn content(pack: &mut Packing<'_>, pool: &Pool, volume: &Volume, to: &str) -> Result<()> {
    let reading = pool.read_volume(volume, &Watch::default())?;
    pack.forget_names();
    pack.tree_without(reading.path(), Path::new(to), pool.private_names()).map_err(in_words)?;
    Ok(reading.end()?)
}
