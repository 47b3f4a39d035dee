//! What a backup of a custom volume holds.

use corten_api::backup_config::BackupConfig;
use corten_api::error::Result;
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::time::Time;
use corten_db::table::volume_snapshots;

use super::Owner;
use super::create::{self, Wanted};
use super::index::Index;
use super::instance::{content, describe};
use crate::app::App;
use crate::app::storage::custom::Place;
use crate::app::storage::pools::Pools;
use crate::app::storage::{custom_snapshots, volumes};
use crate::rest::operation::Op;

/// Makes a backup of a custom volume.
///
/// # Errors
/// See [`create::create`].
pub fn backup(app: &App, place: &Place, wanted: &Wanted, op: &Op) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let (row, snapshots) = app.view(|view| {
        let row = place.row(view)?;
        let snapshots = volume_snapshots::of_volume(view, row.id)?;
        Ok((row, snapshots))
    })?;
    let owner = Owner::volume(app, place, &row);
    let volume = place.volume(&row.config);
    let snapshots = if wanted.without_snapshots { Vec::new() } else { snapshots };
    let named = |one: volume_snapshots::VolumeSnapshot| {
        let name = one.name.clone();
        let shown = custom_snapshots::shown(&row, one);
        StorageVolumeSnapshot { name, expires_at: shown.expires_at.or(Some(Time::ZERO)), ..shown }
    };
    let index = Index {
        name: place.name.clone(),
        backend: pool.driver_name().to_string(),
        pool: pool.name().to_string(),
        snapshots: snapshots.iter().map(|one| one.name.clone()).collect(),
        optimized: Some(false),
        optimized_header: Some(false),
        r#type: "custom".to_string(),
        config: Some(BackupConfig {
            volume_snapshots: snapshots.into_iter().map(named).collect(),
            volume: Some(volumes::shown(row.clone(), Vec::new())),
            ..BackupConfig::default()
        }),
    };
    create::create(app, &owner, wanted, op, |pack| {
        describe(pack, &index)?;
        for name in &index.snapshots {
            content(pack, &pool, &volume.snapshot(name), &format!("backup/volume-snapshots/{name}"))?;
        }
        content(pack, &pool, &volume, "backup/volume")
    })
}
