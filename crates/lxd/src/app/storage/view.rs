//! Pools as the API shows them.

use std::collections::BTreeMap;

use corten_api::error::Result;
use corten_api::resource::{ResourcesStoragePool, ResourcesStoragePoolInodes, ResourcesStoragePoolSpace};
use corten_api::storage_pool::StoragePool;
use corten_api::url;
use corten_db::table::used_by::{self, User};
use corten_db::table::{images, storage_pools, storage_volumes};
use corten_db::{View, error::Abort};

use super::change::row;
use super::pools::Pools;
use crate::app::App;
use crate::app::profiles::user_url;

/// All pools, ordered by name.
///
/// # Errors
/// The database's.
pub fn list(app: &App) -> Result<Vec<StoragePool>> {
    app.view(|view| storage_pools::list(view)?.into_iter().map(|pool| shown(view, pool)).collect())
}

/// One pool.
///
/// # Errors
/// 404, or the database's.
pub fn find(app: &App, name: &str) -> Result<StoragePool> {
    app.view(|view| {
        let pool = row(view, name)?;
        shown(view, pool)
    })
}

fn shown(view: &View<'_>, pool: storage_pools::Pool) -> Result<StoragePool, Abort> {
    Ok(StoragePool { used_by: users(view, &pool.name)?, ..stored(pool) })
}

/// A pool as its row says, without its users.
pub fn stored(pool: storage_pools::Pool) -> StoragePool {
    StoragePool {
        used_by: Vec::new(),
        status: pool.state.name().to_string(),
        locations: vec!["none".to_string()],
        config: pool.config,
        description: pool.description,
        name: pool.name,
        driver: pool.driver,
    }
}

/// Paths of all that use a pool. An image counts for every project that has it, since all of them share its volume.
fn users(view: &View<'_>, pool: &str) -> Result<Vec<String>, Abort> {
    let mut paths = Vec::new();
    for user in used_by::pool_users(view, pool)? {
        let User::Image { fingerprint, .. } = &user else {
            paths.push(user_url(&user));
            continue;
        };
        let projects = images::projects_with(view, fingerprint)?;
        if projects.is_empty() {
            paths.push(url::path(["storage-pools", pool, "volumes", "image", fingerprint]));
        }
        paths.extend(projects.iter().map(|project| url::path_in(project, ["images", fingerprint])));
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// How full a pool is.
///
/// # Errors
/// When it is not there, or its filesystem does not answer.
pub fn resources(app: &App, name: &str) -> Result<ResourcesStoragePool> {
    let found = Pools::get(app, name)?.resources()?;
    Ok(ResourcesStoragePool {
        space: ResourcesStoragePoolSpace { used: found.space_used, total: found.space_total },
        inodes: ResourcesStoragePoolInodes { used: found.inodes_used, total: found.inodes_total },
    })
}

/// The pools that have a volume of an image, by name.
///
/// # Errors
/// The database's.
pub fn pools_with_image(view: &View<'_>, fingerprint: &str) -> Result<BTreeMap<String, i64>, Abort> {
    let volumes = storage_volumes::list(view, None, None, Some(storage_volumes::IMAGE))?;
    Ok(volumes.into_iter().filter(|volume| volume.name == fingerprint).map(|volume| (volume.pool, volume.id)).collect())
}
