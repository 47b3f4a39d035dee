//! Names of images.

use corten_api::error::{Error, Result};
use corten_api::image::{ImageAliasesEntry, ImageAliasesPost};
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::image_aliases::{self, Alias};

use super::find::{by_prefix, kind_name};
use super::store::is_taken;
use crate::app::App;

fn shown(row: Alias) -> ImageAliasesEntry {
    ImageAliasesEntry {
        description: row.description,
        target: row.fingerprint,
        name: row.name,
        r#type: kind_name(row.kind).to_string(),
    }
}

fn get(view: &View<'_>, project: &str, name: &str) -> Result<Alias, Abort> {
    Ok(image_aliases::get(view, project, name)?.ok_or_else(|| Error::not_found("Image alias not found"))?)
}

fn must_be_free(view: &View<'_>, project: &str, name: &str) -> Result<(), Abort> {
    if is_taken(view, project, name)? {
        return Err(Error::conflict(format!("Alias {name:?} already exists")).into());
    }
    Ok(())
}

/// All aliases of a project that holds images.
///
/// # Errors
/// The database's.
pub fn list(app: &App, project: &str) -> Result<Vec<ImageAliasesEntry>> {
    let rows = app.view(|view| Ok(image_aliases::list(view, project)?))?;
    Ok(rows.into_iter().map(shown).collect())
}

/// One alias; with `public_only`, only when its image is for everyone.
///
/// # Errors
/// 404.
pub fn find(app: &App, project: &str, name: &str, public_only: bool) -> Result<ImageAliasesEntry> {
    app.view(|view| {
        let row = get(view, project, name)?;
        if public_only && !row.public {
            return Err(Error::not_found("Image alias not found").into());
        }
        Ok(shown(row))
    })
}

/// Adds a name of an image.
///
/// # Errors
/// 400 when something is missing, 409 when the name is taken, 404 when the image is not there.
pub fn create(app: &App, project: &str, new: &ImageAliasesPost) -> Result<()> {
    if new.name.is_empty() || new.target.is_empty() {
        return Err(Error::invalid("name and target are required"));
    }
    app.write(|tx| {
        must_be_free(tx, project, &new.name)?;
        let image = by_prefix(tx, project, &new.target)?;
        image_aliases::insert(tx, project, &new.name, image.id, &new.description)?;
        Ok(())
    })
}

/// Points an alias to an image. `check` sees the alias as it is and may refuse.
///
/// # Errors
/// 404 when alias or image is not there, that of `check`.
pub fn update(
    app: &App,
    project: &str,
    name: &str,
    check: impl Fn(&ImageAliasesEntry) -> Result<()>,
    change: impl Fn(ImageAliasesEntry) -> ImageAliasesEntry,
) -> Result<ImageAliasesEntry> {
    app.write(|tx| {
        let row = get(tx, project, name)?;
        let id = row.id;
        let old = shown(row);
        check(&old)?;
        let new = change(old);
        let image = by_prefix(tx, project, &new.target)?;
        image_aliases::update(tx, id, image.id, &new.description)?;
        Ok(new)
    })
}

/// Renames an alias.
///
/// # Errors
/// 400 for no name, 409 when the new name is taken, 404 when the old one is not there.
pub fn rename(app: &App, project: &str, old: &str, new: &str) -> Result<()> {
    if new.is_empty() {
        return Err(Error::invalid("The name field is required"));
    }
    app.write(|tx| {
        must_be_free(tx, project, new)?;
        let row = get(tx, project, old)?;
        image_aliases::rename(tx, row.id, new)?;
        Ok(())
    })
}

/// Removes an alias.
///
/// # Errors
/// 404.
pub fn delete(app: &App, project: &str, name: &str) -> Result<()> {
    app.take_away(|tx| {
        let row = get(tx, project, name)?;
        image_aliases::delete(tx, row.id)?;
        Ok(())
    })
}
