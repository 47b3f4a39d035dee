//! `/1.0/events`: what happens, as it happens.

use crate::app::{Call, Endpoint};
use crate::rest::error::not_authorized;
use crate::rest::events::{Interest, Kind};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/events").get(listen, May::Trusted)];

fn listen(call: &Call) -> Result<Reply> {
    let interest = Interest { kinds: kinds(call)?, project: project(call)? };
    let events = call.app.events.clone();
    // The listener stands before the client hears of it, so that nothing is missed in between.
    let app = call.app.clone();
    let queue = app.events.listen(&interest);
    Reply::websocket(call, move |socket| async move { events.serve(queue, socket).await })
}

/// The project that is listened to; `None` is all of them.
fn project(call: &Call) -> Result<Option<String>> {
    if call.all_projects().map_err(|error| Error::internal(error.message))? {
        return if call.requestor.is_admin() { Ok(None) } else { Err(not_authorized()) };
    }
    let project = call.project();
    if !call.requestor.may_enter(project) {
        return Err(not_authorized());
    }
    // LXD answers 500 to everything that is wrong with a request for events.
    call.app.project(project).map_err(|error| Error::internal(error.message))?;
    Ok(Some(project.to_string()))
}

/// The kinds asked for; without any, all that the client may hear.
fn kinds(call: &Call) -> Result<Vec<Kind>> {
    let admin = call.requestor.is_admin();
    let asked = call.query.get("type");
    if asked.is_empty() {
        return Ok(Kind::ALL.into_iter().filter(|kind| admin || *kind != Kind::Logging).collect());
    }
    let read =
        |name| Kind::from_name(name).ok_or_else(|| Error::internal(format!("{name:?} isn't a supported event type")));
    let kinds: Vec<Kind> = asked.split(',').map(read).collect::<Result<_>>()?;
    if kinds.contains(&Kind::Logging) && !admin {
        return Err(Error::forbidden("Forbidden"));
    }
    Ok(kinds)
}
