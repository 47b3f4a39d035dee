//! Records that must be there in pairs: an instance's snapshot and its volume's. One without the other keeps the instance
//! from being described, and so from starting; what can be made again is made again when the daemon starts.

use corten_api::error::{Error, Result};
use corten_db::View;
use corten_db::error::{Abort, DbError};
use corten_db::table::{snapshots, storage_volumes, volume_snapshots};
use corten_instance::instance::Instance;

use crate::app::App;

/// What the records that are made again say of themselves, as LXD's.
const REPAIRED: &str = "Auto repaired";

/// Refuses an instance whose snapshots and those of its volume are not the same number.
///
/// # Errors
/// In LXD's words.
pub fn must_match(app: &App, instance: &Instance) -> Result<()> {
    app.view(|view| {
        let taken = snapshots::of_instance(view, instance.id)?.len();
        let volume = storage_volumes::of_instance(view, &instance.project, &instance.name)?;
        let copies = volume.map_or(Ok(Vec::new()), |volume| volume_snapshots::of_volume(view, volume.id))?.len();
        if taken != copies {
            let words = "Instance snapshot record count doesn't match instance snapshot volume record count";
            return Err(Error::internal(words).into());
        }
        Ok(())
    })
}

/// Makes records of volumes' snapshots again where they are missing.
///
/// # Errors
/// The database's.
pub fn repair(app: &App) -> Result<()> {
    if app.view(|view| Ok(missing(view)?.is_empty()))? {
        return Ok(());
    }
    app.write(|tx| {
        for (volume, name) in missing(tx)? {
            volume_snapshots::insert(tx, volume.id, &name, REPAIRED, None, &volume.config)?;
        }
        Ok::<_, Abort>(())
    })
}

/// Snapshots without a record of their volume's, with the volume of the instance.
fn missing(view: &View<'_>) -> Result<Vec<(storage_volumes::Volume, String)>, DbError> {
    let mut missing = Vec::new();
    for snapshot in snapshots::list(view, None)? {
        let volume = storage_volumes::of_instance(view, &snapshot.project, &snapshot.instance)?;
        if let Some(volume) = volume
            && volume_snapshots::get(view, volume.id, &snapshot.name)?.is_none()
        {
            missing.push((volume, snapshot.name));
        }
    }
    Ok(missing)
}
