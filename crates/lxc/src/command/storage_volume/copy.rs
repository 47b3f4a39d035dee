//! `lxc storage volume copy` and `move`: within one server, or from one to another.

use corten_api::error::{Context, Error, Result};
use corten_api::instance::InstancePostTarget;
use corten_api::operation::Operation;
use corten_api::status::StatusCode;
use corten_api::storage_pool_volume::{
    StorageVolume, StorageVolumePost, StorageVolumePostTarget, StorageVolumeSource, StorageVolumesPost,
};
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::url;
use corten_client::operation::Running;
use corten_client::server::{Server, json};
use hyper::Method;

use super::{CUSTOM, path};
use crate::arguments::{Arguments, Flag};
use crate::command::transfer::{self, Origin};
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::session::{Resource, Session};
use crate::{entity, run};

const MODE: Flag = Flag::text("mode", "Transfer mode. One of pull (default), push or relay.").or("pull");
const DESTINATION_TARGET: Flag = Flag::text("destination-target", "Destination cluster member name");

/// `copy`.
pub static COPY: Command = Command {
    name: "copy",
    aliases: &["cp"],
    usage: "[<remote>:]<pool>/<volume>[/<snapshot>] [<remote>:]<pool>/<volume>",
    about: "Copy storage volumes",
    flags: &[
        DESTINATION_TARGET,
        MODE,
        Flag::switch("refresh", "Refresh and update the existing storage volume copies"),
        entity::TARGET,
        Flag::text("target-project", "Copy to a project different from the source"),
        Flag::switch("volume-only", "Copy the volume without its snapshots"),
    ],
    words: (2, Some(2)),
    run: run!(copy),
    ..Command::EMPTY
};

/// `move`.
pub static MOVE: Command = Command {
    name: "move",
    aliases: &["mv"],
    usage: "[<remote>:]<pool>/<volume> [<remote>:]<pool>/<volume>",
    about: "Move storage volumes between pools",
    flags: &[
        DESTINATION_TARGET,
        MODE,
        entity::TARGET,
        Flag::text("target-project", "Move to a project different from the source"),
    ],
    words: (2, Some(2)),
    run: run!(move_to),
    ..Command::EMPTY
};

/// Source and target of a copy or move.
struct Ends {
    source: Resource,
    source_pool: String,
    /// With a snapshot's name after a slash, if one is copied.
    source_volume: String,
    /// Whether both ends are the same remote.
    same: bool,
    volume: StorageVolume,
    target: Server,
    target_pool: String,
    target_volume: String,
}

fn pool_and_volume(name: &str, which: &str) -> Result<(String, String)> {
    name.split_once('/')
        .map(|(pool, volume)| (pool.to_owned(), volume.to_owned()))
        .ok_or_else(|| Error::invalid(format!("No storage pool for {which} volume specified")))
}

async fn ends(session: &Session, arguments: &Arguments) -> Result<Ends> {
    let mut source = session.resource(arguments.word(0)).await?;
    let target = session.resource(arguments.word(1)).await?;
    if source.name.is_empty() {
        return Err(Error::invalid("Missing source volume name"));
    }
    source.server = entity::at_target(source.server, arguments);
    let (source_pool, source_volume) = pool_and_volume(&source.name, "source")?;
    let (target_pool, target_volume) = pool_and_volume(&target.name, "target")?;
    let same = source.remote == target.remote;
    if !same && !arguments.text("destination-target").is_empty() {
        return Err(Error::invalid("Cannot use ---destination-target when copying to another remote"));
    }
    let (parent, snapshot) = source_volume
        .split_once('/')
        .map_or((source_volume.as_str(), None), |(volume, snapshot)| (volume, Some(snapshot)));
    let mut volume: StorageVolume = source.server.get(&path(&source_pool, CUSTOM, parent, None)).await?;
    if snapshot.is_some() {
        let taken: StorageVolumeSnapshot = source.server.get(&path(&source_pool, CUSTOM, parent, snapshot)).await?;
        volume.name.clone_from(&source_volume);
        volume.config = taken.config;
        volume.description = taken.description;
    }
    let member = match arguments.text("destination-target") {
        "" => volume.location.clone(),
        given => given.to_owned(),
    };
    let member = if member == "none" { String::new() } else { member };
    if arguments.text("target").is_empty() {
        source.server = source.server.at_member(&member);
    }
    let target = if same { target.server.at_member(&member) } else { target.server };
    Ok(Ends { source, source_pool, source_volume, same, volume, target, target_pool, target_volume })
}

async fn watch(session: &Session, running: &Running, doing: &'static str, done: &str) -> Result<()> {
    let mut progress = Progress::new(doing, session.quiet);
    match progress::wait(running, &mut progress).await {
        Ok(_) => {
            progress.done(done);
            Ok(())
        }
        Err(error) => {
            progress.done("");
            Err(error)
        }
    }
}

async fn copy(session: &Session, arguments: &Arguments) -> Result<()> {
    let ends = ends(session, arguments).await?;
    let words = ("Copying the storage volume: %s", "Storage volume copied successfully!");
    copy_between(session, arguments, ends, words).await
}

async fn copy_between(
    session: &Session,
    arguments: &Arguments,
    ends: Ends,
    (doing, done): (&'static str, &str),
) -> Result<()> {
    let project = arguments.text("target-project");
    let target = if project.is_empty() { ends.target.clone() } else { ends.target.in_project(project) };
    let from_project = if target.project() == ends.source.server.project() { "" } else { ends.source.server.project() };
    let alone = ends.source_volume.contains('/') || arguments.is_set("volume-only");
    let mut request = StorageVolumesPost {
        name: ends.target_volume,
        r#type: CUSTOM.to_owned(),
        content_type: ends.volume.content_type,
        config: ends.volume.config,
        description: ends.volume.description,
        source: StorageVolumeSource {
            name: ends.source_volume.clone(),
            r#type: "copy".to_owned(),
            pool: ends.source_pool.clone(),
            volume_only: arguments.is_set("volume-only"),
            refresh: arguments.is_set("refresh"),
            project: from_project.to_owned(),
            ..StorageVolumeSource::default()
        },
        ..StorageVolumesPost::default()
    };
    let source = &ends.source.server;
    let into = url::path(["storage-pools", &ends.target_pool, "volumes", CUSTOM]);
    if source.endpoint().is_same(target.endpoint()) {
        let running = target.start(Method::POST, &into, &request, "").await?;
        return watch(session, &running, doing, done).await;
    }
    target.require_extension("storage_api_remote_volume_handling").await?;
    "migration".clone_into(&mut request.source.r#type);
    let between = transfer::Ends {
        source,
        target: &target,
        creation: "Failed storage volume creation",
        migration: "Failed storage volume migration",
    };
    let take = async |origin: Origin| {
        let mut request = request.clone();
        origin.mode.clone_into(&mut request.source.mode);
        request.source.operation = origin.operation;
        request.source.certificate = origin.certificate;
        request.source.secrets = origin.secrets;
        target.start(Method::POST, &into, &request, "").await
    };
    let from = path(&ends.source_pool, CUSTOM, &ends.source_volume, None);
    let offer = async |to: Option<InstancePostTarget>| {
        let to = to.map(|InstancePostTarget { certificate, operation, secrets }| StorageVolumePostTarget {
            certificate,
            operation,
            secrets,
        });
        let request = StorageVolumePost {
            name: ends.source_volume.clone(),
            pool: ends.source_pool.clone(),
            migration: true,
            volume_only: alone,
            target: to,
            ..StorageVolumePost::default()
        };
        source.start(Method::POST, &from, &request, "").await
    };
    let mut progress = Progress::new(doing, session.quiet);
    let mode = arguments.text_or("mode", "pull");
    let ended = transfer::transfer(&between, mode, offer, take, &mut progress).await;
    progress.done(if ended.is_ok() { done } else { "" });
    ended.map(drop)
}

async fn move_to(session: &Session, arguments: &Arguments) -> Result<()> {
    let ends = ends(session, arguments).await?;
    if !ends.same {
        return to_another_server(session, arguments, ends).await;
    }
    let request = StorageVolumePost {
        name: ends.target_volume,
        pool: ends.target_pool,
        project: arguments.text("target-project").to_owned(),
        ..StorageVolumePost::default()
    };
    let path = path(&ends.source_pool, CUSTOM, &ends.source_volume, None);
    let server = &ends.source.server;
    let (reply, _) = server.ask(json(Method::POST, &path, &request)?).await?;
    // Within a pool a move is a rename, which is done at once.
    let running = if reply.kind == "async" { reply.read()? } else { finished() };
    let running = Running::new(server.clone(), running);
    watch(session, &running, "Moving the storage volume: %s", "Storage volume moved successfully!").await
}

/// A copy to another server, then a delete here.
async fn to_another_server(session: &Session, arguments: &Arguments, ends: Ends) -> Result<()> {
    let (server, pool, name) = (ends.source.server.clone(), ends.source_pool.clone(), ends.source_volume.clone());
    // What is said last is said when the volume is gone here.
    copy_between(session, arguments, ends, ("Moving the storage volume: %s", "")).await?;
    let (volume, snapshot) = name.split_once('/').map_or((name.as_str(), None), |(volume, one)| (volume, Some(one)));
    let gone = server.delete(&path(&pool, CUSTOM, volume, snapshot)).await;
    gone.context("Failed deleting source volume after copy")?;
    Progress::new("", session.quiet).done("Storage volume moved successfully!");
    Ok(())
}

/// An operation that is over.
fn finished() -> Operation {
    Operation { status_code: StatusCode::Success, ..Operation::default() }
}
