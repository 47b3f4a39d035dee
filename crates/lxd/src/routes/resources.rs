//! `/1.0/resources`: what the host is made of.

use crate::app::resources;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::Result;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[Endpoint::at("/1.0/resources").get(show, May::Trusted).on_member()];

fn show(_: &Call) -> Result<Reply> {
    Reply::sync(&resources::look()?)
}
