//! What is done for images from time to time: newer ones are fetched, copies that nobody uses are removed.

use std::sync::Arc;
use std::time::Duration;

use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::table::{images, projects};

use super::{delete, refresh};
use crate::app::App;
use crate::rest::operation::Plan;

/// How often it is looked whether something is due.
const HOUR: Duration = Duration::from_secs(3600);
/// Hours between removals of unused copies.
const DAY: u64 = 24;
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Starts to look after the images, until the daemon ends.
pub fn start(app: &Arc<App>) {
    let app = app.clone();
    app.runtime.clone().spawn(async move {
        for hours in 1.. {
            tokio::time::sleep(HOUR).await;
            let app = app.clone();
            let work = move || look_after(&app, hours);
            // A panic is told of by the runtime; the next hour is another chance.
            let _ = tokio::task::spawn_blocking(work).await;
        }
    });
}

fn look_after(app: &Arc<App>, hours: u64) {
    let outcome =
        update_due(app, hours).and_then(|()| if hours.is_multiple_of(DAY) { remove_unused(app) } else { Ok(()) });
    if let Err(error) = outcome {
        tracing::error!("Failed to look after the images: {error}");
    }
}

/// A project's own value of a key, else the server's, else the default.
fn number(app: &App, own: Option<&String>, key: &str, default: i64) -> i64 {
    let text = own.cloned().filter(|text| !text.is_empty()).or_else(|| app.settings.get(key));
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Refreshes the images whose hour has come.
fn update_due(app: &Arc<App>, hours: u64) -> Result<()> {
    for project in app.view(|view| Ok(projects::list(view)?))? {
        let key = "images.auto_update_interval";
        let interval = number(app, project.config.get(key), key, 6);
        if interval <= 0 || !hours.is_multiple_of(interval.unsigned_abs()) {
            continue;
        }
        let rows = app.view(|view| Ok(images::list(view, Some(&project.name))?))?;
        for image in rows.into_iter().filter(|image| image.auto_update && image.source.is_some()) {
            let (app, fingerprint) = (app.clone(), image.fingerprint.clone());
            let plan = Plan::new(&image.project, "Refreshing image").resources("images", [fingerprint.as_str()]);
            let worker = app.clone();
            let op = app.operations.run(plan, move |op| refresh::refresh(&worker, &image, op).map(drop))?;
            if let Err(error) = app.operations.wait(&op) {
                tracing::error!(fingerprint, "Failed to update the image: {error}");
            }
        }
    }
    Ok(())
}

/// Removes copies that no instance was made from for as long as the configuration says.
fn remove_unused(app: &App) -> Result<()> {
    for project in app.view(|view| Ok(projects::list(view)?))? {
        let key = "images.remote_cache_expiry";
        let days = number(app, project.config.get(key), key, 10);
        let rows = app.view(|view| Ok(images::list(view, Some(&project.name))?))?;
        for image in rows.into_iter().filter(|image| is_unused(image, days, Time::now().unix())) {
            tracing::info!(fingerprint = image.fingerprint, "Removing an image that nobody uses");
            delete::delete(app, &image.project, &image.fingerprint, None)?;
        }
    }
    Ok(())
}

/// Whether an image is a copy that was used last more than `days` days before `now` (seconds since 1970).
fn is_unused(image: &images::Image, days: i64, now: i64) -> bool {
    let last = image.last_used.unwrap_or(image.uploaded).as_second();
    image.cached && days > 0 && now - last > days * DAY_SECONDS
}
