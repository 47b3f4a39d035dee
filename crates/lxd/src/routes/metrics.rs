//! `/1.0/metrics`: figures of running instances, for Prometheus.

use crate::app::instances::Instances;
use crate::app::metrics::gather;
use crate::app::settings::is_true;
use crate::app::{Call, Endpoint};
use crate::rest::error::not_authorized;
use crate::rest::peer::Trust;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::Result;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/metrics").get(show, May::Anyone)];

fn show(call: &Call) -> Result<Reply> {
    let open = call.app.settings.get("core.metrics_authentication").is_some_and(|value| !is_true(&value));
    let all = open || call.requestor.is_admin() || call.requestor.trust == Trust::Metrics;
    let project = Some(call.query.get("project")).filter(|project| !project.is_empty());
    if !all && !call.requestor.may_enter(call.project()) {
        return Err(not_authorized());
    }
    let instances = Instances::all(&call.app, project)?;
    let seen = instances.iter().filter(|instance| all || call.requestor.may_enter(&instance.project));
    let samples = gather::instances(&call.app, seen);
    Ok(Reply::bytes(samples.render(), "text/plain"))
}
