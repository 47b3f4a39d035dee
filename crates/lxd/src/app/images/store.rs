//! Putting an image where images are: files by rename, then the row with its aliases, or nothing of it.

use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_api::image::ImageAlias;
use corten_db::error::Abort;
use corten_db::table::{image_aliases, images};
use corten_db::{Tx, View};
use corten_instance::step::pass;

use super::receive::{Build, META, ROOT};
use crate::app::App;

/// The directory of all images.
pub fn folder(app: &App) -> PathBuf {
    app.dirs.var.join("images")
}

/// Places of an image's files: the metadata or whole image, and the root of an image in two files.
pub fn places(folder: &Path, fingerprint: &str) -> (PathBuf, PathBuf) {
    (folder.join(fingerprint), folder.join(format!("{fingerprint}.rootfs")))
}

/// Adds an image whose files are in `build`; the caller has the [turn](crate::rest::turn::Turns) of its fingerprint.
///
/// # Errors
/// LXD's words when the project has it already or an alias is taken; nothing of it is left then.
pub fn add(app: &App, image: &images::Image, aliases: &[ImageAlias], build: &Build) -> Result<()> {
    // Another project may have the same image: its files stay, whatever happens here.
    let others = app.view(|view| Ok(images::projects_with(view, &image.fingerprint)?))?;
    if others.contains(&image.project) {
        return Err(already_there());
    }
    if others.is_empty() {
        put_files(app, &image.fingerprint, build)?;
    }
    let added = pass("remember the image").and_then(|()| app.write(|tx| insert(tx, image, aliases)));
    if added.is_err() && others.is_empty() {
        remove_files(app, &image.fingerprint);
    }
    added
}

/// What LXD says when a project has an image already.
pub fn already_there() -> Error {
    Error::internal("Image with same fingerprint already exists")
}

/// Adds the row of an image whose files are there already.
///
/// # Errors
/// LXD's words when the project has it already or an alias is taken.
pub fn insert(tx: &mut Tx<'_>, image: &images::Image, aliases: &[ImageAlias]) -> Result<(), Abort> {
    if images::get(tx, &image.project, &image.fingerprint)?.is_some() {
        return Err(already_there().into());
    }
    let id = images::insert(tx, image)?;
    name(tx, &image.project, id, aliases)
}

/// Gives an image more names.
///
/// # Errors
/// LXD's words when one is taken.
pub fn name(tx: &mut Tx<'_>, project: &str, id: i64, aliases: &[ImageAlias]) -> Result<(), Abort> {
    for alias in aliases {
        if is_taken(tx, project, &alias.name)? {
            return Err(Error::internal(format!("Alias already exists: {}", alias.name)).into());
        }
        image_aliases::insert(tx, project, &alias.name, id, &alias.description)?;
    }
    Ok(())
}

/// Whether a project has an alias of this name.
///
/// # Errors
/// The database's.
pub fn is_taken(view: &View<'_>, project: &str, alias: &str) -> Result<bool, Abort> {
    Ok(image_aliases::get(view, project, alias)?.is_some())
}

fn put_files(app: &App, fingerprint: &str, build: &Build) -> Result<()> {
    let (meta, root) = places(&folder(app), fingerprint);
    let built = build.path(ROOT);
    if built.exists() {
        std::fs::rename(&built, &root).with_context(|| format!("Failed to create {}", root.display()))?;
    }
    let put = std::fs::rename(build.path(META), &meta);
    if put.is_err() {
        remove_files(app, fingerprint);
    }
    put.with_context(|| format!("Failed to create {}", meta.display()))
}

/// Removes the files of an image. What cannot be removed is told of, and goes when the daemon starts next.
pub fn remove_files(app: &App, fingerprint: &str) {
    let (meta, root) = places(&folder(app), fingerprint);
    for path in [meta, root] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::error!("Error deleting image file {}: {error}", path.display());
            }
            _ => {}
        }
    }
}
