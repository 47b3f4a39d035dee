//! How an operation of a migration begins: it waits for clients to connect its websockets, or connects to another server's.

use std::collections::BTreeMap;
use std::sync::Arc;

use corten_api::error::{Error, Result};

use super::rsync;
use super::session::{CHANNELS, Channels, PATIENCE, Peer, Session};
use crate::app::App;
use crate::rest::operation::{Op, Plan};

/// Which side opens the websockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The other one, or a client between the two.
    Wait,
    /// This one does, as part of the operation.
    Dial(Peer),
}

impl Way {
    /// That of a target, by the mode in its request.
    ///
    /// # Errors
    /// 501 for another mode than `pull` and `push`, 500 (so does LXD) when a secret is missing.
    pub fn of_target(
        mode: &str,
        operation: &str,
        certificate: &str,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Way> {
        match mode {
            "push" => Ok(Way::Wait),
            "pull" => {
                if let Some(missing) = CHANNELS.iter().find(|name| !secrets.contains_key(**name)) {
                    return Err(Error::internal(format!("Missing {missing} secret")));
                }
                let (operation, certificate) = (operation.to_string(), certificate.to_string());
                Ok(Way::Dial(Peer { operation, certificate, secrets: secrets.clone() }))
            }
            other => Err(Error::not_implemented(format!("Mode {other:?} not implemented"))),
        }
    }
}

/// Starts an operation that talks with another server. It should be one that can be cancelled only for a source that waits,
/// as in LXD: clients take a cancelled operation for one that ended well, and remove the source of a move then.
///
/// # Errors
/// When rsync is not installed, or the daemon shuts down.
pub fn start(
    app: &Arc<App>,
    plan: Plan,
    way: Way,
    work: impl FnOnce(Session, &Op) -> Result<()> + Send + 'static,
) -> Result<Op> {
    rsync::must_be_installed()?;
    let runtime = app.runtime.clone();
    match way {
        Way::Wait => app.operations.run_connected(plan, &CHANNELS, PATIENCE, move |op, sockets| {
            work(Session::new(Channels::connected(sockets)?, op, &runtime), op)
        }),
        Way::Dial(peer) => app.operations.run(plan, move |op| {
            let channels = crate::app::images::fetch::wait_on(&runtime, op, Channels::dial(&peer))?;
            work(Session::new(channels, op, &runtime), op)
        }),
    }
}

/// Starts to send: to a target that waits for it, or to whoever connects to the operation.
///
/// # Errors
/// Those of [`start`], and when the target cannot be reached.
pub fn offer(
    app: &Arc<App>,
    plan: Plan,
    target: Option<&Peer>,
    work: impl FnOnce(Session, &Op) -> Result<()> + Send + 'static,
) -> Result<Op> {
    match target {
        None => start(app, plan.cancellable(), Way::Wait, work),
        Some(peer) => start_to(app, plan, peer, work),
    }
}

/// As [`start`], for a source that pushes: it has connected when this returns, so that its client can try another address.
fn start_to(
    app: &Arc<App>,
    plan: Plan,
    peer: &Peer,
    work: impl FnOnce(Session, &Op) -> Result<()> + Send + 'static,
) -> Result<Op> {
    rsync::must_be_installed()?;
    let runtime = app.runtime.clone();
    let channels = runtime.block_on(Channels::dial(peer))?;
    app.operations.run(plan, move |op| work(Session::new(channels, op, &runtime), op))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_says_who_connects() {
        let secrets: BTreeMap<String, String> =
            [("control", "a"), ("fs", "b")].map(|(name, secret)| (name.to_string(), secret.to_string())).into();
        let way = |mode: &str, secrets: &BTreeMap<String, String>| Way::of_target(mode, "https://x/1.0", "", secrets);
        assert_eq!(way("push", &BTreeMap::new()), Ok(Way::Wait));
        assert!(matches!(way("pull", &secrets), Ok(Way::Dial(peer)) if peer.secrets == secrets));
        assert_eq!(way("pull", &BTreeMap::new()).expect_err("no secrets").message, "Missing control secret");
        assert_eq!(way("relay", &secrets).expect_err("no such mode").message, "Mode \"relay\" not implemented");
    }
}
