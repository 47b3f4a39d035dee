//! `/1.0/cluster`, as a server shows it that is part of none.

use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::cluster::{Cluster, ClusterCertificatePut, ClusterMemberConfigKey, ClusterPut};
use corten_api::error::{Error, Result};
use corten_db::table::own_keys::{self, OwnKey};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/cluster").get(show, May::Trusted).put(change, May::Admin),
    Endpoint::at("/1.0/cluster/certificate").put(certificate, May::Admin),
    Endpoint::at("/1.0/cluster/members").get(no_members, May::Trusted).post(no_cluster, May::Admin),
    Endpoint::at("/1.0/cluster/members/{name}")
        .get(no_members, May::Trusted)
        .put(no_members, May::Admin)
        .patch(no_members, May::Admin)
        .post(rename_member, May::Admin)
        .delete(no_members, May::Admin),
    Endpoint::at("/1.0/cluster/members/{name}/state").post(no_member, May::Admin),
    Endpoint::at("/1.0/cluster/groups").get(no_cluster, May::Trusted).post(no_cluster, May::Admin),
    Endpoint::at("/1.0/cluster/groups/{name}")
        .get(no_cluster, May::Trusted)
        .put(no_cluster, May::Admin)
        .patch(no_cluster, May::Admin)
        .post(rename_group, May::Admin)
        .delete(delete_group, May::Admin),
];

/// What would have to be said of this server's pools and networks by one that joins: LXD shows it in any case.
fn show(call: &Call) -> Result<Reply> {
    let own = call.app.view(|view| Ok(own_keys::list(view)?))?;
    let none = Cluster { member_config: own.into_iter().map(described).collect(), ..Cluster::default() };
    Ok(Reply::sync(&none)?.etag(&none))
}

fn described(own: OwnKey) -> ClusterMemberConfigKey {
    let OwnKey { entity, name, key } = own;
    let description = format!("{key:?} property for {} {name:?}", entity.replace('-', " "));
    ClusterMemberConfigKey { entity, name, key, value: String::new(), description }
}

/// Leaving a cluster is done where there is none.
fn change(call: &Call) -> Result<Reply> {
    let put: ClusterPut = call.json()?;
    if put.enabled && put.server_name.is_empty() {
        return Err(Error::invalid("ServerName is required when enabling clustering"));
    }
    if put.enabled {
        return Err(Error::not_implemented("Clustering is not there yet"));
    }
    Ok(Reply::empty())
}

/// Looked at as LXD looks at it, whose words have a mistake at their end.
fn certificate(call: &Call) -> Result<Reply> {
    let put: ClusterCertificatePut = call.json()?;
    let is_pem = |text: &str| text.contains("-----BEGIN ") && text.contains("-----END ");
    if !is_pem(&put.cluster_certificate) {
        return Err(Error::invalid("Certificate must be base64 encoded PEM certificate: %!w(<nil>)"));
    }
    if !is_pem(&put.cluster_certificate_key) {
        return Err(Error::invalid("Private key must be base64 encoded PEM key: %!w(<nil>)"));
    }
    no_cluster(call)
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

// What LXD says when it looks for the rows of a cluster that there is not.

fn rename_member(_: &Call) -> Result<Reply> {
    Err(Error::internal("expected to update one row, not 0"))
}

fn rename_group(call: &Call) -> Result<Reply> {
    match call.part("name") {
        "default" => Err(Error::forbidden("The \"default\" group cannot be renamed")),
        _ => no_cluster(call),
    }
}

fn delete_group(call: &Call) -> Result<Reply> {
    Err(match call.part("name") {
        "default" => Error::forbidden("The 'default' cluster group cannot be deleted"),
        _ => Error::internal("Query deleted 0 rows instead of 1"),
    })
}
