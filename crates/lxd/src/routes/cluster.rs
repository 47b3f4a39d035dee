//! `/1.0/cluster`, as a server shows it that is part of none.

use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::cluster::{Cluster, ClusterPut};
use corten_api::error::{Error, Result};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/cluster").get(show, May::Trusted).put(change, May::Admin),
    Endpoint::at("/1.0/cluster/members").get(no_members, May::Trusted).post(no_cluster, May::Admin),
    Endpoint::at("/1.0/cluster/members/{name}")
        .get(no_members, May::Trusted)
        .put(no_members, May::Admin)
        .patch(no_members, May::Admin)
        .post(no_members, May::Admin)
        .delete(no_members, May::Admin),
    Endpoint::at("/1.0/cluster/members/{name}/state").post(no_member, May::Admin),
    Endpoint::at("/1.0/cluster/groups").get(no_cluster, May::Trusted).post(no_cluster, May::Admin),
    Endpoint::at("/1.0/cluster/groups/{name}")
        .get(no_cluster, May::Trusted)
        .put(no_cluster, May::Admin)
        .patch(no_cluster, May::Admin)
        .post(no_cluster, May::Admin)
        .delete(no_cluster, May::Admin),
];

fn show(_: &Call) -> Result<Reply> {
    let none = Cluster::default();
    Ok(Reply::sync(&none)?.etag(&none))
}

/// Leaving a cluster is done where there is none.
fn change(call: &Call) -> Result<Reply> {
    let put: ClusterPut = call.json()?;
    if put.enabled {
        return Err(Error::not_implemented("Clustering is not there yet"));
    }
    Ok(Reply::empty())
}

fn no_members(_: &Call) -> Result<Reply> {
    Err(Error::internal("Server is not clustered"))
}

fn no_member(_: &Call) -> Result<Reply> {
    Err(Error::not_found("Cluster member not found"))
}

fn no_cluster(_: &Call) -> Result<Reply> {
    Err(Error::invalid("This server is not clustered"))
}
