//! Volumes of instances: what of them can be changed by itself. All else follows the instance.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_config::entity::{self, Entity};
use corten_config::storage;
use corten_db::table::storage_volumes::CONTAINER;
use corten_db::table::{Config, storage_volumes, volume_snapshots};

use super::custom::Place;
use super::pools::Pools;
use super::volumes::row;
use super::{custom_snapshots, volumes};
use crate::app::App;
use crate::app::check::stored;
use crate::app::instances::backup_file;

/// What the instance's root disk decides, and its volume only shows.
const FIXED: [&str; 3] = ["size", "size.state", "block.filesystem"];

/// Replaces description and keys of the volume of the instance `place.name`.
///
/// # Errors
/// 404, 400 for keys that it cannot have, or in LXD's words for those that are not changed here.
pub fn update(app: &Arc<App>, place: &Place, description: &str, config: &Config) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let config = stored(config);
    let facts = storage::Volume {
        driver: pool.driver_name(),
        kind: volumes::type_name(CONTAINER),
        content: "filesystem",
        name: &place.name,
    };
    entity::check(Entity::Volume(&facts), &config)?;
    app.write(|tx| {
        let volume = row(tx, &place.pool, &place.project, CONTAINER, &place.name)?;
        if let Some(key) = FIXED.iter().find(|key| volume.config.get(**key) != config.get(**key)) {
            return Err(Error::internal(format!("Instance volume {key:?} property cannot be changed")).into());
        }
        Ok(storage_volumes::update(tx, volume.id, description, &config)?)
    })?;
    backup_file::refresh(app, &(place.project.clone(), place.name.clone()));
    Ok(())
}

/// Replaces the description of the volume's snapshot `name`.
///
/// # Errors
/// 404.
pub fn describe_snapshot(app: &Arc<App>, place: &Place, name: &str, description: &str) -> Result<()> {
    app.write(|tx| {
        let volume = row(tx, &place.pool, &place.project, CONTAINER, &place.name)?;
        let snapshot = custom_snapshots::row(tx, volume.id, name)?;
        Ok(volume_snapshots::update(tx, snapshot.id, description, snapshot.expires, &snapshot.config)?)
    })?;
    backup_file::refresh(app, &(place.project.clone(), place.name.clone()));
    Ok(())
}
