//! Links below `LXD_DIR` by which people and scripts find an instance's files: `containers/NAME`, and `snapshots/NAME` as
//! long as there are snapshots.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use corten_api::error::{Error, Result};
use corten_db::table::storage_volumes;
use corten_instance::instance::host_name;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume, storage_name};

use crate::app::App;
use crate::app::storage::pools::Pools;

/// Makes both links what they must be for the instance `name` of `project`, whose volume is on `pool`.
///
/// # Errors
/// What the kernel says.
pub fn set(app: &App, project: &str, name: &str, pool: &Pool) -> Result<()> {
    let volume = Volume::new(Kind::Container, storage_name(Kind::Container, project, name));
    let [instance, snapshots] = places(app, project, name);
    point(&instance, &pool.path(&volume))?;
    point(&snapshots, &volume.snapshots_path(pool.directory()))
}

/// As [`set`], for an instance whose pool the database knows; without one both links go.
///
/// # Errors
/// What the kernel or the database say.
pub fn set_known(app: &App, project: &str, name: &str) -> Result<()> {
    match app.view(|view| Ok(storage_volumes::of_instance(view, project, name)?))? {
        Some(row) => set(app, project, name, &Pools::get(app, &row.pool)?),
        None => remove(app, project, name),
    }
}

/// Takes both links away.
///
/// # Errors
/// What the kernel says; missing links are no failure.
pub fn remove(app: &App, project: &str, name: &str) -> Result<()> {
    places(app, project, name).iter().try_for_each(|link| forget(link))
}

/// Where the links of an instance are.
fn places(app: &App, project: &str, name: &str) -> [PathBuf; 2] {
    ["containers", "snapshots"].map(|folder| app.dirs.var.join(folder).join(host_name(project, name)))
}

/// Makes `link` lead to `target`, or takes it away when there is no such directory.
fn point(link: &Path, target: &Path) -> Result<()> {
    if !target.is_dir() {
        return forget(link);
    }
    if std::fs::read_link(link).is_ok_and(|now| now == target) {
        return Ok(());
    }
    // An older link leads to a volume that is gone.
    forget(link)?;
    let made = std::os::unix::fs::symlink(target, link);
    made.map_err(|error| Error::internal(format!("Failed to link {}: {error}", link.display())))
}

fn forget(link: &Path) -> Result<()> {
    match std::fs::remove_file(link) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::internal(format!("Failed to remove symlink {:?}: {error}", link.display().to_string())))
        }
        _ => Ok(()),
    }
}
