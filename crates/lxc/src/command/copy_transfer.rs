//! The ways of an instance to its copy: within a server, pulled by the target, pushed by the source, or through us.

use std::collections::BTreeMap;

use corten_api::error::{Context, Error, Result};
use corten_api::instance::{InstancePost, InstancePostTarget, InstancesPost};
use corten_api::operation::Operation;
use corten_api::url::path;
use corten_client::image_source::try_each;
use corten_client::operation::Running;
use corten_client::server::Server;
use corten_client::websocket::relay;
use futures_util::future::join_all;
use hyper::Method;

use crate::progress::{self, Progress};

/// Makes the copy that `post` describes (but for its source) and gives the operation that made it.
///
/// # Errors
/// The servers' own errors, or that the mode is unknown.
pub async fn transfer(
    source: &Server,
    name: &str,
    target: &Server,
    mut post: InstancesPost,
    mode: &str,
    progress: &mut Progress,
) -> Result<Operation> {
    if source.endpoint().is_same(target.endpoint()) {
        "copy".clone_into(&mut post.source.r#type);
        name.clone_into(&mut post.source.source);
        if source.project() != target.project() {
            let project = if source.project().is_empty() { "default" } else { source.project() };
            project.clone_into(&mut post.source.project);
        }
        return progress::wait(&target.create_instance(&post).await?, progress).await;
    }
    "migration".clone_into(&mut post.source.r#type);
    match mode {
        "pull" => pull(source, name, target, post, progress).await,
        "push" => push(source, name, target, post, progress).await,
        "relay" => through_us(source, name, target, post, progress).await,
        _ => Err(Error::invalid(format!("Invalid transfer mode {mode:?}: one of pull, push or relay is meant"))),
    }
}

/// The source offers itself; the target fetches.
async fn pull(
    source: &Server,
    name: &str,
    target: &Server,
    mut post: InstancesPost,
    progress: &mut Progress,
) -> Result<Operation> {
    let directions = source.directions().await?;
    let offered = offer(source, name, &post, None).await?;
    "pull".clone_into(&mut post.source.mode);
    post.source.certificate.clone_from(&directions.certificate);
    post.source.secrets = secrets(offered.first());
    let outcome = try_each("Failed instance creation", &directions, async |address| {
        post.source.operation = format!("{address}/1.0/operations/{}", offered.id());
        progress::wait(&target.create_instance(&post).await?, progress).await
    })
    .await;
    if outcome.is_err() {
        // The source would wait for somebody who does not come.
        let _ = offered.cancel().await;
    }
    outcome
}

/// The target waits; the source sends.
async fn push(
    source: &Server,
    name: &str,
    target: &Server,
    mut post: InstancesPost,
    progress: &mut Progress,
) -> Result<Operation> {
    let directions = target.directions().await?;
    "push".clone_into(&mut post.source.mode);
    let waiting = target.create_instance(&post).await?;
    let mut to = InstancePostTarget {
        certificate: directions.certificate.clone(),
        secrets: secrets(waiting.first()),
        ..InstancePostTarget::default()
    };
    try_each("Failed instance migration", &directions, async |address| {
        to.operation = format!("{address}/1.0/operations/{}", waiting.id());
        progress::wait(&offer(source, name, &post, Some(to.clone())).await?, progress).await
    })
    .await?;
    waiting.wait().await
}

/// Both wait for us, and every byte comes through here.
async fn through_us(
    source: &Server,
    name: &str,
    target: &Server,
    mut post: InstancesPost,
    progress: &mut Progress,
) -> Result<Operation> {
    let offered = offer(source, name, &post, None).await?;
    "push".clone_into(&mut post.source.mode);
    let waiting = target.create_instance(&post).await?;
    let (theirs, ours) = (secrets(waiting.first()), secrets(offered.first()));
    if let Some(missing) = theirs.keys().find(|socket| !ours.contains_key(*socket)) {
        let text = format!("Migration target expects the \"{missing}\" socket but source isn't providing it");
        return Err(Error::internal(text));
    }
    let sockets = theirs.iter().filter_map(|(socket, theirs)| Some((theirs, ours.get(socket)?)));
    let between = join_all(sockets.map(async |(theirs, ours)| {
        let open = async |running: &Running, secret: &str| {
            let path = format!("/1.0/operations/{}/websocket?secret={secret}", running.id());
            running.server().websocket(&path).await
        };
        let (from, to) = tokio::try_join!(open(&offered, ours), open(&waiting, theirs))?;
        relay(from, to).await;
        Ok::<_, Error>(())
    }));
    let (ended, _) = tokio::join!(progress::wait(&waiting, progress), between);
    ended
}

/// Asks the source to let the instance, or one of its snapshots, go.
async fn offer(
    source: &Server,
    name: &str,
    post: &InstancesPost,
    target: Option<InstancePostTarget>,
) -> Result<Running> {
    let path = match name.split_once('/') {
        Some((instance, snapshot)) => path(["instances", instance, "snapshots", snapshot]),
        None => path(["instances", name]),
    };
    let body = InstancePost {
        migration: true,
        live: post.source.live,
        instance_only: post.source.instance_only,
        container_only: post.source.container_only,
        allow_inconsistent: post.source.allow_inconsistent,
        target,
        ..InstancePost::default()
    };
    source.start(Method::POST, &path, &body, "").await.context("Failed to offer the instance for migration")
}

/// The secrets of an operation's sockets.
fn secrets(operation: &Operation) -> BTreeMap<String, String> {
    let all = operation.metadata.iter().flatten();
    all.filter_map(|(socket, secret)| Some((socket.clone(), secret.as_str()?.to_owned()))).collect()
}
