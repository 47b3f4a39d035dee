//! The steps of a start, in their order.

use super::{Options, systemd};
use crate::app::App;
use crate::app::images;
use crate::app::instances::{adopt, ended};
use crate::app::networks;
use crate::app::ready::Stage;
use crate::app::storage;
use crate::rest::listen::{self, Https};
use crate::rest::serve::Server;
use crate::rest::{sockets, tls};
use corten_api::error::{Context, Result};
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
    Step { name: "leftovers of images", run: |app, _| images::sweep::sweep(app) },
    Step { name: "networks", run: |app, _| networks::up_all(app) },
    Step { name: "running instances", run: |app, _| adopt::adopt(app) },
    Step { name: "ends of instances", run: |app, _| listen_for_ends(app) },
    Step { name: "sockets", run: open_sockets },
    Step { name: "instances to start", run: |app, _| Ok(adopt::autostart(app)) },
];

/// Hears of containers that end, on a thread of its own.
fn listen_for_ends(app: &Arc<App>) -> Result<()> {
    let app = app.clone();
    let listen = move || tracing::error!("{}", ended::listen(&app));
    std::thread::Builder::new().name("ends".to_string()).spawn(listen).context("Failed to start a thread")?;
    Ok(())
}

fn open_sockets(app: &Arc<App>, options: &Options) -> Result<()> {
    let server = Server::new(app.clone(), crate::routes::ALL);
    let inherited = systemd::sockets()?;
    let unix = match inherited.unix {
        Some(listener) => listener,
        None => sockets::unix(&app.dirs.socket, options.group.as_deref())?,
    };
    listen::unix(&app.runtime, server.clone(), unix)?;
    let insecure = std::env::var_os("LXD_INSECURE_TLS").is_some();
    let https = Https::new(app.runtime.clone(), server, tls::server(&app.identity, insecure)?);
    match inherited.tcp {
        Some(listener) => https.adopt(listener)?,
        None => {
            // As in LXD, an address that is gone must not keep the daemon from starting.
            if let Some(address) = app.settings.get("core.https_address") {
                let address = sockets::parse_address(&address, sockets::DEFAULT_PORT)?;
                if let Err(error) = https.listen_on(Some(address)) {
                    tracing::error!("{error}");
                }
            }
        }
    }
    let _ = app.https.set(https);
    app.ready.reach(Stage::Serving);
    Ok(())
}
