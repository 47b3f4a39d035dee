//! `/internal/testing`: what LXD's own suite does to the daemon, over the unix socket only.

use crate::app::warnings::Told;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::Result;
use serde::Deserialize;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/internal/testing/warnings").post(warn, May::Admin)];

/// A warning to raise, in LXD's numbers. An entity that is left out is none.
#[derive(Deserialize)]
struct Warning {
    #[serde(default)]
    location: String,
    #[serde(default)]
    project: String,
    #[serde(default = "none")]
    entity_type_code: i64,
    #[serde(default = "none")]
    entity_id: i64,
    #[serde(default)]
    type_code: i64,
    #[serde(default)]
    message: String,
}

fn none() -> i64 {
    -1
}

fn warn(call: &Call) -> Result<Reply> {
    let warning: Warning = call.json()?;
    call.app.raise_warning(&Told {
        kind: warning.type_code,
        location: &warning.location,
        project: &warning.project,
        entity: (warning.entity_type_code, warning.entity_id),
        message: &warning.message,
    })?;
    Ok(Reply::empty())
}
