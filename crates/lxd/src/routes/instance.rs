//! `/1.0/instances/NAME`: shown, changed, renamed, deleted.

use corten_api::error::{Error, Result};
use corten_api::instance::{InstancePost, InstancePostTarget, InstancePut, InstanceSource};
use corten_api::status::StatusCode;
use corten_config::name::check_instance;
use corten_db::table::instances;
use corten_instance::instance::Instance;
use serde_json::Value;

use crate::app::backups::{Owner, change};
use crate::app::instances::copy::Source;
use crate::app::instances::{Instances, delete, relocate, rename, restore, snapshots, state, status, update, view};
use crate::app::migration::instance_source;
use crate::app::migration::request;
use crate::app::migration::session::Peer;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/instances/{name}")
    .typed()
    .get(show, May::View)
    .put(replace, May::Edit)
    .patch(amend, May::Edit)
    .post(rename, May::Edit)
    .delete(delete, May::Edit)];

/// The instance that the path names.
///
/// # Errors
/// 404 when there is none, or none of the type that the path says.
pub fn find(call: &Call) -> Result<Instance> {
    let name = call.part("name");
    if name.contains('/') {
        return Err(Error::invalid("Invalid instance name"));
    }
    if call.instance_type == Some("virtual-machine") {
        return Err(Error::not_found("Instance not found"));
    }
    Instances::find(&call.app, call.project(), name)
}

/// Project and name of the instance that the path names.
pub fn key(instance: &Instance) -> (String, String) {
    (instance.project.clone(), instance.name.clone())
}

fn show(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let shown = view::show(&instance, status(&call.app, &instance));
    let reply = if call.recursion() == 0 {
        Reply::sync(&shown)?
    } else {
        let taken = snapshots::of(&call.app, &instance)?;
        let kept = Owner::instance(&call.app, &instance).backups(&call.app)?.iter().map(change::shown).collect();
        Reply::sync(&view::show_full(shown, Some(state::state(&call.app, &instance)?), taken, kept))?
    };
    Ok(reply.etag(&view::etag(&instance)))
}

fn replace(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    call.check_etag(&view::etag(&instance))?;
    let put: InstancePut = call.json()?;
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    if !put.restore.is_empty() {
        let plan = call.app.plan(call, "Restoring snapshot").container(&instance.name);
        let name = put.restore.strip_prefix(&format!("{}/", instance.name)).unwrap_or(&put.restore).to_string();
        let restore = move || restore::restore(&app, &key, &name, put.stateful, Some(&requestor));
        let op = call.app.operations.run(plan, move |_| restore())?;
        return Reply::accepted(&op);
    }
    update::must_be_allowed(&call.app, &instance, &put)?;
    let plan = call.app.plan(call, "Updating instance").container(&instance.name);
    let op = call.app.operations.run(plan, move |_| update::update(&app, &key, &put, Some(&requestor)))?;
    Reply::accepted(&op)
}

fn amend(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    call.check_etag(&view::etag(&instance))?;
    let body = call.json_object()?;
    let mut put = view::show(&instance, StatusCode::Stopped).writable();
    let given: InstancePut = crate::rest::call::read_json(Value::Object(body.clone()).to_string().as_bytes())?;
    // What is given is merged: keys and devices one by one, the rest as a whole.
    put.config.extend(given.config);
    put.devices.extend(given.devices);
    let has = |field: &str| body.get(field).is_some_and(|value| !value.is_null());
    if has("architecture") {
        put.architecture = given.architecture;
    }
    if has("ephemeral") {
        put.ephemeral = given.ephemeral;
    }
    if has("profiles") {
        put.profiles = given.profiles;
    }
    if has("description") {
        put.description = given.description;
    }
    update::must_be_allowed(&call.app, &instance, &put)?;
    update::update(&call.app, &key(&instance), &put, Some(&call.lifecycle_requestor())).map_err(Error::as_failure)?;
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let body = call.json_object()?;
    // Old clients do not say whether memory is to go along, and mean that it is.
    let says_live = body.get("live").is_some_and(Value::is_boolean);
    let post: InstancePost = crate::rest::call::read_json(Value::Object(body).to_string().as_bytes())?;
    let name = if post.name.is_empty() { instance.name.clone() } else { post.name.clone() };
    check_instance(&name)?;
    if post.migration && post.pool.is_empty() && post.project.is_empty() {
        return migrate(call, instance, &InstancePost { live: post.live || !says_live, ..post });
    }
    if post.migration {
        return relocate(call, &instance, name, &post);
    }
    rename::check(&call.app, &instance, &post.name)?;
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    if call.app.view(|view| Ok(instances::id(view, &key.0, &name)?))?.is_some() {
        return Err(Error::conflict(format!("Name {name:?} already in use")));
    }
    let plan = call.app.plan(call, "Renaming instance").container(&instance.name);
    let op = call.app.operations.run(plan, move |_| rename::rename(&app, &key, &name, Some(&requestor)))?;
    Reply::accepted(&op)
}

/// Lets another server have the instance.
fn migrate(call: &Call, instance: Instance, post: &InstancePost) -> Result<Reply> {
    let running = !matches!(status(&call.app, &instance), StatusCode::Stopped | StatusCode::Error);
    instance_source::must_not_be_live(post.live && running, "source")?;
    let asked = InstanceSource {
        source: instance.name.clone(),
        instance_only: post.instance_only || post.container_only,
        allow_inconsistent: post.allow_inconsistent,
        ..InstanceSource::default()
    };
    let source = Source::find(&call.app, &instance.project, &asked)?;
    offer(call, "Migrating instance", source, post.target.as_ref())
}

/// Starts to send an instance or snapshot: to a target that waits for it, or to whoever connects to the operation.
///
/// # Errors
/// When the target cannot be reached.
pub fn offer(
    call: &Call,
    description: &'static str,
    source: Source,
    target: Option<&InstancePostTarget>,
) -> Result<Reply> {
    let plan = call.app.plan(call, description).container(&source.instance.name);
    let app = call.app.clone();
    let work = move |session, _: &_| instance_source::send(&app, &source, session);
    let peer = target.map(|InstancePostTarget { certificate, operation, secrets }| Peer {
        operation: operation.clone(),
        certificate: certificate.clone(),
        secrets: secrets.clone(),
    });
    Reply::accepted(&request::offer(&call.app, plan, peer.as_ref(), work)?)
}

/// A move that this server does by itself: to another of its pools, or to another project.
fn relocate(call: &Call, instance: &Instance, name: String, post: &InstancePost) -> Result<Reply> {
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(instance));
    let (pool, project) = match (post.pool.as_str(), post.project.as_str()) {
        ("", project) => (None, project.to_string()),
        (pool, _) => (Some(pool.to_string()), key.0.clone()),
    };
    if !call.requestor.may_enter(&project) {
        return Err(Error::forbidden("not authorized"));
    }
    let alone = post.instance_only || post.container_only;
    let target = relocate::Target { key: (project, name), pool, alone };
    let plan = call.app.plan(call, "Migrating instance").resources("instances", [instance.name.as_str()]);
    let op = call.app.operations.run(plan, move |_| relocate::relocate(&app, &key, &target, Some(&requestor)))?;
    Reply::accepted(&op)
}

fn delete(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let running = !matches!(status(&call.app, &instance), StatusCode::Stopped | StatusCode::Error);
    if running {
        return Err(Error::invalid("Instance is running"));
    }
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    let plan = call.app.plan(call, "Deleting instance").container(&instance.name);
    let op = call.app.operations.run(plan, move |_| delete::delete(&app, &key, Some(&requestor)))?;
    Reply::accepted(&op)
}
