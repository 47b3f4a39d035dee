//! The steps of a start, in their order.

use super::{Options, systemd, tasks, warnings};
use crate::app::App;
use crate::app::backups;
use crate::app::devlxd::{self, service::Devlxd};
use crate::app::images;
use crate::app::instances::{adopt, ended, follow_profile, recover, repair, settle};
use crate::app::network_zones;
use crate::app::networks;
use crate::app::ready::Stage;
use crate::app::storage;
use crate::dns::Dns;
use crate::rest::listen::{self, Https};
use crate::rest::serve::Server;
use crate::rest::turn::Turns;
use crate::rest::{sockets, tls};
use corten_api::error::{Context, Error, Result};
use std::sync::Arc;

/// One step.
pub struct Step {
    /// What an error names it.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Arc<App>, &Options) -> Result<()>,
}

/// All of them. What comes after the sockets goes on while requests are answered already.
pub const STEPS: &[Step] = &[
    Step { name: "trusted certificates", run: |app, _| app.load_trust() },
    Step { name: "storage pools", run: |app, _| storage::boot::mount_all(app) },
    Step { name: "leftovers of volumes", run: |app, _| storage::recover::recover(app) },
    Step { name: "leftovers of instances", run: |app, _| recover::recover(app) },
    Step { name: "records of snapshots", run: |app, _| repair::repair(app) },
    Step { name: "leftovers of images", run: |app, _| images::sweep::sweep(app) },
    Step { name: "leftovers of backups", run: |app, _| backups::sweep::sweep(app) },
    Step { name: "networks", run: |app, _| networks::up_all(app) },
    Step { name: "running instances", run: |app, _| adopt::adopt(app) },
    Step { name: "changes of running instances", run: |app, _| settle::settle(app) },
    Step { name: "changes of profiles", run: |app, _| follow_profile::recover(app) },
    Step { name: "ends of instances", run: |app, _| listen_for_ends(app) },
    Step { name: "sockets", run: open_sockets },
    Step { name: "ballast", run: |app, _| keep_ballast(app) },
    Step { name: "DNS of network zones", run: |app, _| open_dns(app) },
    Step { name: "upkeep of images", run: start_upkeep },
    Step { name: "warnings", run: |app, _| warnings::raise(app) },
    Step { name: "tasks", run: start_tasks },
    Step { name: "instances to start", run: start_instances },
];

/// Keeps room for deleting on a full disk; where there is none yet, the start goes on.
fn keep_ballast(app: &Arc<App>) -> Result<()> {
    app.db.keep_ballast();
    Ok(())
}

/// Starts what is done by the clock.
fn start_tasks(app: &Arc<App>, _: &Options) -> Result<()> {
    tasks::start(app);
    Ok(())
}

/// Starts what ran, or is to run; what fails is logged, and keeps nothing else from starting.
fn start_instances(app: &Arc<App>, _: &Options) -> Result<()> {
    adopt::autostart(app);
    Ok(())
}

/// Keeps images fresh from now on.
fn start_upkeep(app: &Arc<App>, _: &Options) -> Result<()> {
    images::upkeep::start(app);
    Ok(())
}

/// Hears of containers that end, on a thread of its own.
fn listen_for_ends(app: &Arc<App>) -> Result<()> {
    let app = app.clone();
    let listen = move || tracing::error!("{}", ended::listen(&app));
    std::thread::Builder::new().name("ends".to_string()).spawn(listen).context("Failed to start a thread")?;
    Ok(())
}

/// Listens where a key says. As in LXD, an address that is gone does not keep the daemon from starting.
fn listen_as_configured(app: &App, listener: &Https<App>, key: &str) {
    let Some(text) = app.settings.get(key) else { return };
    let address = sockets::parse_address(&text, sockets::DEFAULT_PORT);
    if let Err(error) = address.and_then(|address| listener.listen_on(Some(address))) {
        tracing::error!(key, "{error}");
    }
}

/// Listens where instances see `/dev/lxd/sock`. The folder stays the same over all daemons, so that containers that were
/// started by an earlier one see the socket of this one.
fn serve_instances(app: &Arc<App>) -> Result<()> {
    let listener = sockets::for_everyone(&app.dirs.var.join("devlxd").join(devlxd::SOCKET))?;
    let service = Devlxd { app: app.clone(), changes: Turns::default() };
    let server = Server::new(Arc::new(service), &[crate::routes::devlxd::ENDPOINTS]);
    let known = app.clone();
    listen::instances(&app.runtime, server, listener, move |stream| {
        let stranger = || Error::internal("pid not in container?");
        let credentials = stream.peer_cred().map_err(|_| stranger())?;
        let pid = credentials.pid().ok_or_else(stranger)?;
        devlxd::peer::hold(stream, pid, credentials.uid()).map_err(|_| stranger())?.instance(&known)
    })
}

/// Listens for questions about network zones, if that is configured. As with HTTPS, an address that is gone does not keep the
/// daemon from starting.
fn open_dns(app: &Arc<App>) -> Result<()> {
    if let Err(error) = app.listen_for_dns(&app.settings.all()) {
        tracing::error!("{error}");
    }
    Ok(())
}

fn open_sockets(app: &Arc<App>, options: &Options) -> Result<()> {
    let known = app.clone();
    let answering = Arc::new(move |from, way, message| network_zones::serve::answer(&known, from, way, message));
    let _ = app.dns.set(Dns::new(app.runtime.clone(), answering));
    let server = Server::new(app.clone(), crate::routes::ALL);
    let inherited = systemd::sockets()?;
    let unix = match inherited.unix {
        Some(listener) => listener,
        None => sockets::unix(&app.dirs.socket, options.group.as_deref())?,
    };
    listen::unix(&app.runtime, server.clone(), unix)?;
    serve_instances(app)?;
    let insecure = std::env::var_os("LXD_INSECURE_TLS").is_some();
    let config = tls::server(&app.identity, insecure, app.trust.authorities())?;
    let https = Https::new(app.runtime.clone(), server, config.clone());
    match inherited.tcp {
        Some(listener) => https.adopt(listener)?,
        None => listen_as_configured(app, &https, "core.https_address"),
    }
    let _ = app.https.set(https);
    let metrics = Server::new(app.clone(), crate::routes::METRICS);
    let metrics = Https::new(app.runtime.clone(), metrics, config);
    listen_as_configured(app, &metrics, "core.metrics_address");
    let _ = app.metrics.set(metrics);
    app.ready.reach(Stage::Serving);
    Ok(())
}
