//! `lxc storage volume snapshot` and `restore`.

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::{StorageVolume, StorageVolumePut};
use corten_api::storage_pool_volume_snapshot::{StorageVolumeSnapshot, StorageVolumeSnapshotsPost};
use corten_api::time::Time;
use hyper::Method;

use super::{CUSTOM, Named, path, pool};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;
use crate::{entity, run};

/// `snapshot`.
pub static SNAPSHOT: Command = Command {
    name: "snapshot",
    usage: "[<remote>:]<pool> <volume> [<snapshot>]",
    about: "Snapshot storage volumes",
    flags: &[
        Flag::switch("no-expiry", "Ignore any configured auto-expiry for the storage volume"),
        Flag::switch("reuse", "If the snapshot name already exists, delete and create a new one"),
        entity::TARGET,
    ],
    words: (2, Some(3)),
    run: run!(snapshot),
    ..Command::EMPTY
};

/// `restore`.
pub static RESTORE: Command = Command {
    name: "restore",
    usage: "[<remote>:]<pool> <volume> <snapshot>",
    about: "Restore storage volume snapshots",
    flags: &[entity::TARGET],
    words: (3, Some(3)),
    run: run!(restore),
    ..Command::EMPTY
};

async fn snapshot(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    if named.kind != CUSTOM {
        return Err(Error::invalid("Only \"custom\" volumes can be snapshotted"));
    }
    let volume_path = path(&pool.name, CUSTOM, named.name, None);
    let _: StorageVolume = pool.server.get(&volume_path).await?;
    let name = arguments.word(2);
    if arguments.is_set("reuse") && !name.is_empty() {
        let old = path(&pool.name, CUSTOM, named.name, Some(name));
        if pool.server.get::<StorageVolumeSnapshot>(&old).await.is_ok() {
            pool.server.start(Method::DELETE, &old, &(), "").await?.wait().await?;
        }
    }
    let request = StorageVolumeSnapshotsPost {
        name: name.to_owned(),
        expires_at: arguments.is_set("no-expiry").then_some(Time::ZERO),
    };
    pool.server.start(Method::POST, &format!("{volume_path}/snapshots"), &request, "").await?.wait().await?;
    Ok(())
}

async fn restore(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let path = path(&pool.name, CUSTOM, arguments.word(1), None);
    let (_, etag): (StorageVolume, _) = pool.server.get_with_etag(&path).await?;
    let request = StorageVolumePut { restore: arguments.word(2).to_owned(), ..StorageVolumePut::default() };
    pool.server.put(&path, &request, &etag).await
}
