//! What instances may ask over `/dev/lxd/sock`.

use corten_api::error::{Error, Result};
use corten_db::table::images;
use serde::Serialize;
use serde_json::json;

use crate::app::devlxd::service::{Devlxd, GuestCall, admitted};
use crate::app::devlxd::{self, not_authorized};
use crate::app::images::export;
use crate::rest::events::relay;
use crate::rest::reply::Reply;
use crate::rest::route::{Endpoint, May};

/// What this file answers, to instances only.
pub const ENDPOINTS: &[Endpoint<Devlxd>] = &[
    Endpoint::at("/").get(root, May::Anyone),
    Endpoint::at("/1.0").get(version, May::Anyone),
    Endpoint::at("/1.0/config").get(keys, May::Anyone),
    Endpoint::at("/1.0/config/{key}").get(key, May::Anyone),
    Endpoint::at("/1.0/meta-data").get(metadata, May::Anyone),
    Endpoint::at("/1.0/devices").get(devices, May::Anyone),
    Endpoint::at("/1.0/events").get(events, May::Anyone),
    Endpoint::at("/1.0/images/{fingerprint}/export").get(image, May::Anyone),
];

fn json(value: &(impl Serialize + ?Sized)) -> Result<Reply> {
    let mut text = serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))?;
    text.push(b'\n');
    Ok(Reply::bytes(text, "application/json"))
}

fn plain(text: impl Into<String>) -> Reply {
    Reply::bytes(text.into(), "application/octet-stream")
}

fn root(_: &GuestCall) -> Result<Reply> {
    json(&["/1.0"])
}

fn version(call: &GuestCall) -> Result<Reply> {
    admitted(call)?;
    json(&json!({"state": "", "api_version": "1.0", "instance_type": "container", "location": "none"}))
}

fn keys(call: &GuestCall) -> Result<Reply> {
    let instance = admitted(call)?;
    let shown = instance.expanded_config.keys().filter(|key| devlxd::is_shown(key));
    json(&shown.map(|key| format!("/1.0/config/{key}")).collect::<Vec<_>>())
}

fn key(call: &GuestCall) -> Result<Reply> {
    let instance = admitted(call)?;
    let key = call.part("key");
    if !devlxd::is_shown(key) {
        return Err(not_authorized());
    }
    let value = instance.expanded_config.get(key).ok_or_else(|| Error::not_found("not found"))?;
    Ok(plain(value))
}

fn metadata(call: &GuestCall) -> Result<Reply> {
    Ok(plain(devlxd::metadata(&admitted(call)?)))
}

fn devices(call: &GuestCall) -> Result<Reply> {
    json(&devlxd::devices(&admitted(call)?))
}

fn events(call: &GuestCall) -> Result<Reply> {
    let instance = admitted(call)?;
    let kinds = match call.query.get("type") {
        "" => "config,device",
        kinds => kinds,
    };
    let notices = call.app.app.instances.notices.listen(instance.id, kinds);
    if call.header("upgrade").eq_ignore_ascii_case("websocket") {
        return Reply::websocket(call, move |socket| relay(notices, socket));
    }
    Ok(Reply::lines(notices))
}

/// An image that is public or was fetched by the daemon itself: an instance in it starts instances of its own.
fn image(call: &GuestCall) -> Result<Reply> {
    let instance = admitted(call)?;
    if !instance.is_on("security.devlxd.images") {
        return Err(not_authorized());
    }
    let app = &call.app.app;
    let (scope, fingerprint) = (app.project(&instance.project)?, call.part("fingerprint"));
    let found = app.view(|view| Ok(images::get(view, scope.images(), fingerprint)?))?;
    let found = found.filter(|image| image.public || image.cached);
    let found = found.ok_or_else(|| Error::not_found(format!("Image {fingerprint:?} not found")))?;
    export::reply(app, &found)
}
