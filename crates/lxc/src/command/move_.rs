//! `lxc move`: a rename, a change of pool, project or cluster member, or a copy to another server and a delete here.

use corten_api::error::{Context, Error, Result};
use corten_api::instance::InstancePost;
use corten_api::instance_snapshot::InstanceSnapshotPost;
use corten_api::url::path;
use corten_client::server::Server;
use hyper::Method;

use super::{copy, delete};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity;
use crate::progress::{self, Progress};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "move",
    aliases: &["mv"],
    usage: "[<remote>:]<instance>[/<snapshot>] [<remote>:][<instance>[/<snapshot>]]",
    about: "Move instances within or in between LXD servers",
    long: "Move instances within or in between LXD servers\n\nTransfer modes (--mode):\n - pull: the target fetches from the source, which must be reachable (default)\n - push: the source sends to the target, which must be reachable\n - relay: this program sits between the two",
    examples: "lxc move [<remote>:]<source instance> [<remote>:][<destination instance>] [--instance-only]\n    Move an instance between two hosts, renaming it if destination name differs.\n\nlxc move <old name> <new name> [--instance-only]\n    Rename a local instance.\n\nlxc move <instance>/<old snapshot name> <instance>/<new snapshot name>\n    Rename a snapshot.",
    flags: &[
        Flag::texts("config", "Config key/value to apply to the target instance").short('c'),
        Flag::texts("device", "New key/value to apply to a specific device").short('d'),
        Flag::texts("profile", "Profile to apply to the target instance").short('p'),
        Flag::switch("no-profiles", "Unset all profiles on the target instance"),
        Flag::switch("instance-only", "Move the instance without its snapshots"),
        Flag::text("mode", "Transfer mode. One of pull, push or relay.").or("pull"),
        Flag::switch("stateless", "Copy a stateful instance stateless"),
        Flag::text("storage", "Storage pool name").short('s'),
        Flag::text("target", "Cluster member name"),
        Flag::text("target-project", "Copy to a project different from the source"),
        Flag::switch("allow-inconsistent", "Ignore copy errors for volatile files"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (target, storage, project) =
        (arguments.text("target"), arguments.text("storage"), arguments.text("target-project"));
    if target.is_empty() && storage.is_empty() && project.is_empty() && arguments.len() < 2 {
        // With one word only a move to another member, pool or project makes sense; LXD shows its help for the rest.
        return Err(Error::invalid("Invalid number of arguments"));
    }
    let source = arguments.word(0);
    let (remote, name) = session.parse_remote(source)?;
    let (other, wanted) = match arguments.len() {
        2 => session.parse_remote(arguments.word(1))?,
        _ => (remote.clone(), String::new()),
    };
    if remote != other {
        return over_the_network(session, arguments, &other).await;
    }
    if target.is_empty() && storage.is_empty() && project.is_empty() {
        if ["config", "device", "profile", "no-profiles"].iter().any(|flag| arguments.given(flag)) {
            let text = "Can't override configuration or profiles in local rename";
            return Err(Error::invalid(text));
        }
        return rename(session, source, &wanted).await;
    }
    check_flags(arguments, target, storage)?;
    if name.is_empty() {
        return Err(Error::invalid("You must specify a source instance name"));
    }
    let server = session.server(&remote).await?;
    let post = InstancePost {
        name: if wanted.is_empty() { name.clone() } else { wanted },
        migration: true,
        live: !arguments.is_set("stateless"),
        instance_only: arguments.is_set("instance-only"),
        pool: if target.is_empty() { storage.to_owned() } else { String::new() },
        project: if target.is_empty() && storage.is_empty() { project.to_owned() } else { String::new() },
        ..InstancePost::default()
    };
    if !target.is_empty() && !entity::is_clustered(&server).await? {
        return Err(Error::invalid("The source LXD server is not clustered"));
    }
    on_the_server(session, &server.at_member(target), &name, &post).await
}

/// Flags that make no sense together.
fn check_flags(arguments: &Arguments, target: &str, storage: &str) -> Result<()> {
    let (with, refused): (_, &[&str]) = match (target, storage) {
        ("", "") => ("--target-project", &["mode"]),
        ("", _) => ("--storage", &["mode"]),
        _ => ("--target", &["instance-only", "storage", "target-project", "mode"]),
    };
    for flag in refused {
        if arguments.given(flag) && arguments.text(flag) != "pull" {
            return Err(Error::invalid(format!("The --{flag} flag can't be used with {with}")));
        }
    }
    Ok(())
}

/// Gives an instance or a snapshot another name.
///
/// # Errors
/// The server's own error, or that a snapshot would change its instance.
pub async fn rename(session: &Session, source: &str, name: &str) -> Result<()> {
    let resource = session.resource(source).await?;
    let (path, body) = match resource.name.split_once('/') {
        None => {
            let body = serde_json::to_value(InstancePost { name: name.to_owned(), ..InstancePost::default() });
            (path(["instances", &resource.name]), body)
        }
        Some((instance, snapshot)) => {
            let (parent, new) = name.split_once('/').unwrap_or((name, ""));
            if parent != instance {
                let text = "Invalid new snapshot name, parent must be the same as source";
                return Err(Error::invalid(text));
            }
            if !name.contains('/') {
                return Err(Error::invalid("Invalid new snapshot name"));
            }
            let post = InstanceSnapshotPost { name: new.to_owned(), ..InstanceSnapshotPost::default() };
            (path(["instances", instance, "snapshots", snapshot]), serde_json::to_value(post))
        }
    };
    let body = body.context("Failed to write the request")?;
    resource.server.start(Method::POST, &path, &body, "").await?.wait().await.map(drop)
}

/// A move that the server does by itself.
async fn on_the_server(session: &Session, server: &Server, name: &str, post: &InstancePost) -> Result<()> {
    let started = server.start(Method::POST, &path(["instances", name]), post, "").await;
    let mut progress = Progress::new("Transferring instance: %s", session.quiet);
    let ended = progress::wait(&started.context("Migration API failure")?, &mut progress).await;
    ended.context("Migration operation failure")?;
    progress.done("");
    Ok(())
}

/// A copy to another server, then a delete here.
async fn over_the_network(session: &Session, arguments: &Arguments, other: &str) -> Result<()> {
    if !arguments.text("target").is_empty() && !entity::is_clustered(&session.server(other).await?).await? {
        return Err(Error::invalid("The destination LXD server is not clustered"));
    }
    let how = copy::How {
        keep_volatile: true,
        ephemeral: None,
        live: !arguments.is_set("stateless"),
        start_again: true,
        refresh: false,
    };
    copy::copy(session, arguments, &how).await?;
    let resource = session.resource(arguments.word(0)).await?;
    delete::delete(&resource, true, true).await.context("Failed to delete original instance after copying it")
}
