//! Making a custom volume from a backup.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_db::table::{Config, volume_snapshots};
use corten_storage::fill::{Fill, Part};

use super::adopt::{or_zero, volume_keys};
use super::import::Arrived;
use crate::app::App;
use crate::app::storage::custom::{self, New, Place};
use crate::app::storage::pools::Pools;
use crate::app::storage::volumes;
use crate::rest::operation::Op;

/// Makes the volume with its snapshots.
///
/// # Errors
/// When the backup is none of a custom volume, or what went wrong; nothing of it is left then.
pub fn import(app: &Arc<App>, arrived: &Arrived, op: &Op) -> Result<()> {
    arrived.must_be(app, "custom")?;
    let index = arrived.index();
    let config = index.config.as_ref();
    let volume = config.and_then(|config| config.volume.as_ref());
    let (Some(config), Some(volume)) = (config, volume) else {
        return Err(Error::invalid("Valid volume config not found in index"));
    };
    if config.volume_snapshots.len() != index.snapshots.len() {
        return Err(Error::invalid("Valid volume snapshot config not found in index"));
    }
    if volume.content_type != "filesystem" && !volume.content_type.is_empty() {
        let kind = &volume.content_type;
        return Err(Error::not_implemented(format!("Custom volumes of content type {kind:?} are not there yet")));
    }
    let place = Place { pool: arrived.pool.clone(), project: arrived.project.clone(), name: arrived.name.clone() };
    let pool = Pools::get(app, &place.pool)?;
    let keys = |keys: &Config| volume_keys(&pool, "custom", &place.name, keys);
    let mut snapshots = Vec::new();
    for one in &config.volume_snapshots {
        // As LXD says of some servers, the volume's name may stand before it.
        let name = one.name.rsplit_once('/').map_or(one.name.as_str(), |(_, name)| name);
        corten_config::name::check_volume_snapshot(name)?;
        let expires = or_zero(one.expires_at);
        snapshots.push(volume_snapshots::VolumeSnapshot {
            id: 0,
            volume_id: 0,
            name: name.to_string(),
            description: one.description.clone(),
            expires: (!expires.is_never()).then(|| expires.timestamp()),
            config: keys(&one.config),
        });
    }
    let parts: Vec<Part> = snapshots.iter().map(|one| Part { name: one.name.clone(), shifted: None }).collect();
    let fill = Fill::Backup {
        file: arrived.file(),
        below: "backup/volume",
        shifted: None,
        snapshots: &parts,
        snapshots_below: "backup/volume-snapshots",
    };
    let watch = Watch { cancelled: Some(op.cancel_flag()), progress: None };
    let new = New { description: &volume.description, config: &keys(&volume.config), snapshots: &snapshots };
    custom::make(app, &place, &new, &fill, &watch)
        .map_err(|error| op.or_cancelled(error.context("Create custom volume from backup")))?;
    volumes::tell_created(app, &place, op.requestor());
    Ok(())
}
