//! `/1.0/storage-pools/NAME/volumes`: what is on a pool.

use crate::app::backups::{import, import_volume, receive};
use crate::app::projects::quota::Quota;
use crate::app::projects::{Scope, allow};
use crate::app::storage::custom::{self, Place};
use crate::app::storage::volumes::{self, Asked, holder, type_code};
use crate::app::storage::{custom_refresh, custom_snapshots, image_volumes, instance_volumes, pools::Pools};
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::{StorageVolume, StorageVolumePost, StorageVolumePut, StorageVolumesPost};
use corten_api::storage_pool_volume_state::{StorageVolumeState, StorageVolumeStateUsage};
use corten_config::name;
use corten_db::table::storage_volumes::{self, CUSTOM, IMAGE};
use corten_storage::volume::{Kind, Volume, storage_name};
use serde_json::{Value, json};

mod migration;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/storage-pools/{name}/volumes").get(list, May::View).post(create, May::Edit).on_member(),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}")
        .get(list_type, May::View)
        .post(create_type, May::Edit)
        .on_member(),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .delete(remove, May::Edit)
        .on_member()
        .post(rename, May::Edit),
    Endpoint::at("/1.0/storage-pools/{name}/volumes/{type}/{volume}/state").get(state, May::View),
];

fn list(call: &Call) -> Result<Reply> {
    list_of(call, None)
}

fn list_type(call: &Call) -> Result<Reply> {
    list_of(call, Some(type_code(call.part("type"))?))
}

fn list_of(call: &Call, kind: Option<i64>) -> Result<Reply> {
    let pool = call.part("name");
    let all = call.all_projects()?;
    let scope = if all { None } else { Some(call.app.scope(call)?) };
    let found = volumes::list(&call.app, &Asked { pool, scope: scope.as_ref(), kind })?;
    recursion::list(call, &found, |volume| {
        let kind = type_code(&volume.r#type).unwrap_or(CUSTOM);
        volumes::path(pool, &volume.project, kind, &volume.name)
    })
}

/// What an update must not overlook, in LXD's order.
fn etag(volume: &StorageVolume) -> Value {
    json!([volume.name, volume.r#type, volume.config])
}

fn wanted(call: &Call) -> Result<(Scope, i64, StorageVolume)> {
    let kind = type_code(call.part("type"))?;
    let scope = call.app.scope(call)?;
    let volume = volumes::find(&call.app, &scope, call.part("name"), kind, call.part("volume"))?;
    Ok((scope, kind, volume))
}

fn place(call: &Call, scope: &Scope, name: &str) -> Place {
    Place { pool: call.part("name").to_string(), project: scope.volumes().to_string(), name: name.to_string() }
}

fn show(call: &Call) -> Result<Reply> {
    let (_, _, volume) = wanted(call)?;
    Ok(Reply::sync(&volume)?.etag(&etag(&volume)))
}

fn create(call: &Call) -> Result<Reply> {
    let body: StorageVolumesPost = call.json()?;
    name::check_volume(&body.name)?;
    if body.r#type.is_empty() {
        return Err(Error::invalid("You must provide a storage volume type of the storage volume"));
    }
    make(call, body)
}

fn create_type(call: &Call) -> Result<Reply> {
    let kind = call.part("type").to_string();
    if call.header("content-type") == "application/octet-stream" {
        return import(call);
    }
    let body: StorageVolumesPost = call.json()?;
    make(call, StorageVolumesPost { r#type: kind, ..body })
}

/// Starts to make a volume of the backup that is the body.
fn import(call: &Call) -> Result<Reply> {
    let app = &call.app;
    let project = app.scope(call)?.volumes().to_string();
    if type_code(call.part("type"))? != CUSTOM {
        return Err(Error::invalid("Currently not allowed to create storage volumes of another type than \"custom\""));
    }
    let quota = Quota::new(app.view(|view| allow::space(view, &project))?);
    let file = receive::receive(app, call.body(), &quota)?;
    let arrived = import::look(app, &project, file, call.part("name"), call.header("x-lxd-name"))?;
    let plan = app.plan(call, "Restoring custom volume backup").cancellable();
    let plan = plan.resources("storage_volumes", [arrived.name.as_str()]);
    let worker = app.clone();
    Reply::accepted(&app.operations.run(plan, move |op| import_volume::import(&worker, &arrived, op))?)
}

fn make(call: &Call, body: StorageVolumesPost) -> Result<Reply> {
    name::check_volume(&body.name)?;
    if body.r#type != "custom" {
        let refused = format!("Currently not allowed to create storage volumes of type {:?}", body.r#type);
        return Err(Error::invalid(refused));
    }
    let scope = call.app.scope(call)?;
    let place = place(call, &scope, &body.name);
    match body.source.r#type.as_str() {
        "" | "copy" => {}
        "migration" => return migration::take_in(call, place, body),
        other => return Err(Error::invalid(format!("Unknown source type {other:?}"))),
    }
    if body.source.name.is_empty() {
        custom::create(&call.app, &place, &body, None)?;
        volumes::tell_created(&call.app, &place, Some(call.lifecycle_requestor()));
        return Ok(Reply::empty());
    }
    let other = if body.source.project.is_empty() { scope.clone() } else { call.app.project(&body.source.project)? };
    let source = Place {
        pool: if body.source.pool.is_empty() { place.pool.clone() } else { body.source.pool.clone() },
        project: other.volumes().to_string(),
        name: body.source.name.clone(),
    };
    let there =
        call.app.view(|view| Ok(storage_volumes::get(view, &place.pool, &place.project, CUSTOM, &place.name)?))?;
    let refreshes = body.source.refresh && there.is_some();
    let (app, requestor) = (call.app.clone(), call.lifecycle_requestor());
    let op = call.app.operations.run(app.plan(call, "Copying storage volume"), move |_| {
        if refreshes {
            return custom_refresh::refresh(&app, &place, &source, body.source.volume_only);
        }
        custom::create(&app, &place, &body, Some(&source))?;
        volumes::tell_created(&app, &place, Some(requestor));
        Ok(())
    })?;
    Reply::accepted(&op)
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let (scope, kind, volume) = wanted(call)?;
    if kind == IMAGE || amend && kind != CUSTOM {
        return Err(Error::invalid(format!("Invalid storage volume type {:?}", volume.r#type)));
    }
    call.check_etag(&etag(&volume))?;
    let body: StorageVolumePut = call.json()?;
    let project = holder(&scope, kind).to_string();
    let place = Place { pool: call.part("name").to_string(), project, name: volume.name.clone() };
    if kind != CUSTOM {
        instance_volumes::update(&call.app, &place, &body.description, &body.config)?;
        tell_of(call, "storage-volume-updated", &place, kind);
        return Ok(Reply::empty());
    }
    if !body.restore.is_empty() {
        custom_snapshots::restore(&call.app, &place, &body.restore)?;
        let path = volumes::path(&place.pool, &place.project, CUSTOM, &place.name);
        let context = [("snapshot", json!(body.restore))];
        let requestor = Some(call.lifecycle_requestor());
        call.app.lifecycle_with(&place.project, "storage-volume-restored", &path, requestor, context);
        // Without keys the request is about the snapshot alone.
        if body.config.is_empty() {
            return Ok(Reply::empty());
        }
    }
    let mut config = if amend { volume.config } else { corten_db::table::Config::new() };
    config.extend(body.config);
    custom::update(&call.app, &place, &body.description, &config)?;
    tell(call, "storage-volume-updated", &place);
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let body: StorageVolumePost = call.json()?;
    name::check_volume(&body.name)?;
    if call.part("type") != "custom" {
        let refused = format!("Renaming storage volumes of type {:?} is not allowed", call.part("type"));
        return Err(Error::invalid(refused));
    }
    let scope = call.app.scope(call)?;
    let old = place(call, &scope, call.part("volume"));
    if body.migration {
        return migration::offer(call, old, &body);
    }
    let pool = if body.pool.is_empty() { old.pool.clone() } else { body.pool.clone() };
    let project = if body.project.is_empty() { scope } else { call.app.project(&body.project)? };
    let new = Place { pool, project: project.volumes().to_string(), name: body.name.clone() };
    if new.pool != old.pool || new.project != old.project {
        return relocate(call, old, new);
    }
    custom::rename(&call.app, &old, &body.name)?;
    let path = volumes::path(&old.pool, &old.project, CUSTOM, &body.name);
    let requestor = Some(call.lifecycle_requestor());
    call.app.lifecycle_with(&old.project, "storage-volume-renamed", &path, requestor, [("old_name", json!(old.name))]);
    Ok(Reply::created(path))
}

/// Moves the volume to another pool or project, in the background.
fn relocate(call: &Call, old: Place, new: Place) -> Result<Reply> {
    if !call.requestor.may_enter(&new.project) {
        return Err(Error::forbidden("not authorized"));
    }
    let app = call.app.clone();
    let op = call.app.operations.run(app.plan(call, "Moving storage volume"), move |op| {
        custom::relocate(&app, &old, &new)?;
        volumes::tell_created(&app, &new, op.requestor());
        let path = volumes::path(&old.pool, &old.project, CUSTOM, &old.name);
        app.lifecycle(&old.project, "storage-volume-deleted", &path, op.requestor());
        Ok(())
    })?;
    Reply::accepted(&op)
}

fn remove(call: &Call) -> Result<Reply> {
    let kind = type_code(call.part("type"))?;
    let (pool, name) = (call.part("name"), call.part("volume"));
    let scope = call.app.scope(call)?;
    match kind {
        CUSTOM => {
            let place = place(call, &scope, name);
            for snapshot in custom::delete(&call.app, &place)? {
                let source = super::storage_volume_snapshots::path(&place, &snapshot);
                let requestor = Some(call.lifecycle_requestor());
                call.app.lifecycle(&place.project, "storage-volume-snapshot-deleted", &source, requestor);
            }
            tell(call, "storage-volume-deleted", &place);
        }
        IMAGE => {
            wanted(call)?;
            image_volumes::delete_from(&call.app, pool, name)?;
        }
        _ => {
            let kind = call.part("type");
            let refused = format!("Storage volumes of type {kind:?} cannot be deleted with the storage API");
            return Err(Error::invalid(refused));
        }
    }
    Ok(Reply::empty())
}

fn state(call: &Call) -> Result<Reply> {
    let (scope, kind, volume) = wanted(call)?;
    if kind == IMAGE {
        return Err(Error::invalid(format!("Invalid storage volume type {:?}", volume.r#type)));
    }
    let pool = Pools::get(&call.app, call.part("name"))?;
    let on_pool = Kind::from_api_name(&volume.r#type).unwrap_or(Kind::Custom);
    let name = storage_name(on_pool, holder(&scope, kind), &volume.name);
    let used = pool.usage(&Volume::new(on_pool, name))?;
    // Where the pool does not count, no figure is better than a wrong one.
    let used = used.ok_or_else(|| Error::internal("Not supported"))?;
    let size = volume.config.get("size").filter(|size| !size.is_empty());
    let total = size.map(|size| corten_instance::size::bytes(size)).transpose()?.unwrap_or_default();
    let usage = StorageVolumeStateUsage { used, total: i64::try_from(total).unwrap_or(i64::MAX) };
    Reply::sync(&StorageVolumeState { usage: Some(usage) })
}

fn tell(call: &Call, action: &str, place: &Place) {
    tell_of(call, action, place, CUSTOM);
}

/// Tells the listeners what happened to a volume of this type; of a new one, also of what type it is.
fn tell_of(call: &Call, action: &str, place: &Place, kind: i64) {
    let path = volumes::path(&place.pool, &place.project, kind, &place.name);
    call.app.lifecycle(&place.project, action, &path, Some(call.lifecycle_requestor()));
}
