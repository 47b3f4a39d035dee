//! What the daemon does by the clock.

use crate::app::{App, backups};
use crate::rest::operation::Class;
use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::error::DbError;
use corten_db::table::warnings;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// One thing that is done again and again.
struct Task {
    name: &'static str,
    every: Duration,
    run: fn(&Arc<App>) -> Result<()>,
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// All of them.
const TASKS: &[Task] = &[
    Task { name: "pruning resolved warnings", every: DAY, run: prune_warnings },
    Task { name: "removing expired backups", every: HOUR, run: backups::expire::expire },
    Task { name: "removing expired tokens", every: HOUR, run: remove_tokens },
];

/// Starts them; each runs once now, and then by the clock.
pub fn start(app: &Arc<App>) {
    for task in TASKS {
        let app = app.clone();
        app.runtime.clone().spawn(async move {
            let mut ticks = interval(task.every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let app = app.clone();
                let done = tokio::task::spawn_blocking(move || (task.run)(&app)).await;
                if let Ok(Err(error)) = done {
                    tracing::warn!("Failed {}: {error}", task.name);
                }
            }
        });
    }
}

/// Warnings whose cause has been gone for a day are forgotten.
fn prune_warnings(app: &Arc<App>) -> Result<()> {
    let before = Time::now().unix() - 24 * 3600;
    app.write(|tx| {
        let old = warnings::list(tx, None)?.into_iter().filter(|warning| {
            let changed = warning.updated.unwrap_or(warning.last_seen);
            warning.status == warnings::RESOLVED && changed.as_second() < before
        });
        let removed: Result<Vec<bool>, DbError> = old.map(|warning| warnings::delete(tx, &warning.uuid)).collect();
        removed?;
        Ok(())
    })
}

/// Tokens that nobody has used in time are taken back.
fn remove_tokens(app: &Arc<App>) -> Result<()> {
    let now = Time::now();
    for op in app.operations.all() {
        let expiry = op.metadata("expiresAt").and_then(|at| serde_json::from_value::<Time>(at).ok());
        if op.class() == Class::Token && !op.status().is_final() && expiry.is_some_and(|expiry| expiry < now) {
            app.operations.cancel(&op)?;
        }
    }
    Ok(())
}
