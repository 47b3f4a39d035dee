//! Removing what interrupted uploads and downloads left, when the daemon starts.

use std::collections::BTreeSet;

use corten_api::error::{Context, Result};
use corten_db::table::images;

use super::store::folder;
use crate::app::App;
use crate::app::storage::image_volumes;

/// Removes everything in the directory of images that belongs to no image.
///
/// # Errors
/// When the directory or the database cannot be read; what cannot be removed is only told of.
pub fn sweep(app: &App) -> Result<()> {
    let known: BTreeSet<String> =
        app.view(|view| Ok(images::list(view, None)?))?.into_iter().map(|image| image.fingerprint).collect();
    let entries = std::fs::read_dir(folder(app)).context("Unable to list the images directory")?;
    for entry in entries {
        let entry = entry.context("Unable to list the images directory")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if known.contains(name.split('.').next().unwrap_or_default()) {
            continue;
        }
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Ok(()) => tracing::debug!("Removed leftover image file: {name}"),
            Err(error) => tracing::error!("Unable to remove leftover image: {name}: {error}"),
        }
    }
    image_volumes::reconcile(app)
}
