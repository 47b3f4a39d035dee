//! `/1.0/instances/NAME/snapshots`: what instances were at some time.

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceSource;
use corten_api::instance_snapshot::{
    InstanceSnapshot, InstanceSnapshotPost, InstanceSnapshotPut, InstanceSnapshotsPost,
};
use corten_api::url::path_in;
use corten_config::value::url::check_segment;
use serde_json::{Value, json};

use super::instance::{find, key, offer};
use crate::app::instances::copy::Source;
use crate::app::instances::snapshots::{self, change, names, remove, rename, take};
use crate::app::projects::allow;
use crate::app::{Call, Endpoint};
use crate::rest::call::read_json;
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/snapshots").typed().get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/instances/{name}/snapshots/{snapshot}")
        .typed()
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(replace, May::Edit)
        .post(change_name, May::Edit)
        .delete(delete, May::Edit),
];

fn list(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let mut taken = snapshots::of(&call.app, &instance)?;
    if call.recursion() > 0 {
        snapshots::with_sizes(&call.app, &instance, &mut taken);
    }
    recursion::list(call, &taken, |one| {
        path_in(&instance.project, ["instances", &instance.name, "snapshots", &one.name])
    })
}

/// What an update must not overlook.
fn etag(snapshot: &InstanceSnapshot) -> Value {
    json!([snapshot.expires_at])
}

fn show(call: &Call) -> Result<Reply> {
    let found = snapshots::find_shown(&call.app, &find(call)?, call.part("snapshot"))?;
    Ok(Reply::sync(&found)?.etag(&etag(&found)))
}

fn create(call: &Call) -> Result<Reply> {
    allow::snapshot(&call.app.scope(call)?)?;
    let instance = find(call)?;
    let body: InstanceSnapshotsPost = call.json()?;
    let name = if body.name.is_empty() { names::next(&call.app, &instance)? } else { body.name };
    check_segment(&name).map_err(|why| Error::invalid(format!("Invalid snapshot name: {why}")))?;
    let expires = match body.expires_at {
        Some(time) => Some(time),
        None => names::expires(&instance)?,
    };
    let wanted = take::Wanted { name, expires, stateful: body.stateful };
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    let plan = call.app.plan(call, "Snapshotting instance").container(&instance.name);
    let op = call.app.operations.run(plan, move |_| take::take(&app, &key, &wanted, Some(&requestor)))?;
    Reply::accepted(&op)
}

fn replace(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let name = call.part("snapshot").to_string();
    let old = snapshots::find_shown(&call.app, &instance, &name)?;
    call.check_etag(&etag(&old))?;
    // Nothing else of a snapshot can be changed; what is not said stays.
    let body = call.json_object()?;
    let given = body.get("expires_at").is_some_and(Value::is_string);
    let put: InstanceSnapshotPut = read_json(Value::Object(body).to_string().as_bytes())?;
    let expires = given.then_some(put.expires_at);
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    let plan = call.app.plan(call, "Updating snapshot").container(&name);
    let op = call.app.operations.run(plan, move |_| match expires {
        Some(expires) => change::change(&app, &key, &name, expires, Some(&requestor)),
        None => Ok(()),
    })?;
    Reply::accepted(&op)
}

fn change_name(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let old = call.part("snapshot").to_string();
    snapshots::find(&call.app, &instance, &old)?;
    let body: InstanceSnapshotPost = call.json()?;
    if body.migration {
        if body.name.is_empty() {
            return Err(Error::invalid("A new name for the container must be provided"));
        }
        let asked = InstanceSource { source: format!("{}/{old}", instance.name), ..InstanceSource::default() };
        let source = Source::find(&call.app, &instance.project, &asked)?;
        return offer(call, "Transferring snapshot", source, body.target.as_ref());
    }
    rename::check(&call.app, &instance, &body.name)?;
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    let plan = call.app.plan(call, "Renaming snapshot").container(&instance.name);
    let op = call.app.operations.run(plan, move |_| rename::rename(&app, &key, &old, &body.name, Some(&requestor)))?;
    Reply::accepted(&op)
}

fn delete(call: &Call) -> Result<Reply> {
    let instance = find(call)?;
    let name = call.part("snapshot").to_string();
    snapshots::find(&call.app, &instance, &name)?;
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), key(&instance));
    let plan = call.app.plan(call, "Deleting snapshot").container(&format!("{}/{name}", instance.name));
    let op = call.app.operations.run(plan, move |_| remove::remove(&app, &key, &name, Some(&requestor)))?;
    Reply::accepted(&op)
}
