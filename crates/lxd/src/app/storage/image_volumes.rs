//! Images that pools hold ready, and the volumes that stand for them in the database.

use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_db::error::Abort;
use corten_db::table::{Config, images, projects, storage_pools, storage_volumes};
use corten_storage::fill::ImageFiles;
use corten_storage::pool::Pool;

use super::pools::Pools;
use super::view::pools_with_image;
use crate::app::App;

/// Holds an image ready on a pool, where the pool's driver does so at all, and remembers it.
///
/// # Errors
/// Why the image cannot be unpacked or mounted; nothing of it is left then.
pub fn ensure(app: &App, pool: &Pool, fingerprint: &str, files: &ImageFiles, watch: &Watch) -> Result<()> {
    if !pool.has_optimized_images() {
        return Ok(());
    }
    pool.ensure_image(fingerprint, files, watch)?;
    let known = |view: &corten_db::View<'_>| {
        Ok(storage_volumes::get(view, pool.name(), projects::DEFAULT, storage_volumes::IMAGE, fingerprint)?.is_some())
    };
    if app.view(known)? { Ok(()) } else { remember(app, pool, fingerprint) }
}

fn remember(app: &App, pool: &Pool, fingerprint: &str) -> Result<()> {
    app.write(|tx| {
        let row = storage_pools::get(tx, pool.name())?.ok_or_else(|| Error::not_found("Storage pool not found"))?;
        if storage_volumes::get(tx, pool.name(), projects::DEFAULT, storage_volumes::IMAGE, fingerprint)?.is_some() {
            return Ok(());
        }
        let volume = storage_volumes::Volume {
            id: 0,
            pool_id: row.id,
            pool: row.name,
            // Images of all projects share one volume.
            project: projects::DEFAULT.to_string(),
            name: fingerprint.to_string(),
            kind: storage_volumes::IMAGE,
            content: 0,
            description: String::new(),
            config: Config::new(),
        };
        storage_volumes::insert(tx, &volume)?;
        Ok::<_, Abort>(())
    })
}

/// Lets what is remembered be what pools hold, where a killed daemon had done only one of both: images that are gone
/// are forgotten, held ones remembered, or removed when the image itself is gone.
///
/// # Errors
/// The database's; a pool that cannot be had is left alone.
pub fn reconcile(app: &App) -> Result<()> {
    for row in app.view(|view| Ok(storage_pools::list(view)?))? {
        let outcome = match Pools::get(app, &row.name) {
            Ok(pool) if pool.has_optimized_images() && pool.is_reachable() => reconcile_one(app, &pool),
            _ => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::error!(pool = row.name, %error, "Failed to compare the pool's images with what is remembered");
        }
    }
    Ok(())
}

fn reconcile_one(app: &App, pool: &Pool) -> Result<()> {
    let (known, images) = app.view(|view| {
        let known = storage_volumes::list(view, Some(pool.name()), None, Some(storage_volumes::IMAGE))?;
        Ok((known, images::list(view, None)?))
    })?;
    for fingerprint in pool.held_images()?.iter().filter(|held| pool.has_image(held)) {
        match images.iter().any(|image| image.fingerprint == *fingerprint) {
            true if known.iter().any(|volume| volume.name == *fingerprint) => {}
            true => remember(app, pool, fingerprint)?,
            false => delete_from(app, pool.name(), fingerprint)?,
        }
    }
    for volume in known.iter().filter(|volume| !pool.has_image(&volume.name)) {
        app.take_away(|tx| Ok(storage_volumes::delete(tx, volume.id)?))?;
    }
    Ok(())
}

/// Removes an image from one pool.
///
/// # Errors
/// What could not be removed.
pub fn delete_from(app: &App, pool: &str, fingerprint: &str) -> Result<()> {
    Pools::get(app, pool)?.delete_image(fingerprint)?;
    app.take_away(|tx| {
        if let Some(id) = pools_with_image(tx, fingerprint)?.get(pool) {
            storage_volumes::delete(tx, *id)?;
        }
        Ok(())
    })
}

/// Removes an image from every pool that holds it.
///
/// # Errors
/// What could not be removed.
pub fn delete(app: &App, fingerprint: &str) -> Result<()> {
    let remembered = app.view(|view| pools_with_image(view, fingerprint))?;
    let pools = app.view(|view| Ok(storage_pools::list(view)?))?;
    for row in pools {
        let failed = || format!("Error deleting image {fingerprint:?} from storage pool {:?}", row.name);
        let pool = Pools::get(app, &row.name)?;
        if remembered.contains_key(&row.name) || pool.has_image(fingerprint) {
            pool.delete_image(fingerprint).map_err(|error| Error::from(error).context(failed()))?;
        }
    }
    if remembered.is_empty() {
        return Ok(());
    }
    app.take_away(|tx| {
        for id in remembered.values() {
            storage_volumes::delete(tx, *id)?;
        }
        Ok(())
    })
}
