//! Whether a call may run: who asks, for which project, and at which stage of the daemon's life.

use crate::app::{App, Call};
use crate::rest::error::not_authorized;
use crate::rest::peer::Trust;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use hyper::Method;

/// Decides.
///
/// # Errors
/// 403 for who may not, 503 while the daemon ends.
pub fn admit(app: &App, call: &Call, may: May) -> Result<()> {
    let asker = &call.requestor;
    let internal = call.path.starts_with("/internal/");
    if internal && asker.protocol != "unix" {
        return Err(not_authorized());
    }
    let metrics = asker.trust == Trust::Metrics && call.path == "/1.0/metrics";
    let allowed = match may {
        May::Anyone => call.header("x-lxd-authenticated").is_empty() || asker.is_trusted(),
        May::Trusted => asker.is_trusted() || metrics,
        May::Admin => asker.is_admin(),
        May::View | May::Operate | May::Edit => {
            metrics || asker.may_enter(call.project()) || (asker.is_trusted() && call.query.flag("all-projects"))
        }
    };
    if !allowed {
        return Err(not_authorized());
    }
    if app.ready.is_shutting_down() && !allowed_while_ending(call, internal) {
        return Err(Error::unavailable("LXD is shutting down"));
    }
    Ok(())
}

/// What is answered to the last: reading, watching, and the commands that end the daemon.
fn allowed_while_ending(call: &Call, internal: bool) -> bool {
    internal || call.method == Method::GET || call.path == "/1.0" || call.path.starts_with("/1.0/operations")
}
