//! Removing backups whose time has come.

use std::sync::Arc;

use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::table::backups::{self, Of};
use corten_db::table::storage_volumes;

use super::{Owner, change, short};
use crate::app::App;
use crate::app::instances::Instances;
use crate::app::storage::custom::Place;

/// Removes all that have expired.
///
/// # Errors
/// The database's; a backup that cannot be removed is told of, and tried again the next time.
pub fn expire(app: &Arc<App>) -> Result<()> {
    let now = Time::now().timestamp();
    let due = app.view(|view| Ok(backups::expired(view, Of::Instance, now)?))?;
    if !due.is_empty() {
        let all = Instances::all(app, None)?;
        for row in due {
            if let Some(instance) = all.iter().find(|instance| instance.id == row.owner_id) {
                remove(app, &Owner::instance(app, instance), short(&row));
            }
        }
    }
    let due = app.view(|view| Ok(backups::expired(view, Of::Volume, now)?))?;
    if !due.is_empty() {
        let all = app.view(|view| Ok(storage_volumes::list(view, None, None, Some(storage_volumes::CUSTOM))?))?;
        for row in due {
            if let Some(volume) = all.iter().find(|volume| volume.id == row.owner_id) {
                let place =
                    Place { pool: volume.pool.clone(), project: volume.project.clone(), name: volume.name.clone() };
                remove(app, &Owner::volume(app, &place, volume), short(&row));
            }
        }
    }
    Ok(())
}

fn remove(app: &App, owner: &Owner, name: &str) {
    tracing::info!(owner = owner.name, backup = name, "Removing an expired backup");
    if let Err(error) = change::delete(app, owner, name, None) {
        tracing::error!(owner = owner.name, backup = name, "Failed to remove an expired backup: {error}");
    }
}
