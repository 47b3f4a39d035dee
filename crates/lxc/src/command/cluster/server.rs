//! `lxc cluster enable`, `update-certificate`, `evacuate` and `restore`: what is done to whole servers.

use corten_api::cluster::{Cluster, ClusterCertificatePut, ClusterMemberStatePost, ClusterPut};
use corten_api::error::{Context, Error, Result};
use hyper::Method;
use serde_json::Value;

use super::{OfMember, require_cluster};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{Entity, say};
use crate::progress::{self, Progress};
use crate::session::Session;
use crate::{printer, question, run};

/// `enable`.
pub static ENABLE: Command = Command {
    name: "enable",
    usage: "[<remote>:] <name>",
    about: "Enable clustering on a single non-clustered LXD server",
    long: "Enable clustering on a single non-clustered LXD server\n\nThe server becomes the first member of a new cluster, with the given name.\nIt must be available on the network, and its members will reach it there.",
    words: (1, Some(2)),
    run: run!(enable),
    ..Command::EMPTY
};

const FORCE: Flag = Flag::switch("force", "Force evacuation without user confirmation");

/// `evacuate`.
pub static EVACUATE: Command = Command {
    name: "evacuate",
    aliases: &["evac"],
    usage: "[<remote>:]<member>",
    about: "Evacuate cluster member",
    flags: &[FORCE],
    words: (1, Some(1)),
    run: run!(evacuate),
    ..Command::EMPTY
};

/// `restore`.
pub static RESTORE: Command = Command {
    name: "restore",
    usage: "[<remote>:]<member>",
    about: "Restore cluster member",
    flags: &[FORCE],
    words: (1, Some(1)),
    run: run!(restore),
    ..Command::EMPTY
};

/// `update-certificate`.
pub static UPDATE_CERTIFICATE: Command = Command {
    name: "update-certificate",
    aliases: &["update-cert"],
    usage: "[<remote>:] <cert.crt> <cert.key>",
    about: "Update cluster certificate",
    long: "Update cluster certificate with a PEM certificate and key that are read from files",
    words: (2, Some(3)),
    run: run!(update_certificate),
    ..Command::EMPTY
};

/// The remote before `needed` words, which is only there when there is one word more.
fn remote_and_words(arguments: &Arguments, needed: usize) -> (&str, &[String]) {
    if arguments.len() > needed { (arguments.word(0), arguments.rest(1)) } else { ("", arguments.rest(0)) }
}

async fn enable(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, words) = remote_and_words(arguments, 1);
    let server = session.resource(remote).await?.server;
    let whole: corten_api::server::Server =
        server.get("/1.0").await.context("Failed to retrieve current server config")?;
    let address = whole.config.get("core.https_address").and_then(Value::as_str).unwrap_or_default();
    if address.is_empty() {
        return Err(Error::invalid("This LXD server is not available on the network"));
    }
    let (cluster, etag): (Cluster, _) =
        server.get_with_etag("/1.0/cluster").await.context("Failed to retrieve current cluster config")?;
    if cluster.enabled {
        return Err(Error::conflict("This LXD server is already clustered"));
    }
    let request = ClusterPut { server_name: words[0].clone(), enabled: true, ..ClusterPut::default() };
    let done = async { server.start(Method::PUT, "/1.0/cluster", &request, &etag).await?.wait().await };
    done.await.context("Failed to configure cluster")?;
    printer::print_line("Clustering enabled");
    Ok(())
}

async fn update_certificate(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, words) = remote_and_words(arguments, 2);
    let found = session.resource(remote).await?;
    require_cluster(&found.server).await?;
    let read = |file: &str, what: &str| {
        if !std::path::Path::new(file).exists() {
            return Err(Error::not_found(format!("Could not find {what} file path: {file}")));
        }
        std::fs::read_to_string(file)
            .map_err(|error| Error::invalid(format!("Could not read {what} file: {file} with error: {error}")))
    };
    let certificate = read(&words[0], "certificate")?;
    let request = ClusterCertificatePut {
        cluster_certificate: certificate.clone(),
        cluster_certificate_key: read(&words[1], "certificate key")?,
    };
    found.server.put("/1.0/cluster/certificate", &request, "").await?;
    let known = session.config.borrow().server_certificate(&found.remote);
    if known.exists() {
        std::fs::write(&known, certificate).with_context(|| {
            format!("Could not write new remote certificate for remote '{}' with error", found.remote)
        })?;
    }
    say(session, &format!("Successfully updated cluster certificates for remote {}", found.remote));
    Ok(())
}

async fn evacuate(session: &Session, arguments: &Arguments) -> Result<()> {
    act(session, arguments, "evacuate", "Evacuating cluster member: %s").await
}

async fn restore(session: &Session, arguments: &Arguments) -> Result<()> {
    act(session, arguments, "restore", "Restoring cluster member: %s").await
}

async fn act(session: &Session, arguments: &Arguments, action: &str, doing: &'static str) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let asked = || {
        question::yes(
            &format!("Are you sure you want to {action} cluster member {:?}? (yes/no) [default=no]: ", place.name),
            false,
        )
    };
    if !arguments.is_set("force") && !asked()? {
        return Ok(());
    }
    let request = ClusterMemberStatePost { action: action.to_owned(), ..ClusterMemberStatePost::default() };
    let path = format!("{}/state", place.path);
    let running =
        place.server.start(Method::POST, &path, &request, "").await.context("Failed to update cluster member state")?;
    let mut progress = Progress::new(doing, session.quiet);
    progress::wait(&running, &mut progress).await?;
    progress.done("");
    Ok(())
}
