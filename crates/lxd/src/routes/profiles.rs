//! `/1.0/profiles`: keys and devices that instances share.

use crate::app::profiles::merge;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::json;
use corten_api::profile::{Profile, ProfilePost, ProfilePut, ProfilesPost};
use corten_api::url;
use hyper::Method;
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/profiles").get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/profiles/{name}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .post(rename, May::Edit)
        .delete(remove, May::Edit),
];

/// What an update must not overlook, in LXD's order.
fn etag(profile: &Profile) -> Value {
    json!([profile.config, profile.description, profile.devices])
}

/// Users of other projects are not shown to who may not see those.
fn seen(call: &Call, mut profile: Profile) -> Profile {
    call.requestor.keep_visible(&mut profile.used_by);
    profile
}

fn list(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let profiles: Vec<Profile> = call.app.list_profiles(&scope)?.into_iter().map(|one| seen(call, one)).collect();
    recursion::list(call, &profiles, |profile| url::path_in(scope.profiles(), ["profiles", &profile.name]))
}

fn show(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let profile = call.app.find_profile(&scope, call.part("name")).map_err(|error| error.context("Fetch profile"))?;
    let tag = etag(&profile);
    Ok(Reply::sync(&seen(call, profile))?.etag(&tag))
}

fn create(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let body: ProfilesPost = call.json()?;
    call.app.create_profile(&scope, &body)?;
    Ok(Reply::created(tell(call, scope.profiles(), "profile-created", &body.name)))
}

/// The profile that is to be changed, once it is known to be the one that the client looked at.
fn current(call: &Call, name: &str) -> Result<Profile> {
    let scope = call.app.scope(call)?;
    let profile = call.app.find_profile(&scope, name);
    // LXD says it in two ways.
    let mark = if call.method == Method::PATCH { '=' } else { ' ' };
    let profile = profile.map_err(|error| error.context(format!("Failed to retrieve profile{mark}{name:?}")))?;
    call.check_etag(&etag(&profile))?;
    Ok(profile)
}

fn replace(call: &Call) -> Result<Reply> {
    let name = call.part("name");
    current(call, name)?;
    let new: ProfilePut = call.json()?;
    save(call, name, &new)
}

fn amend(call: &Call) -> Result<Reply> {
    let name = call.part("name");
    let old = current(call, name)?;
    let body = call.json_object()?;
    let has_description = body.get("description").is_some_and(Value::is_string);
    let put: ProfilePut = json::from_value(Value::Object(body))
        .map_err(|error| Error::invalid(format!("Invalid request body: {error}")))?;
    save(call, name, &merge(&old, &put, has_description))
}

fn save(call: &Call, name: &str, new: &ProfilePut) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    call.app.update_profile(&scope, name, new).map_err(Error::as_failure)?;
    tell(call, scope.profiles(), "profile-updated", name);
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let body: ProfilePost = call.json()?;
    let old = call.part("name");
    call.app.rename_profile(&scope, old, &body.name)?;
    let source = url::path_in(scope.profiles(), ["profiles", &body.name]);
    let requestor = Some(call.lifecycle_requestor());
    call.app.lifecycle_with(scope.profiles(), "profile-renamed", &source, requestor, [("old_name", json!(old))]);
    Ok(Reply::created(source))
}

fn remove(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    call.app.delete_profile(&scope, call.part("name"))?;
    tell(call, scope.profiles(), "profile-deleted", call.part("name"));
    Ok(Reply::empty())
}

fn tell(call: &Call, project: &str, action: &str, name: &str) -> String {
    let source = url::path_in(project, ["profiles", name]);
    call.app.lifecycle(project, action, &source, Some(call.lifecycle_requestor()));
    source
}
