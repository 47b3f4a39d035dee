//! The ordered end: operations are waited for, instances stopped, and only then the process ends.

use crate::app::App;
use crate::app::instances::adopt;
use crate::app::networks;
use crate::app::ready::Stage;
use crate::app::storage::pools::Pools;
use corten_api::error::{Context, Error, Result};
use corten_db::table;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Tells the main thread that nothing is left to do.
pub struct End(watch::Sender<bool>);

impl Default for End {
    fn default() -> End {
        End(watch::Sender::new(false))
    }
}

/// How long the answer to `lxd shutdown` has to reach its client before the process ends.
const LAST_WORDS: Duration = Duration::from_millis(100);

impl End {
    /// Waits, as async code does, for the end.
    pub async fn reached(&self) {
        let mut end = self.0.subscribe();
        let _ = end.wait_for(|reached| *reached).await;
        tokio::time::sleep(LAST_WORDS).await;
    }
}

/// Starts the ordered end on a thread of its own; what comes out is how it went. `force` waits for no operation.
///
/// # Errors
/// When it goes on already, or there is no thread.
pub fn begin(app: &Arc<App>, force: bool) -> Result<oneshot::Receiver<Result<()>>> {
    if app.ready.is_shutting_down() {
        return Err(Error::internal("Shutdown already in progress"));
    }
    app.ready.reach(Stage::ShuttingDown);
    let (sender, ended) = oneshot::channel();
    let app = app.clone();
    std::thread::Builder::new()
        .name("shutdown".to_string())
        .spawn(move || {
            let outcome = run(&app, force);
            if let Err(error) = &outcome {
                tracing::error!("Failed shutdown: {error}");
            }
            let _ = sender.send(outcome);
            app.end.0.send_replace(true);
        })
        .context("Failed to start a thread")?;
    Ok(ended)
}

fn run(app: &Arc<App>, force: bool) -> Result<()> {
    tracing::info!("Starting shutdown sequence");
    super::systemd::notify("STOPPING=1");
    app.operations.close();
    if !force {
        wait_for_operations(app);
    }
    for part in PARTS {
        (part.run)(app).with_context(|| format!("Failed to shut down ({})", part.name))?;
    }
    super::systemd::remove_socket(&app.dirs.socket);
    Ok(())
}

/// Waits until no operation runs, at most `core.shutdown_timeout` minutes (5 unless set).
fn wait_for_operations(app: &Arc<App>) {
    let minutes = app.settings.get("core.shutdown_timeout").and_then(|text| text.parse().ok()).unwrap_or(5);
    let running = app.operations.all().into_iter().filter(|op| !op.status().is_final());
    let waiting: Vec<_> = running.filter(|op| op.class() == crate::rest::operation::Class::Task).collect();
    let all = async {
        for op in &waiting {
            op.wait().await;
        }
    };
    if app.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60 * minutes), all).await }).is_err() {
        tracing::warn!("Some operations did not end in time, and are left behind");
    }
}

/// One part of the daemon that has to be brought to an end.
pub struct Part {
    /// What an error names it.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Arc<App>) -> Result<()>,
}

/// What is stopped, in this order.
pub const PARTS: &[Part] = &[
    Part { name: "instances", run: stop_instances },
    Part { name: "networks", run: stop_networks },
    Part { name: "storage pools", run: unmount_pools },
];

/// Stops every instance; one that does not end keeps no other from ending.
fn stop_instances(app: &Arc<App>) -> Result<()> {
    adopt::stop_all(app);
    Ok(())
}

/// Takes every network down; one that stays keeps no other from going.
fn stop_networks(app: &Arc<App>) -> Result<()> {
    for row in app.view(|view| Ok(table::networks::list(view, None)?))? {
        if let Err(error) = networks::open(app, &row).and_then(|network| Ok(network.down()?)) {
            tracing::warn!(network = row.name, "Failed to take the network down: {error}");
        }
    }
    Ok(())
}

/// Unmounts every pool; one that is in use stays mounted.
fn unmount_pools(app: &Arc<App>) -> Result<()> {
    for row in app.view(|view| Ok(table::storage_pools::list(view)?))? {
        if let Err(error) = Pools::get(app, &row.name).and_then(|pool| Ok(pool.unmount()?)) {
            tracing::warn!(pool = row.name, "Failed to unmount the storage pool: {error}");
        }
    }
    Ok(())
}
