//! `/1.0/images/aliases`: names of images.

use super::images::sees_all;
use crate::app::images::alias;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::image::{ImageAliasesEntry, ImageAliasesEntryPost, ImageAliasesEntryPut, ImageAliasesPost};
use corten_api::url;
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/images/aliases").get(list, May::View).post(create, May::Edit),
    // A name may hold slashes.
    Endpoint::at("/1.0/images/aliases/{name*}")
        .get(show, May::Anyone)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .post(rename, May::Edit)
        .delete(remove, May::Edit),
];

fn list(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let aliases = alias::list(&call.app, scope.images())?;
    recursion::list(call, &aliases, |alias| url::path(["images", "aliases", &alias.name]))
}

fn show(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let found = alias::find(&call.app, scope.images(), call.part("name"), !sees_all(call))?;
    Ok(Reply::sync(&found)?.etag(&found))
}

fn create(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let body: ImageAliasesPost = call.json()?;
    alias::create(&call.app, scope.images(), &body)?;
    let source = tell(call, "image-alias-created", &body.name, [("target", json!(body.target))]);
    Ok(Reply::created(source))
}

fn replace(call: &Call) -> Result<Reply> {
    let body: ImageAliasesEntryPut = call.json()?;
    if body.target.is_empty() {
        return Err(Error::invalid("The target field is required"));
    }
    save(call, |old| ImageAliasesEntry { target: body.target.clone(), description: body.description.clone(), ..old })
}

fn amend(call: &Call) -> Result<Reply> {
    let body = call.json_object()?;
    let text = |key: &str| match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(Error::invalid(format!("Invalid value for {key:?}: expected a string, found {other}"))),
    };
    let (target, description) = (text("target")?, text("description")?);
    save(call, |old| ImageAliasesEntry {
        target: target.clone().unwrap_or(old.target),
        description: description.clone().unwrap_or(old.description),
        ..old
    })
}

fn save(call: &Call, change: impl Fn(ImageAliasesEntry) -> ImageAliasesEntry) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let name = call.part("name");
    let new = alias::update(&call.app, scope.images(), name, |old| call.check_etag(old), change)?;
    tell(call, "image-alias-updated", name, [("target", json!(new.target))]);
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let body: ImageAliasesEntryPost = call.json()?;
    let old = call.part("name");
    alias::rename(&call.app, scope.images(), old, &body.name)?;
    Ok(Reply::created(tell(call, "image-alias-renamed", &body.name, [("old_name", json!(old))])))
}

fn remove(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    alias::delete(&call.app, scope.images(), call.part("name"))?;
    tell(call, "image-alias-deleted", call.part("name"), []);
    Ok(Reply::empty())
}

fn tell<const N: usize>(call: &Call, action: &str, name: &str, context: [(&str, Value); N]) -> String {
    let source = url::path_in(call.project(), ["images", "aliases", name]);
    call.app.lifecycle_with(call.project(), action, &source, Some(call.lifecycle_requestor()), context);
    source
}
