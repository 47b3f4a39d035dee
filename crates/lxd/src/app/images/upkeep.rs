//! What is done for images from time to time: newer ones are fetched, copies that nobody uses are removed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::table::{images, projects};
use tokio::time::{MissedTickBehavior, interval};

use super::{delete, refresh};
use crate::app::App;
use crate::rest::operation::Plan;

/// How often it is looked whether a newer image is due.
const HOUR: Duration = Duration::from_secs(3600);
/// How often unused copies are removed.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Keys whose change has unused copies looked for at once.
pub const KEYS: [&str; 2] = ["images.auto_update_interval", "images.remote_cache_expiry"];

/// Looks after the images from now on, until the daemon ends: first now, so that a restart is a way to ask for it.
pub fn start(app: &Arc<App>) {
    let begun = Instant::now();
    let updating = app.clone();
    app.runtime.spawn(async move {
        let mut hours = interval(HOUR);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            in_background(&updating, move |app| update_due(app, begun.elapsed())).await;
        }
    });
    let pruning = app.clone();
    app.runtime.spawn(async move {
        let mut days = interval(DAY);
        loop {
            tokio::select! {
                _ = days.tick() => {}
                () = pruning.images.prune.notified() => {}
            }
            in_background(&pruning, remove_unused).await;
        }
    });
}

async fn in_background(app: &Arc<App>, work: impl FnOnce(&Arc<App>) -> Result<()> + Send + 'static) {
    let app = app.clone();
    // A panic is told of by the runtime; the next time is another chance.
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work(&app)).await {
        tracing::error!("Failed to look after the images: {error}");
    }
}

/// A project's own value of a key, else the server's, else the default.
fn number(app: &App, own: Option<&String>, key: &str, default: i64) -> i64 {
    let text = own.cloned().filter(|text| !text.is_empty()).or_else(|| app.settings.get(key));
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Whether the hour has come, so long after the daemon's start, for images that are renewed every `interval` hours.
fn is_due(since: Duration, interval: i64) -> bool {
    let hours = i64::try_from((since.as_secs() + 1800) / 3600).unwrap_or(i64::MAX);
    interval > 0 && hours % interval == 0
}

/// Refreshes the images whose hour has come.
fn update_due(app: &Arc<App>, since: Duration) -> Result<()> {
    let rows = app.view(|view| Ok(images::list(view, None)?))?;
    let mut due = rows.into_iter().filter(|image| image.auto_update && image.source.is_some()).peekable();
    if due.peek().is_none() {
        return Ok(());
    }
    let all = app.view(|view| Ok(projects::list(view)?))?;
    let key = "images.auto_update_interval";
    let is_due = |image: &images::Image| {
        let project = all.iter().find(|project| project.name == image.project);
        is_due(since, number(app, project.and_then(|project| project.config.get(key)), key, 6))
    };
    let due: Vec<images::Image> = due.filter(is_due).collect();
    // As in LXD one operation of the whole server, whatever the projects.
    let worker = app.clone();
    let op = app.operations.run(Plan::new("", "Updating images"), move |op| {
        for image in due {
            if let Err(error) = refresh::refresh(&worker, &image, op) {
                tracing::error!(fingerprint = image.fingerprint, "Failed to update the image: {error}");
            }
        }
        Ok(())
    })?;
    app.operations.wait(&op)
}

/// Removes copies that no instance was made from for as long as the configuration says.
fn remove_unused(app: &Arc<App>) -> Result<()> {
    let now = Time::now().unix();
    let mut unused = Vec::new();
    for project in app.view(|view| Ok(projects::list(view)?))? {
        let key = "images.remote_cache_expiry";
        let days = number(app, project.config.get(key), key, 10);
        let rows = app.view(|view| Ok(images::list(view, Some(&project.name))?))?;
        unused.extend(rows.into_iter().filter(|image| is_unused(image, days, now)));
    }
    if unused.is_empty() {
        return Ok(());
    }
    let worker = app.clone();
    let op = app.operations.run(Plan::new("", "Cleaning up expired images"), move |op| {
        for image in unused {
            tracing::info!(fingerprint = image.fingerprint, "Removing an image that nobody uses");
            delete::delete(&worker, &image.project, &image.fingerprint, op.requestor())?;
        }
        Ok(())
    })?;
    app.operations.wait(&op)
}

/// Whether an image is a copy that was used last more than `days` days before `now` (seconds since 1970).
fn is_unused(image: &images::Image, days: i64, now: i64) -> bool {
    let last = image.last_used.unwrap_or(image.uploaded).as_second();
    image.cached && days > 0 && now - last > days.saturating_mul(DAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_due_at_the_start_and_every_so_many_hours() {
        let cases =
            [(0, 6, true), (1, 6, false), (6, 6, true), (7, 6, false), (12, 6, true), (3, 1, true), (5, 0, false)];
        for (hours, interval, wanted) in cases {
            let since = HOUR * hours + Duration::from_secs(5);
            assert_eq!(is_due(since, interval), wanted, "{hours} hours, every {interval}");
        }
    }
}
