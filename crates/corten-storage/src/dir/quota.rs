//! Limits of volumes by project ids, with the numbers LXD gives them.

use std::path::Path;

use corten_host::quota;

use crate::error::{Doing, Result};
use crate::volume::Volume;

/// LXD's project id of a volume is its row in the database and this.
const FIRST: u32 = 10_000;

fn project(volume: &Volume) -> Option<u32> {
    volume.id.map(|id| id.saturating_add(FIRST))
}

/// Makes a new, empty directory part of the volume's project, so that all that is made in it counts for it. Without
/// quotas on the filesystem this does nothing, as in LXD.
///
/// # Errors
/// What the kernel says.
pub fn prepare(path: &Path, volume: &Volume) -> Result<()> {
    let Some(id) = project(volume).filter(|_| quota::is_supported(path)) else { return Ok(()) };
    quota::set_project(path, id).doing(|| format!("Failed to set project ID \"{id}\" on \"{}\"", path.display()))
}

/// Limits what the volume has in `path`; `None` takes the limit away.
///
/// # Errors
/// What the kernel says.
pub fn set(path: &Path, volume: &Volume, size: Option<u64>) -> Result<()> {
    let Some(id) = project(volume).filter(|_| quota::is_supported(path)) else { return Ok(()) };
    let failed = || format!("Failed to set project quota for ID \"{id}\" on \"{}\"", path.display());
    if quota::project(path).doing(failed)? != id {
        quota::set_project(path, id).doing(failed)?;
    }
    quota::set_limit(path, id, size).doing(failed)
}

/// Bytes that the volume has in `path`; `None` without quotas.
///
/// # Errors
/// What the kernel says.
pub fn usage(path: &Path, volume: &Volume) -> Result<Option<u64>> {
    let Some(id) = project(volume).filter(|_| quota::is_supported(path)) else { return Ok(None) };
    let used = quota::used(path, id);
    used.map(Some).doing(|| format!("Failed to get project consumption for ID \"{id}\" on \"{}\"", path.display()))
}

/// Forgets the limit of a volume that is gone, since its project id may come again.
///
/// # Errors
/// What the kernel says.
pub fn forget(pool: &Path, volume: &Volume) -> Result<()> {
    let Some(id) = project(volume).filter(|_| quota::is_supported(pool)) else { return Ok(()) };
    quota::set_limit(pool, id, None).doing(|| format!("Failed to set project quota for ID \"{id}\""))
}
