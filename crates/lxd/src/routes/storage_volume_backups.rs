//! `/1.0/storage-pools/POOL/volumes/custom/VOLUME/backups`: archives of a custom volume.

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume_backup::{StoragePoolVolumeBackupPost, StoragePoolVolumeBackupsPost};

use super::backup;
use super::storage_volume_snapshots::place;
use crate::app::backups::create::{self, Wanted};
use crate::app::backups::{Owner, change, check_name, volume};
use crate::app::projects::allow;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups")
        .post(create, May::Edit)
        .on_member()
        .get(list, May::View),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups/{backup}")
        .get(show, May::View)
        .post(rename, May::Edit)
        .delete(remove, May::Edit)
        .on_member(),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups/{backup}/export")
        .get(export, May::View)
        .on_member(),
];

fn owner(call: &Call) -> Result<Owner> {
    let place = place(call)?;
    let row = call.app.view(|view| place.row(view))?;
    Ok(Owner::volume(&call.app, &place, &row))
}

fn list(call: &Call) -> Result<Reply> {
    let owner = owner(call)?;
    let shown: Vec<_> = owner.backups(&call.app)?.iter().map(change::shown_of_volume).collect();
    recursion::list(call, &shown, |one| {
        let (pool, volume) = (call.part("name"), call.part("volume"));
        corten_api::url::path(["storage-pools", pool, "volumes", "custom", volume, "backups", &one.name])
    })
}

fn show(call: &Call) -> Result<Reply> {
    Reply::sync(&change::shown_of_volume(&owner(call)?.backup(&call.app, call.part("backup"))?))
}

fn create(call: &Call) -> Result<Reply> {
    let place = place(call)?;
    allow::backup(&call.app.project(&place.project)?)?;
    let row = call.app.view(|view| place.row(view))?;
    let owner = Owner::volume(&call.app, &place, &row);
    let body: StoragePoolVolumeBackupsPost = call.json()?;
    let name = if body.name.is_empty() { owner.next_name(&call.app)? } else { body.name };
    check_name(&name)?;
    let wanted = Wanted {
        // As in LXD, the project has no say here.
        algorithm: create::algorithm(&call.app, None, &body.compression_algorithm)?,
        expires: body.expires_at,
        without_snapshots: body.volume_only,
        name,
    };
    let plan = call.app.plan(call, "Creating custom volume backup").cancellable();
    let plan = plan.resources("storage_volumes", [owner.name]).resources("backups", [wanted.name.as_str()]);
    let app = call.app.clone();
    let op = call.app.operations.run(plan, move |op| {
        volume::backup(&app, &place, &wanted, op).map_err(|error: Error| error.context("Create volume backup"))
    })?;
    Reply::accepted(&op)
}

fn rename(call: &Call) -> Result<Reply> {
    backup::rename(call, owner(call)?, |body: StoragePoolVolumeBackupPost| body.name)
}

fn remove(call: &Call) -> Result<Reply> {
    backup::remove(call, owner(call)?)
}

fn export(call: &Call) -> Result<Reply> {
    backup::export(call, &owner(call)?)
}
