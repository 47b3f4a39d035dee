//! Deleting images.

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::url;
use corten_db::table::images;
use corten_instance::step::pass;

use super::store;
use crate::app::App;
use crate::app::storage::image_volumes;

/// Deletes an image of a project. Its files stay while another project has it.
///
/// # Errors
/// 404 when it is gone meanwhile, or what could not be removed.
pub fn delete(app: &App, project: &str, fingerprint: &str, requestor: Option<EventLifecycleRequestor>) -> Result<()> {
    let _turn = app.images.turns.take(fingerprint);
    let (row, holders) = app.view(|view| {
        let row = images::get(view, project, fingerprint)?.ok_or_else(|| Error::not_found("Image not found"))?;
        Ok((row, images::projects_with(view, fingerprint)?))
    })?;
    let is_last = holders.len() == 1;
    if is_last {
        image_volumes::delete(app, fingerprint)?;
    }
    pass("forget the image")?;
    let failed = "Error deleting image info from the database";
    app.take_away(|tx| Ok(images::delete(tx, row.id)?)).map_err(|error| error.context(failed))?;
    if is_last {
        store::remove_files(app, fingerprint);
    }
    app.lifecycle(project, "image-deleted", &url::path_in(project, ["images", fingerprint]), requestor);
    Ok(())
}
