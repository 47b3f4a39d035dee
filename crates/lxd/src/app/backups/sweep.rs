//! Removing what interrupted backups left, when the daemon starts: files that nobody remembers, and rows without a file.

use std::path::{Path, PathBuf};

use corten_api::error::{Context, Result};
use corten_db::table::backups::{self, Of};
use corten_db::table::storage_volumes;

use super::receive::PASSING;
use super::{Owner, change, create, folder, short};
use crate::app::App;
use crate::app::instances::Instances;
use crate::app::storage::custom::Place;

/// Removes them.
///
/// # Errors
/// When the folder or the database cannot be read; what cannot be removed is only told of.
pub fn sweep(app: &App) -> Result<()> {
    for path in entries(&app.dirs.var.join("backups"))? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PASSING)) {
            remove_file(&path);
        }
    }
    let mut known = Vec::new();
    for owner in owners(app)? {
        for row in owner.backups(app)? {
            let place = create::place(&owner, short(&row));
            if place.is_file() {
                known.push(place);
            } else if let Err(error) = change::delete(app, &owner, short(&row), None) {
                tracing::error!(backup = row.name, "Unable to forget a backup without a file: {error}");
            }
        }
    }
    // Instances' are one folder deep, those of volumes two.
    let mut folders = entries(&folder(app, Of::Instance))?;
    for pool in entries(&folder(app, Of::Volume))? {
        folders.extend(entries(&pool)?);
    }
    for folder in folders {
        for file in entries(&folder)? {
            if !known.contains(&file) {
                remove_file(&file);
            }
        }
        // One with backups stays.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

/// All that has backups.
fn owners(app: &App) -> Result<Vec<Owner>> {
    if app.view(|view| Ok(backups::is_empty(view)?))? {
        return Ok(Vec::new());
    }
    let mut owners: Vec<Owner> =
        Instances::all(app, None)?.iter().map(|instance| Owner::instance(app, instance)).collect();
    for row in app.view(|view| Ok(storage_volumes::list(view, None, None, Some(storage_volumes::CUSTOM))?))? {
        let place = Place { pool: row.pool.clone(), project: row.project.clone(), name: row.name.clone() };
        owners.push(Owner::volume(app, &place, &row));
    }
    Ok(owners)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("Unable to list {}", folder.display());
    match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        read => read.with_context(failed)?.map(|entry| Ok(entry.with_context(failed)?.path())).collect(),
    }
}

fn remove_file(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::debug!("Removed leftover backup file: {}", path.display()),
        Err(error) => tracing::error!("Unable to remove leftover backup file {}: {error}", path.display()),
    }
}
