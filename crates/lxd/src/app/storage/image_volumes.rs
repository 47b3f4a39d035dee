//! Images that pools hold ready, and the volumes that stand for them in the database.

use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_db::error::Abort;
use corten_db::table::{Config, projects, storage_pools, storage_volumes};
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
    if app.view(known)? {
        return Ok(());
    }
    app.write(|tx| {
        let row = storage_pools::get(tx, pool.name())?.ok_or_else(|| Error::not_found("Storage pool not found"))?;
        if known(tx)? {
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

/// Removes an image from one pool.
///
/// # Errors
/// What could not be removed.
pub fn delete_from(app: &App, pool: &str, fingerprint: &str) -> Result<()> {
    Pools::get(app, pool)?.delete_image(fingerprint)?;
    app.write(|tx| {
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
    app.write(|tx| {
        for id in remembered.values() {
            storage_volumes::delete(tx, *id)?;
        }
        Ok(())
    })
}
