//! The way of an instance to its copy: within a server, or from one to another.

use corten_api::error::{Context, Result};
use corten_api::instance::{InstancePost, InstancePostTarget, InstancesPost};
use corten_api::operation::Operation;
use corten_api::url::path;
use corten_client::operation::Running;
use corten_client::server::Server;
use hyper::Method;

use super::transfer::{self, Ends, Origin};
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
    let ends = Ends { source, target, creation: "Failed instance creation", migration: "Failed instance migration" };
    let take = async |origin: Origin| {
        let mut post = post.clone();
        origin.mode.clone_into(&mut post.source.mode);
        post.source.operation = origin.operation;
        post.source.certificate = origin.certificate;
        post.source.secrets = origin.secrets;
        target.create_instance(&post).await
    };
    transfer::transfer(&ends, mode, async |to| offer(source, name, &post, to).await, take, progress).await
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
        // A snapshot is let go only under a new name.
        name: if name.contains('/') { post.name.clone() } else { String::new() },
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
