//! What storage needs when the daemon starts.

use std::path::Path;

use corten_api::error::{Error, Result};
use corten_db::table::{State, storage_pools};
use corten_storage::pool::Pool;
use corten_storage::volume::Kind;

use super::pools::Pools;
use crate::app::App;

/// Mounts every pool. One that cannot be mounted is told of and left out, as in LXD: the others are to work.
///
/// # Errors
/// The database's.
pub fn mount_all(app: &App) -> Result<()> {
    for row in app.view(|view| Ok(storage_pools::list(view)?))? {
        let outcome = match row.state {
            State::Created => mount(app, &row.name),
            State::Pending | State::Errored => forget(app, &row),
        };
        if let Err(error) = outcome {
            tracing::error!(pool = row.name, "Failed to bring up the storage pool: {error}");
        }
    }
    Ok(())
}

fn mount(app: &App, name: &str) -> Result<()> {
    let pool = Pools::get(app, name)?;
    Ok(pool.mount()?)
}

/// Takes back what is left of a pool that was being made when the daemon ended. Only empty directories go: what was to
/// be its source may never have been looked at.
fn forget(app: &App, row: &storage_pools::Pool) -> Result<()> {
    let pool = Pool::open(&row.driver, &row.name, &app.dirs.var, row.config.clone())?;
    for kind in Kind::ALL {
        let names = [Some(kind.directory().to_string()), kind.snapshot_directory()];
        for name in names.into_iter().flatten() {
            remove_empty(&pool.directory().join(name))?;
        }
    }
    remove_empty(&pool.directory().join("layers"))?;
    pool.unmount()?;
    remove_empty(pool.directory())?;
    app.take_away(|tx| Ok(storage_pools::delete(tx, row.id)?))
}

fn remove_empty(path: &Path) -> Result<()> {
    match std::fs::remove_dir(path) {
        Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::DirectoryNotEmpty) => {
            Err(Error::internal(format!("Failed to remove '{}': {error}", path.display())))
        }
        _ => Ok(()),
    }
}
