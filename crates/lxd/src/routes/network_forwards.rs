//! `/1.0/networks/NAME/forwards`: addresses whose connections a network sends on.

use corten_api::error::Result;
use corten_api::network_forward::{NetworkForward, NetworkForwardPut, NetworkForwardsPost};
use corten_api::url;
use corten_db::table::networks::Network;
use serde_json::{Value, json};

use super::networks::allowed;
use crate::app::networks::forwards;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/networks/{name}/forwards").post(create, May::Edit).on_member().get(list, May::View),
    Endpoint::at("/1.0/networks/{name}/forwards/{address}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .delete(remove, May::Edit)
        .on_member(),
];

/// What an update must not overlook, in LXD's order.
fn etag(forward: &NetworkForward) -> Value {
    json!([forward.listen_address, forward.description, forward.config, forward.ports])
}

/// The network of the path, which has forwards.
fn network(call: &Call) -> Result<Network> {
    let network = allowed(call)?;
    forwards::must_support(&network)?;
    Ok(network)
}

fn path(network: &Network, address: &str) -> String {
    url::path_in(&network.project, ["networks", &network.name, "forwards", address])
}

fn list(call: &Call) -> Result<Reply> {
    let network = network(call)?;
    let found = forwards::list(&call.app, &network)?;
    recursion::list(call, &found, |forward| path(&network, &forward.listen_address))
}

fn create(call: &Call) -> Result<Reply> {
    let post: NetworkForwardsPost = call.json()?;
    let network = network(call)?;
    forwards::create(&call.app, &network, &post).map_err(|error| error.context("Failed creating forward"))?;
    Ok(Reply::created(tell(call, &network, "network-forward-created", post.listen_address.trim())))
}

fn show(call: &Call) -> Result<Reply> {
    let forward = forwards::find(&call.app, &network(call)?, call.part("address"))?;
    let tag = etag(&forward);
    Ok(Reply::sync(&forward)?.etag(&tag))
}

fn replace(call: &Call) -> Result<Reply> {
    let network = network(call)?;
    let old = forwards::find(&call.app, &network, call.part("address"));
    let old = old.map_err(|error| error.context("Failed updating forward"))?;
    call.check_etag(&etag(&old))?;
    save(call, &network, &call.json()?)
}

/// Keys are merged; ports that are not given stay.
fn amend(call: &Call) -> Result<Reply> {
    let network = network(call)?;
    let old = forwards::find(&call.app, &network, call.part("address"))?;
    call.check_etag(&etag(&old))?;
    let body = call.json_object()?;
    let has = |field: &str| body.get(field).is_some_and(|value| !value.is_null());
    let (description, ports) = (has("description"), has("ports"));
    let given: NetworkForwardPut = crate::rest::call::read_json(Value::Object(body).to_string().as_bytes())?;
    let mut put = old.writable();
    put.config.extend(given.config);
    if description {
        put.description = given.description;
    }
    if ports {
        put.ports = given.ports;
    }
    save(call, &network, &put)
}

fn save(call: &Call, network: &Network, put: &NetworkForwardPut) -> Result<Reply> {
    let address = call.part("address");
    forwards::update(&call.app, network, address, put).map_err(|error| error.context("Failed updating forward"))?;
    tell(call, network, "network-forward-updated", address);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let (network, address) = (network(call)?, call.part("address"));
    forwards::delete(&call.app, &network, address).map_err(|error| error.context("Failed deleting forward"))?;
    tell(call, &network, "network-forward-deleted", address);
    Ok(Reply::empty())
}

fn tell(call: &Call, network: &Network, action: &str, address: &str) -> String {
    let source = path(network, address);
    call.app.lifecycle(&network.project, action, &source, Some(call.lifecycle_requestor()));
    source
}
