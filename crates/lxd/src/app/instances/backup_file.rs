//! `backup.yaml` beside an instance's root: all that is remembered of it, so that a pool alone is enough to take it up
//! again.

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result, chain};
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::time::Time;
use corten_api::yaml;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{profiles, storage_volumes, volume_snapshots};
use corten_instance::instance::Instance;
use corten_storage::driver::View as Reach;

use super::claims::Key;
use super::find::profile_project;
use super::{Instances, root, snapshots, status, view};
use crate::app::App;
use crate::app::storage::{change, custom_snapshots, volumes};

/// The file's name in the volume.
pub const NAME: &str = "backup.yaml";

/// What is written for an instance, snapshots included.
///
/// # Errors
/// When its volume is not known, or has not the snapshots that the instance has.
pub fn describe(app: &App, instance: &Instance) -> Result<BackupConfig> {
    let shown = view::show(instance, status(app, instance));
    let taken = snapshots::of(app, instance)?;
    let mut config = app.view(|view| stored(view, instance))?;
    if taken.len() != config.volume_snapshots.len() {
        return Err(Error::internal(
            "Instance snapshot record count doesn't match instance snapshot volume record count",
        ));
    }
    let unknown = |one: &&StorageVolumeSnapshot| !taken.iter().any(|snapshot| snapshot.name == one.name);
    if let Some(one) = config.volume_snapshots.iter().find(unknown) {
        return Err(Error::internal(format!("Instance snapshot record missing for {:?}", one.name)));
    }
    config.container = Some(shown);
    config.snapshots = taken;
    Ok(config)
}

/// The part that is read in one go: pool, profiles and volume.
fn stored(view: &View<'_>, instance: &Instance) -> Result<BackupConfig, Abort> {
    let missing = || Error::internal(format!("The instance {:?} has no storage volume", instance.name));
    let volume = storage_volumes::of_instance(view, &instance.project, &instance.name)?.ok_or_else(missing)?;
    let pool = change::row(view, &volume.pool)?;
    let holder = profile_project(view, &instance.project)?;
    let rows = profiles::list(view, Some(&holder))?;
    let taken = volume_snapshots::of_volume(view, volume.id)?;
    let named = |row: volume_snapshots::VolumeSnapshot| {
        let name = row.name.clone();
        let shown = custom_snapshots::shown(&volume, row);
        StorageVolumeSnapshot { name, expires_at: shown.expires_at.or(Some(Time::ZERO)), ..shown }
    };
    Ok(BackupConfig {
        volume_snapshots: taken.into_iter().map(named).collect(),
        pool: Some(crate::app::storage::view::stored(pool)),
        profiles: rows.into_iter().map(|row| crate::app::profiles::shown(row, Vec::new())).collect(),
        volume: Some(volumes::shown(volume, Vec::new())),
        ..BackupConfig::default()
    })
}

/// Writes the file of an instance, whole or not at all.
///
/// # Errors
/// Those of [`describe`], or why it cannot be written; the old file stays then.
pub fn write(app: &App, instance: &Instance) -> Result<()> {
    let text = yaml::to_string(&describe(app, instance)?)?;
    let (pool, volume) = root::volume(app, instance)?;
    let mounted = pool.mount_volume(&volume, Reach::Files)?;
    let path = mounted.path().join(NAME);
    // All of it is in the database, whose own commit is waited for; the next change writes it again.
    corten_host::file::replace_in_time(path, text, 0o400)
        .map_err(|error| Error::internal(format!("Failed to create file: {}", chain(&error))))?;
    Ok(mounted.release()?)
}

/// Brings the file up to date after a change that is done already. On a full disk the old one stays; what is
/// remembered is in the database, and the next change tries again.
pub fn refresh(app: &App, key: &Key) {
    let written = Instances::find(app, &key.0, &key.1).and_then(|instance| write(app, &instance));
    if let Err(error) = written {
        tracing::warn!(project = key.0, instance = key.1, %error, "Failed to update the backup file of an instance");
    }
}
