//! `/1.0/storage-pools/NAME/volumes/TYPE/VOLUME/snapshots`: what volumes were at some time.

use crate::app::storage::custom::Place;
use crate::app::storage::custom_snapshots as snapshots;
use crate::app::storage::instance_volumes;
use crate::app::storage::volumes::{self, holder, type_code};
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::json;
use corten_api::storage_pool_volume_snapshot::{
    StorageVolumeSnapshot, StorageVolumeSnapshotPost, StorageVolumeSnapshotPut, StorageVolumeSnapshotsPost,
};
use corten_api::time::Time;
use corten_api::url;
use corten_db::table::storage_volumes::{CUSTOM, IMAGE};
use corten_db::table::volume_snapshots;
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/snapshots")
        .post(create, May::Edit)
        .on_member()
        .get(list, May::View),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/snapshots/{snapshot}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .post(rename, May::Edit)
        .delete(remove, May::Edit)
        .on_member(),
];

/// The number of a type that has snapshots.
fn kind(call: &Call) -> Result<i64> {
    let name = call.part("type");
    match type_code(name)? {
        IMAGE => Err(Error::invalid(format!("Invalid storage volume type {name:?}"))),
        kind => Ok(kind),
    }
}

/// The custom volume that is to be changed.
///
/// # Errors
/// 404, or 400 when it is of another type.
pub fn place(call: &Call) -> Result<Place> {
    let name = call.part("type");
    if type_code(name)? != CUSTOM {
        return Err(Error::invalid(format!("Invalid storage volume type {name:?}")));
    }
    let project = call.app.scope(call)?.volumes().to_string();
    Ok(Place { pool: call.part("name").to_string(), project, name: call.part("volume").to_string() })
}

/// All snapshots of the volume, oldest first.
fn all(call: &Call) -> Result<Vec<StorageVolumeSnapshot>> {
    let (kind, scope) = (kind(call)?, call.app.scope(call)?);
    call.app.view(|view| {
        let volume = volumes::row(view, call.part("name"), holder(&scope, kind), kind, call.part("volume"))?;
        let rows = volume_snapshots::of_volume(view, volume.id)?;
        Ok(rows.into_iter().map(|row| snapshots::shown(&volume, row)).collect())
    })
}

fn list(call: &Call) -> Result<Reply> {
    let (pool, kind) = (call.part("name"), call.part("type"));
    recursion::list(call, &all(call)?, |snapshot| {
        let (volume, name) = snapshot.name.split_once('/').unwrap_or((&snapshot.name, ""));
        url::path(["storage-pools", pool, "volumes", kind, volume, "snapshots", name])
    })
}

fn find(call: &Call) -> Result<StorageVolumeSnapshot> {
    let wanted = format!("{}/{}", call.part("volume"), call.part("snapshot"));
    let found = all(call)?.into_iter().find(|snapshot| snapshot.name == wanted);
    found.ok_or_else(|| Error::not_found("Storage pool volume not found"))
}

/// What an update must not overlook, in LXD's order.
fn etag(snapshot: &StorageVolumeSnapshot) -> Value {
    json!([snapshot.description, snapshot.expires_at.unwrap_or(Time::ZERO)])
}

fn show(call: &Call) -> Result<Reply> {
    let found = find(call)?;
    // Here, and only here, never is a time.
    let expires_at = found.expires_at.or(Some(Time::ZERO));
    let shown = StorageVolumeSnapshot { name: call.part("snapshot").to_string(), expires_at, ..found.clone() };
    Ok(Reply::sync(&shown)?.etag(&etag(&found)))
}

fn create(call: &Call) -> Result<Reply> {
    let body: StorageVolumeSnapshotsPost = call.json()?;
    let place = place(call)?;
    let name = snapshots::plan(&call.app, &place, &body.name)?;
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let plan = app.plan(call, "Creating storage volume snapshot").resources("storage_volumes", [place.name.as_str()]);
    let op = call.app.operations.run(plan, move |_| {
        snapshots::create(&app, &place, &name, body.expires_at)?;
        let (source, context) = (path(&place, &name), [("type", json!("custom"))]);
        app.lifecycle_with(&place.project, "storage-volume-snapshot-created", &source, Some(requestor), context);
        Ok(())
    })?;
    Reply::accepted(&op)
}

fn rename(call: &Call) -> Result<Reply> {
    let body: StorageVolumeSnapshotPost = call.json()?;
    if body.name.is_empty() {
        return Err(Error::invalid("No name provided"));
    }
    let (place, old) = (place(call)?, call.part("snapshot").to_string());
    find(call)?;
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let plan = app.plan(call, "Renaming storage volume snapshot");
    let plan = plan.resources("storage_volume_snapshots", [place.name.as_str()]);
    let op = call.app.operations.run(plan, move |_| {
        snapshots::rename(&app, &place, &old, &body.name)?;
        let context = [("old_name", json!(format!("{}/{old}", place.name)))];
        let source = path(&place, &body.name);
        app.lifecycle_with(&place.project, "storage-volume-snapshot-renamed", &source, Some(requestor), context);
        Ok(())
    })?;
    Reply::accepted(&op)
}

fn replace(call: &Call) -> Result<Reply> {
    let old = find(call)?;
    call.check_etag(&etag(&old))?;
    let body: StorageVolumeSnapshotPut = call.json()?;
    if kind(call)? == CUSTOM {
        return save(call, &place(call)?, &body);
    }
    let project = call.app.scope(call)?.name().to_string();
    let place = Place { pool: call.part("name").to_string(), project, name: call.part("volume").to_string() };
    instance_volumes::describe_snapshot(&call.app, &place, call.part("snapshot"), &body.description)?;
    Ok(Reply::empty())
}

fn amend(call: &Call) -> Result<Reply> {
    let (place, old) = (place(call)?, find(call)?);
    call.check_etag(&etag(&old))?;
    let mut whole = json!({"description": old.description, "expires_at": old.expires_at});
    for (key, value) in call.json_object()? {
        whole[key] = value;
    }
    let body: StorageVolumeSnapshotPut =
        json::from_value(whole).map_err(|error| Error::invalid(format!("Invalid request body: {error}")))?;
    save(call, &place, &body)
}

fn save(call: &Call, place: &Place, body: &StorageVolumeSnapshotPut) -> Result<Reply> {
    let name = call.part("snapshot");
    snapshots::update(&call.app, place, name, &body.description, body.expires_at)?;
    let requestor = Some(call.lifecycle_requestor());
    call.app.lifecycle(&place.project, "storage-volume-snapshot-updated", &path(place, name), requestor);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let (place, name) = (place(call)?, call.part("snapshot").to_string());
    find(call)?;
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let plan = app.plan(call, "Deleting storage volume snapshot");
    let plan = plan.resources("storage_volume_snapshots", [place.name.as_str()]);
    let op = call.app.operations.run(plan, move |_| {
        snapshots::delete(&app, &place, &name)?;
        app.lifecycle(&place.project, "storage-volume-snapshot-deleted", &path(&place, &name), Some(requestor));
        Ok(())
    })?;
    Reply::accepted(&op)
}

/// The path of a snapshot in the API.
pub fn path(place: &Place, name: &str) -> String {
    volumes::path(&place.pool, &place.project, CUSTOM, &format!("{}/{name}", place.name))
}
