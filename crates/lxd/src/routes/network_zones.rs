//! `/1.0/network-zones`: DNS zones made from networks.

use corten_api::error::Result;
use corten_api::network_zone::{NetworkZone, NetworkZonePut, NetworkZonesPost};
use corten_api::url;
use serde_json::{Value, json};

use crate::app::network_zones as zones;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/network-zones").get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/network-zones/{zone}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .delete(remove, May::Edit),
];

/// What an update must not overlook, in LXD's order.
fn etag(zone: &NetworkZone) -> Value {
    json!([zone.name, zone.description, zone.config])
}

/// The project that holds the zones of the call's project, which are those of its networks.
///
/// # Errors
/// 404 when there is no such project.
pub fn project(call: &Call) -> Result<String> {
    Ok(call.app.scope(call)?.networks().to_string())
}

fn seen(call: &Call, mut zone: NetworkZone) -> NetworkZone {
    call.requestor.keep_visible(&mut zone.used_by);
    zone
}

fn list(call: &Call) -> Result<Reply> {
    let found = zones::list(&call.app, &project(call)?)?.into_iter();
    let found: Vec<NetworkZone> = found.map(|zone| seen(call, zone)).collect();
    recursion::list(call, &found, |zone| url::path_in("default", ["network-zones", &zone.name]))
}

fn create(call: &Call) -> Result<Reply> {
    let post: NetworkZonesPost = call.json()?;
    zones::create(&call.app, &call.app.scope(call)?, &post)?;
    Ok(Reply::created(tell(call, "network-zone-created", &[&post.name])?))
}

fn show(call: &Call) -> Result<Reply> {
    let zone = zones::find(&call.app, &project(call)?, call.part("zone"))?;
    let tag = etag(&zone);
    Ok(Reply::sync(&seen(call, zone))?.etag(&tag))
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

/// Keys are merged; the description is replaced, as LXD does.
fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let (project, name) = (project(call)?, call.part("zone"));
    let old = zones::find(&call.app, &project, name)?;
    call.check_etag(&etag(&old))?;
    let mut put: NetworkZonePut = call.json()?;
    if amend {
        for (key, value) in old.config {
            put.config.entry(key).or_insert(value);
        }
    }
    zones::update(&call.app, &project, name, &put)?;
    tell(call, "network-zone-updated", &[name])?;
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let name = call.part("zone");
    zones::delete(&call.app, &project(call)?, name)?;
    tell(call, "network-zone-deleted", &[name])?;
    Ok(Reply::empty())
}

/// Tells of something that happened to a zone, or to what is below it, and gives its path.
///
/// # Errors
/// As [`project`].
pub fn tell(call: &Call, action: &str, below: &[&str]) -> Result<String> {
    let project = project(call)?;
    let path: Vec<&str> = ["network-zones"].iter().chain(below).copied().collect();
    let source = url::path_in(&project, path);
    call.app.lifecycle(&project, action, &source, Some(call.lifecycle_requestor()));
    Ok(source)
}
