//! Snapshots of custom volumes that are taken and removed by themselves.

use std::sync::Arc;

use corten_api::error::Result;
use corten_api::time::Time;
use corten_config::value::Kind;
use corten_config::value::schedule::Schedule;
use corten_db::table::storage_volumes::{self, CUSTOM};
use corten_db::table::volume_snapshots;
use jiff::civil::DateTime;

use super::custom::Place;
use super::custom_snapshots as snapshots;
use crate::app::App;
use crate::rest::operation::Plan;

fn place(volume: &storage_volumes::Volume) -> Place {
    Place { pool: volume.pool.clone(), project: volume.project.clone(), name: volume.name.clone() }
}

/// Takes snapshots of all volumes whose schedule has this minute, as one operation; what fails is logged.
///
/// # Errors
/// When the volumes cannot be read.
pub fn take_due(app: &Arc<App>, minute: DateTime) -> Result<()> {
    let all = app.view(|view| Ok(storage_volumes::list(view, None, None, Some(CUSTOM))?))?;
    let is_due = |volume: &storage_volumes::Volume| {
        let spread = u64::try_from(volume.id).unwrap_or_default();
        let times = volume.config.get("snapshots.schedule").filter(|text| !text.is_empty());
        let times = times.and_then(|text| Schedule { events: false }.parse(text).ok());
        times.is_some_and(|times| times.is_due(spread, minute))
    };
    let due: Vec<Place> = all.iter().filter(|volume| is_due(volume)).map(place).collect();
    if due.is_empty() {
        return Ok(());
    }
    let worker = app.clone();
    let op = app.operations.run(Plan::new("default", "Creating storage volume snapshot"), move |_| {
        for place in &due {
            let taken =
                snapshots::plan(&worker, place, "").and_then(|name| snapshots::create(&worker, place, &name, None));
            if let Err(error) = taken {
                tracing::error!(pool = place.pool, volume = place.name, %error, "Failed to take a scheduled snapshot");
            }
        }
        Ok(())
    });
    op.map(drop)
}

/// Removes the snapshots of custom volumes whose time has come, as one operation.
///
/// # Errors
/// When they cannot be read.
pub fn remove_expired(app: &Arc<App>) -> Result<()> {
    let now = Time::now().timestamp();
    let expired = app.view(|view| {
        let volumes = storage_volumes::list(view, None, None, Some(CUSTOM))?;
        let of = |snapshot: volume_snapshots::VolumeSnapshot| {
            let volume = volumes.iter().find(|volume| volume.id == snapshot.volume_id)?;
            let expired = snapshot.expires.is_some_and(|when| when.as_second() > 0 && when <= now);
            expired.then(|| (place(volume), snapshot.name))
        };
        Ok(volume_snapshots::list(view)?.into_iter().filter_map(of).collect::<Vec<_>>())
    })?;
    if expired.is_empty() {
        return Ok(());
    }
    let worker = app.clone();
    let op = app.operations.run(Plan::new("default", "Cleaning up expired volume snapshots"), move |_| {
        expired.iter().try_for_each(|(place, name)| snapshots::delete(&worker, place, name))
    });
    op.map(drop)
}
