//! What the daemon does by the clock.

use crate::app::instances::snapshots::by_clock as instance_snapshots;
use crate::app::storage::by_clock as volume_snapshots;
use crate::app::{App, backups};
use crate::rest::operation::Class;
use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::error::DbError;
use corten_db::table::warnings;
use jiff::civil::DateTime;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

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

/// What is done at each full minute of the host's clock.
type AtMinute = fn(&Arc<App>, DateTime) -> Result<()>;

/// All of it.
const AT_MINUTES: &[(&str, AtMinute)] = &[
    ("removing expired snapshots of instances", |app, _| instance_snapshots::remove_expired(app)),
    ("removing expired snapshots of volumes", |app, _| volume_snapshots::remove_expired(app)),
    ("taking scheduled snapshots of instances", instance_snapshots::take_due),
    ("taking scheduled snapshots of volumes", volume_snapshots::take_due),
];

/// The full minute that it is on the host's clock, in its time zone, and how long it is to the next.
fn minute_of(now: Time) -> (DateTime, Duration) {
    let minute = now.local("%Y-%m-%dT%H:%M").parse().unwrap_or(DateTime::MIN);
    let into = u64::try_from(now.unix().rem_euclid(60)).unwrap_or_default();
    // A little more than what is missing: a timer may be early by a fraction of a millisecond.
    (minute, Duration::from_secs(60 - into) + Duration::from_millis(50))
}

/// Waits for each full minute from the next one on; what a clock that was set skips is not made up for.
fn start_minutes(app: &Arc<App>) {
    let app = app.clone();
    app.runtime.clone().spawn(async move {
        let (mut last, mut left) = minute_of(Time::now());
        loop {
            sleep(left).await;
            let minute;
            (minute, left) = minute_of(Time::now());
            if minute == last {
                continue;
            }
            last = minute;
            let mine = app.clone();
            let done = tokio::task::spawn_blocking(move || {
                for (name, run) in AT_MINUTES {
                    if let Err(error) = run(&mine, minute) {
                        tracing::warn!("Failed {name}: {error}");
                    }
                }
            });
            // A task that panics has said so itself.
            let _ = done.await;
            app.operations.quiet().stir();
            left = minute_of(Time::now()).1;
        }
    });
}

/// How long nothing must stir before memory is given back. Giving it back and taking again what is needed costs about
/// half a millisecond of a processor, which at most once in this time is next to nothing.
const CALM: Duration = Duration::from_secs(1);

/// Gives memory back after each time that was busy, of which the start is the first.
fn start_giving_back(app: &Arc<App>) {
    app.operations.quiet().stir();
    let app = app.clone();
    app.runtime.clone().spawn(async move {
        loop {
            app.operations.quiet().returns(CALM).await;
            corten_host::syscall::unused::give_back();
        }
    });
}

/// Starts them; each runs once now, and then by the clock.
pub fn start(app: &Arc<App>) {
    start_giving_back(app);
    start_minutes(app);
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
    app.take_away(|tx| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_begin_with_their_first_second() {
        let at = |second: i64| minute_of(Time::from_unix(second, 0));
        let (first, left) = at(1_700_000_159);
        assert_eq!((left.as_secs(), first), (1, at(1_700_000_100).0));
        assert_ne!(first, at(1_700_000_160).0);
        assert_eq!((first.second(), at(1_700_000_160).1.as_secs()), (0, 60));
    }
}
