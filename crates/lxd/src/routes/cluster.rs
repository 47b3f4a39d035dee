//! `/1.0/cluster`, as a server shows it that is part of none.

use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::cluster::Cluster;
use corten_api::error::{Error, Result};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/cluster").get(show, May::Trusted),
    Endpoint::at("/1.0/cluster/members").get(members, May::Trusted),
];

fn show(_: &Call) -> Result<Reply> {
    let none = Cluster::default();
    Ok(Reply::sync(&none)?.etag(&none))
}

fn members(_: &Call) -> Result<Reply> {
    Err(Error::internal("Server is not clustered"))
}
