//! `lxc delete`: instances and snapshots.

use std::io::BufRead;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_state::InstanceStatePut;
use corten_api::status::StatusCode;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::printer;
use crate::session::{Resource, Session};

pub static COMMAND: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<instance>[/<snapshot>] [[<remote>:]<instance>[/<snapshot>]...]",
    about: "Delete instances and snapshots",
    flags: &[
        Flag::switch("force", "Force the removal of running instances").short('f'),
        Flag::switch("interactive", "Require user confirmation").short('i'),
    ],
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let resources = session.resources(&arguments.words).await?;
    for resource in &resources {
        check_exists(resource).await?;
    }
    for resource in &resources {
        if arguments.is_set("interactive") {
            confirm(&resource.name)?;
        }
        delete(resource, arguments.is_set("force"), false).await?;
    }
    Ok(())
}

async fn check_exists(resource: &Resource) -> Result<()> {
    let Resource { remote, server, name } = resource;
    match name.split_once('/') {
        Some((instance, snapshot)) => server
            .instance_snapshot(instance, snapshot)
            .await
            .map(drop)
            .with_context(|| format!("Failed checking instance snapshot exists \"{remote}:{name}\"")),
        None => server
            .instance(name)
            .await
            .map(drop)
            .with_context(|| format!("Failed checking instance exists \"{remote}:{name}\"")),
    }
}

fn confirm(name: &str) -> Result<()> {
    printer::print(&format!("Remove {name} (yes/no): "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("Can't read from stdin")?;
    if answer.trim_end_matches('\n').eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Error::invalid("User aborted delete operation"))
}

/// Deletes an instance or a snapshot; `force` stops a running one first, `even_protected` takes its protection away.
///
/// # Errors
/// The server's own error, or that it runs.
pub async fn delete(resource: &Resource, force: bool, even_protected: bool) -> Result<()> {
    let (server, name) = (&resource.server, resource.name.as_str());
    if name.contains('/') {
        return server.delete_instance(name).await?.wait().await.map(drop);
    }
    let (instance, _) = server.instance(name).await?;
    if !matches!(instance.status_code, StatusCode::Unknown | StatusCode::Stopped) {
        if !force {
            let text = "The instance is currently running, stop it first or pass --force";
            return Err(Error::invalid(text));
        }
        let put =
            InstanceStatePut { action: "stop".to_owned(), timeout: -1, force: true, ..InstanceStatePut::default() };
        let running = server.change_instance_state(name, &put).await?;
        running.wait().await.context("Stopping the instance failed")?;
        if instance.ephemeral {
            return Ok(());
        }
    }
    let protection = instance.expanded_config.get("security.protection.delete");
    if even_protected && protection.is_some_and(|value| is_true(value)) {
        // It may have changed by being stopped.
        let (instance, etag) = server.instance(name).await?;
        let mut put = instance.writable();
        put.config.insert("security.protection.delete".to_owned(), "false".to_owned());
        server.update_instance(name, &put, &etag).await?.wait().await?;
    }
    server.delete_instance(name).await?.wait().await.map(drop)
}

/// Whether LXD takes a configuration value for a yes.
fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "true" | "1" | "yes" | "on")
}
