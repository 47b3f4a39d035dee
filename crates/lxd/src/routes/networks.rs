//! `/1.0/networks`: managed networks, and the host's interfaces beside them.

use corten_api::error::{Error, Result};
use corten_api::network::{Network, NetworkPost, NetworkPut, NetworksPost};
use corten_api::url;
use corten_db::table::networks::Network as Row;
use serde_json::{Value, json};

use crate::app::networks::{change, create, hosts, open, row, view};
use crate::app::projects::allow;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/networks").get(list, May::View).post(make, May::Edit),
    Endpoint::at("/1.0/networks/{name}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .on_member()
        .post(rename, May::Edit)
        .delete(remove, May::Edit),
    Endpoint::at("/1.0/networks/{name}/leases").get(leases, May::View),
    Endpoint::at("/1.0/networks/{name}/state").get(state, May::View).on_member(),
];

/// What an update must not overlook, in LXD's order.
fn etag(network: &Network) -> Value {
    json!([network.name, network.managed, network.r#type, network.description, network.config])
}

/// Keys may hold secrets, users of other projects are nobody's business.
fn seen(call: &Call, mut network: Network) -> Network {
    if !call.requestor.is_admin() {
        network.config.clear();
    }
    call.requestor.keep_visible(&mut network.used_by);
    network
}

/// The managed network of the path.
///
/// # Errors
/// 404 where the call's project may not use the network: what is forbidden is not there.
pub fn allowed(call: &Call) -> Result<Row> {
    let scope = call.app.scope(call)?;
    let name = call.part("name");
    if !allow::network(&scope, name, true) {
        return Err(Error::not_found("Network not found"));
    }
    row(&call.app, scope.networks(), name)
}

/// The project that holds the network of the path, which may be an interface of the host.
///
/// # Errors
/// As [`allowed`].
fn place(call: &Call) -> Result<String> {
    let (scope, name) = (call.app.scope(call)?, call.part("name"));
    let managed = row(&call.app, scope.networks(), name).is_ok();
    if !allow::network(&scope, name, managed) {
        return Err(Error::not_found("Network not found"));
    }
    Ok(scope.networks().to_string())
}

fn list(call: &Call) -> Result<Reply> {
    let scope = call.app.scope(call)?;
    let project = scope.networks();
    let networks = view::list(&call.app, project)?.into_iter();
    let networks = networks.filter(|network| allow::network(&scope, &network.name, network.managed));
    let networks: Vec<Network> = networks.map(|network| seen(call, network)).collect();
    recursion::list(call, &networks, |network| url::path_in(project, ["networks", &network.name]))
}

fn show(call: &Call) -> Result<Reply> {
    let network = view::find(&call.app, &place(call)?, call.part("name"))?;
    let tag = etag(&network);
    Ok(Reply::sync(&seen(call, network))?.etag(&tag))
}

fn make(call: &Call) -> Result<Reply> {
    let post: NetworksPost = call.json()?;
    let scope = call.app.scope(call)?;
    create::create(&call.app, &scope, &post)?;
    Ok(Reply::created(tell(call, scope.networks(), "network-created", &post.name)))
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let (project, name) = (place(call)?, call.part("name"));
    row(&call.app, &project, name)?;
    call.check_etag(&etag(&view::find(&call.app, &project, name)?))?;
    let put: NetworkPut = call.json()?;
    change::update(&call.app, &project, name, &put, amend)?;
    tell(call, &project, "network-updated", name);
    Ok(Reply::empty())
}

fn rename(call: &Call) -> Result<Reply> {
    let (project, name) = (place(call)?, call.part("name"));
    let post: NetworkPost = call.json()?;
    change::rename(&call.app, &project, name, &post.name)?;
    let source = url::path_in(&project, ["networks", &post.name]);
    let context = [("old_name", Value::from(name))];
    call.app.lifecycle_with(&project, "network-renamed", &source, Some(call.lifecycle_requestor()), context);
    Ok(Reply::created(source))
}

fn remove(call: &Call) -> Result<Reply> {
    let (project, name) = (place(call)?, call.part("name"));
    change::delete(&call.app, &project, name)?;
    tell(call, &project, "network-deleted", name);
    Ok(Reply::empty())
}

fn leases(call: &Call) -> Result<Reply> {
    let (project, name) = (place(call)?, call.part("name"));
    let network = open(&call.app, &row(&call.app, &project, name)?)?;
    let asked = call.project();
    let nics = hosts::leases(&call.app, name, asked)?;
    Reply::sync(&network.leases(&nics, asked == project, "none")?)
}

fn state(call: &Call) -> Result<Reply> {
    Reply::sync(&view::state(&call.app, &place(call)?, call.part("name"))?)
}

fn tell(call: &Call, project: &str, action: &str, name: &str) -> String {
    let source = url::path_in(project, ["networks", name]);
    call.app.lifecycle(project, action, &source, Some(call.lifecycle_requestor()));
    source
}
