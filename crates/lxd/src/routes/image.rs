//! `/1.0/images/FINGERPRINT`: one image.

use super::images::sees_all;
use crate::app::images::{delete, export, find, push as pushing, token, update};
use crate::app::projects::Scope;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::image::{ImageExportPost, ImagePut};
use corten_api::json;
use corten_api::url;
use corten_db::table::images::Image;
use serde_json::{Map, Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/images/{fingerprint}")
        .get(show, May::Anyone)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .delete(remove, May::Edit),
    Endpoint::at("/1.0/images/{fingerprint}/export").get(files, May::Anyone).post(push, May::Edit),
    Endpoint::at("/1.0/images/{fingerprint}/secret").post(secret, May::View),
    Endpoint::at("/1.0/images/{fingerprint}/refresh").post(refresh, May::Edit),
];

/// What an update must not overlook, in LXD's order.
fn etag(image: &Image) -> Value {
    json!([image.public, image.auto_update, image.properties])
}

fn wanted(call: &Call) -> Result<(Scope, Image)> {
    let scope = call.app.scope(call)?;
    let image = call.app.find_image(scope.images(), call.part("fingerprint"))?;
    let image = call.app.view(|view| find::seen_from(view, &scope, image.clone()))?;
    Ok((scope, image))
}

/// The image, when the client may have it: it is public, the client is trusted, or it has a secret.
fn allowed(call: &Call) -> Result<Image> {
    let (_, image) = wanted(call)?;
    let token = token::redeem(&call.app, call.project(), &image.fingerprint, call.query.get("secret"))?;
    if image.public || sees_all(call) || token.is_some() {
        return Ok(image);
    }
    Err(Error::not_found(format!("Image {:?} not found", image.fingerprint)))
}

fn show(call: &Call) -> Result<Reply> {
    let image = allowed(call)?;
    let tag = etag(&image);
    Ok(Reply::sync(&find::shown(image))?.etag(&tag))
}

fn files(call: &Call) -> Result<Reply> {
    let image = allowed(call)?;
    let reply = export::reply(&call.app, &image)?;
    tell(call, "image-retrieved", &image);
    Ok(reply)
}

fn replace(call: &Call) -> Result<Reply> {
    let (scope, image) = wanted(call)?;
    call.check_etag(&etag(&image))?;
    let body = call.json_object()?;
    let names = body.get("profiles").is_some_and(|profiles| !profiles.is_null());
    let put: ImagePut = json::from_value(Value::Object(body))
        .map_err(|error| Error::invalid(format!("Invalid request body: {error}")))?;
    update::replace(&call.app, &scope, &image, &put, names.then_some(put.profiles.as_slice()))?;
    tell(call, "image-updated", &image);
    Ok(Reply::empty())
}

fn amend(call: &Call) -> Result<Reply> {
    let (scope, image) = wanted(call)?;
    call.check_etag(&etag(&image))?;
    update::amend(&call.app, &scope, &image, &call.json_object()?)?;
    tell(call, "image-updated", &image);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let (scope, image) = wanted(call)?;
    let app = call.app.clone();
    let plan = app.plan(call, "Deleting image").resources("images", [image.fingerprint.as_str()]);
    let op = call
        .app
        .operations
        .run(plan, move |op| delete::delete(&app, scope.images(), &image.fingerprint, op.requestor()))?;
    Reply::accepted(&op)
}

fn secret(call: &Call) -> Result<Reply> {
    let (_, image) = wanted(call)?;
    Reply::accepted(&token::create(call, &image.fingerprint, Map::new())?)
}

fn push(call: &Call) -> Result<Reply> {
    let (_, image) = wanted(call)?;
    let post: ImageExportPost = call.json()?;
    let (app, plan) = (call.app.clone(), call.app.plan(call, "Downloading image").cancellable());
    Reply::accepted(&call.app.operations.run(plan, move |op| pushing::push(&app, &image, &post, op))?)
}

fn refresh(call: &Call) -> Result<Reply> {
    let (scope, image) = wanted(call)?;
    super::image_download::refresh(call, scope, image)
}

fn tell(call: &Call, action: &str, image: &Image) {
    let source = url::path_in(call.project(), ["images", &image.fingerprint]);
    call.app.lifecycle(call.project(), action, &source, Some(call.lifecycle_requestor()));
}
