//! `/1.0/storage-pools`: where volumes are.

use crate::app::storage::{change, create, view};
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::storage_pool::{StoragePool, StoragePoolPut, StoragePoolsPost};
use corten_api::url::{self, DEFAULT_PROJECT};
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/storage-pools").get(list, May::Trusted).post(make, May::Admin),
    Endpoint::at("/1.0/storage-pools/{name}")
        .get(show, May::Trusted)
        .put(replace, May::Admin)
        .patch(amend, May::Admin)
        .on_member()
        .delete(remove, May::Admin),
    Endpoint::at("/1.0/storage-pools/{name}/resources").get(resources, May::Trusted).on_member(),
];

/// Keys may hold secrets, users of other projects are nobody's business.
fn seen(call: &Call, mut pool: StoragePool) -> StoragePool {
    if !call.requestor.is_admin() {
        pool.config.clear();
    }
    call.requestor.keep_visible(&mut pool.used_by);
    pool
}

/// What an update must not overlook. LXD means to send it and does not: it hashes two functions in place of what they give.
fn etag(pool: &StoragePool) -> Value {
    json!([pool.name, pool.driver, pool.config])
}

fn list(call: &Call) -> Result<Reply> {
    let pools: Vec<StoragePool> = view::list(&call.app)?.into_iter().map(|pool| seen(call, pool)).collect();
    recursion::list(call, &pools, |pool| url::path(["storage-pools", &pool.name]))
}

fn show(call: &Call) -> Result<Reply> {
    let pool = view::find(&call.app, call.part("name"))?;
    let tag = etag(&pool);
    Ok(Reply::sync(&seen(call, pool))?.etag(&tag))
}

fn make(call: &Call) -> Result<Reply> {
    let body: StoragePoolsPost = call.json()?;
    create::check_given(&body)?;
    create::create(&call.app, &body).map_err(Error::as_failure)?;
    Ok(Reply::created(tell(call, "storage-pool-created", &body.name)))
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let name = call.part("name");
    call.check_etag(&etag(&view::find(&call.app, name)?))?;
    let body: StoragePoolPut = call.json()?;
    change::update(&call.app, name, &body, amend)?;
    tell(call, "storage-pool-updated", name);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let name = call.part("name");
    change::delete(&call.app, name)?;
    tell(call, "storage-pool-deleted", name);
    Ok(Reply::empty())
}

fn resources(call: &Call) -> Result<Reply> {
    let found = view::resources(&call.app, call.part("name")).map_err(|error| Error::internal(error.message))?;
    Reply::sync(&found)
}

fn tell(call: &Call, action: &str, name: &str) -> String {
    let source = url::path(["storage-pools", name]);
    call.app.lifecycle(DEFAULT_PROJECT, action, &source, Some(call.lifecycle_requestor()));
    source
}
