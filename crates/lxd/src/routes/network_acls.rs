//! `/1.0/network-acls`: what may pass between networks and others.

use corten_api::error::{Error, Result};
use corten_api::network_acl::{NetworkACL, NetworkACLPost, NetworkACLPut, NetworkACLsPost};
use corten_api::url;
use serde_json::{Value, json};

use crate::app::network_acls as acls;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/network-acls").get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/network-acls/{name}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .post(rename, May::Edit)
        .delete(remove, May::Edit),
    Endpoint::at("/1.0/network-acls/{name}/log").get(log, May::View),
];

/// What an update must not overlook, in LXD's order.
fn etag(acl: &NetworkACL) -> Value {
    json!([acl.name, acl.description, acl.ingress, acl.egress, acl.config])
}

/// The project that holds the lists of the call's project, which are those of its networks.
fn project(call: &Call) -> Result<String> {
    Ok(call.app.scope(call)?.networks().to_string())
}

fn seen(call: &Call, mut acl: NetworkACL) -> NetworkACL {
    call.requestor.keep_visible(&mut acl.used_by);
    acl
}

fn list(call: &Call) -> Result<Reply> {
    let project = project(call)?;
    let found: Vec<NetworkACL> = acls::list(&call.app, &project)?.into_iter().map(|acl| seen(call, acl)).collect();
    recursion::list(call, &found, |acl| url::path_in("default", ["network-acls", &acl.name]))
}

fn create(call: &Call) -> Result<Reply> {
    let (project, post): (String, NetworkACLsPost) = (project(call)?, call.json()?);
    acls::create(&call.app, &project, &post.name, &post.writable())?;
    Ok(Reply::created(tell(call, &project, "network-acl-created", &post.name)))
}

fn show(call: &Call) -> Result<Reply> {
    let acl = acls::find(&call.app, &project(call)?, call.part("name"))?;
    let tag = etag(&acl);
    Ok(Reply::sync(&seen(call, acl))?.etag(&tag))
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

/// Keys are merged; all else is replaced, as LXD does.
fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let (project, name) = (project(call)?, call.part("name"));
    let old = acls::find(&call.app, &project, name)?;
    call.check_etag(&etag(&old))?;
    let mut put: NetworkACLPut = call.json()?;
    if amend {
        for (key, value) in old.config {
            put.config.entry(key).or_insert(value);
        }
    }
    acls::update(&call.app, &project, name, &put)?;
    tell(call, &project, "network-acl-updated", name);
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let (project, name) = (project(call)?, call.part("name"));
    let post: NetworkACLPost = call.json()?;
    acls::rename(&call.app, &project, name, &post.name)?;
    let source = url::path_in(&project, ["network-acls", &post.name]);
    let context = [("old_name", Value::from(name))];
    call.app.lifecycle_with(&project, "network-acl-renamed", &source, Some(call.lifecycle_requestor()), context);
    Ok(Reply::created(source))
}

fn remove(call: &Call) -> Result<Reply> {
    let (project, name) = (project(call)?, call.part("name"));
    acls::delete(&call.app, &project, name)?;
    tell(call, &project, "network-acl-deleted", name);
    Ok(Reply::empty())
}

/// Only OVN keeps entries that can be told apart; what bridges log is in the kernel's log.
fn log(call: &Call) -> Result<Reply> {
    acls::find(&call.app, &project(call)?, call.part("name"))?;
    Err(Error::internal("Only OVN log entries may be retrieved at this time"))
}

fn tell(call: &Call, project: &str, action: &str, name: &str) -> String {
    let source = url::path_in(project, ["network-acls", name]);
    call.app.lifecycle(project, action, &source, Some(call.lifecycle_requestor()));
    source
}
