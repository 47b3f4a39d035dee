//! The ways of an instance or volume from one server to another: pulled by the target, pushed by the source, or through us.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::instance::InstancePostTarget;
use corten_api::operation::Operation;
use corten_client::image_source::try_each;
use corten_client::operation::Running;
use corten_client::server::Server;
use corten_client::websocket::relay;
use futures_util::future::join_all;

use crate::progress::{self, Progress};

/// What a target hears of where the thing comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `pull` or `push`.
    pub mode: &'static str,
    /// The URL of the source's operation.
    pub operation: String,
    /// The source's certificate, PEM.
    pub certificate: String,
    /// The secrets of its websockets, by their names.
    pub secrets: BTreeMap<String, String>,
}

/// Both ends, and how a user hears of failures.
pub struct Ends<'a> {
    /// Where it is.
    pub source: &'a Server,
    /// Where it goes to.
    pub target: &'a Server,
    /// Words for a target that fails.
    pub creation: &'a str,
    /// Words for a source that fails.
    pub migration: &'a str,
}

/// Takes a thing over. `offer` asks the source to let it go, to a target that waits if one is named; `take` asks the target for it.
///
/// # Errors
/// The servers' own errors, or that the mode is unknown.
pub async fn transfer(
    ends: &Ends<'_>,
    mode: &str,
    offer: impl AsyncFn(Option<InstancePostTarget>) -> Result<Running>,
    take: impl AsyncFn(Origin) -> Result<Running>,
    progress: &mut Progress,
) -> Result<Operation> {
    match mode {
        "pull" => pull(ends, offer, take, progress).await,
        "push" => push(ends, offer, take, progress).await,
        "relay" => through_us(offer, take, progress).await,
        _ => Err(Error::invalid(format!("Invalid transfer mode {mode:?}: one of pull, push or relay is meant"))),
    }
}

/// The source offers; the target fetches.
async fn pull(
    ends: &Ends<'_>,
    offer: impl AsyncFn(Option<InstancePostTarget>) -> Result<Running>,
    take: impl AsyncFn(Origin) -> Result<Running>,
    progress: &mut Progress,
) -> Result<Operation> {
    let directions = ends.source.directions().await?;
    let offered = offer(None).await?;
    let outcome = try_each(ends.creation, &directions, async |address| {
        let origin = Origin {
            mode: "pull",
            operation: format!("{address}/1.0/operations/{}", offered.id()),
            certificate: directions.certificate.clone(),
            secrets: secrets(offered.first()),
        };
        progress::wait(&take(origin).await?, progress).await
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
    ends: &Ends<'_>,
    offer: impl AsyncFn(Option<InstancePostTarget>) -> Result<Running>,
    take: impl AsyncFn(Origin) -> Result<Running>,
    progress: &mut Progress,
) -> Result<Operation> {
    let directions = ends.target.directions().await?;
    let waiting = take(Origin { mode: "push", ..Origin::default() }).await?;
    try_each(ends.migration, &directions, async |address| {
        let to = InstancePostTarget {
            operation: format!("{address}/1.0/operations/{}", waiting.id()),
            certificate: directions.certificate.clone(),
            secrets: secrets(waiting.first()),
        };
        progress::wait(&offer(Some(to)).await?, progress).await
    })
    .await?;
    waiting.wait().await
}

/// Both wait for us, and every byte comes through here.
async fn through_us(
    offer: impl AsyncFn(Option<InstancePostTarget>) -> Result<Running>,
    take: impl AsyncFn(Origin) -> Result<Running>,
    progress: &mut Progress,
) -> Result<Operation> {
    let offered = offer(None).await?;
    let waiting = take(Origin { mode: "push", ..Origin::default() }).await?;
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

/// The secrets of an operation's sockets.
fn secrets(operation: &Operation) -> BTreeMap<String, String> {
    let all = operation.metadata.iter().flatten();
    all.filter_map(|(socket, secret)| Some((socket.clone(), secret.as_str()?.to_owned()))).collect()
}
