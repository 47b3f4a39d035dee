//! `/1.0/operations`: what goes on in the background.

use crate::app::{App, Call, Endpoint};
use crate::rest::error::not_authorized;
use crate::rest::operation::Op;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/operations").get(list, May::View),
    Endpoint::at("/1.0/operations/{id}").get_quick(show, May::Trusted).delete(cancel, May::Trusted),
    Endpoint::at("/1.0/operations/{id}/wait").get_quick(wait, May::Anyone),
    Endpoint::at("/1.0/operations/{id}/websocket").get(connect, May::Anyone),
];

/// Lists paths or operations by their status, in lower case.
fn list(call: &Call) -> Result<Reply> {
    let all = call.all_projects()?;
    if !all && call.requestor.is_trusted() {
        call.app.project(call.project())?;
    }
    let mut by_status: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for op in call.app.operations.all() {
        let (project, view) = (op.project(), op.view());
        let belongs = if all { call.requestor.may_enter(project) } else { project == call.project() };
        if belongs || project.is_empty() {
            let shown = if call.recursion() == 0 { json!(op.url()) } else { json!(view) };
            by_status.entry(view.status.to_lowercase()).or_default().push(shown);
        }
    }
    Reply::sync(&by_status)
}

/// The operation that the path names, if the client may know of it.
fn find(call: &Call) -> Result<Op> {
    call.app.operations.find(call.part("id"))
}

fn show(call: &Call) -> Result<Reply> {
    Reply::sync(&find(call)?.view())
}

fn cancel(call: &Call) -> Result<Reply> {
    let op = find(call)?;
    if !op.project().is_empty() && !call.requestor.may_enter(op.project()) {
        return Err(not_authorized());
    }
    call.app.operations.cancel(&op)?;
    let project = if op.project().is_empty() { "default" } else { op.project() };
    call.app.lifecycle(project, "operation-cancelled", &op.url(), Some(call.lifecycle_requestor()));
    Ok(Reply::empty())
}

/// Whether a stranger shows the secret that this operation was given out with.
fn knows_secret(call: &Call, op: &Op) -> bool {
    let secret = call.query.get("secret");
    !secret.is_empty() && op.metadata("secret").is_some_and(|known| known == secret)
}

/// Answers at the operation's end, or after `timeout` seconds (-1: no such thing).
fn wait(call: &Call) -> Result<Reply> {
    let secret = call.query.get("secret");
    if !call.requestor.is_trusted() && secret.is_empty() {
        return Err(not_authorized());
    }
    let seconds: i64 = match call.query.get("timeout") {
        "" => -1,
        text => text.parse().map_err(|_| Error::internal(format!("strconv.Atoi: parsing {text:?}: invalid syntax")))?,
    };
    let op = find(call)?;
    if !secret.is_empty() && !knows_secret(call, &op) {
        return Err(not_authorized());
    }
    Ok(Reply::later(async move {
        match u64::try_from(seconds) {
            Ok(seconds) => {
                let _ = tokio::time::timeout(Duration::from_secs(seconds), op.wait()).await;
            }
            Err(_) => op.wait().await,
        }
        Reply::sync(&op.view())
    }))
}

fn connect(call: &Call) -> Result<Reply> {
    let secret = call.query.get("secret");
    if secret.is_empty() {
        return Err(Error::invalid("missing secret"));
    }
    let app: &App = &call.app;
    let op = app.operations.find(call.part("id"))?;
    // What is no handshake must not use the secret up.
    crate::rest::websocket::accept(&call.headers)?;
    let place = op.connect(secret)?;
    Reply::websocket(call, move |socket| async move {
        // A worker that is gone meanwhile closes the socket by dropping it.
        let _ = place.send(socket);
    })
}
