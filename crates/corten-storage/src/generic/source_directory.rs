//! Pools whose source is a directory of the host, bound to the pool's own directory where it is another one.

use std::path::{Path, PathBuf};

use corten_host::rooted::remove;

use crate::error::{Doing, Result};
use crate::mounts;
use crate::pool::Pool;

/// The source as configured; the pool's own directory when it is not.
fn source(pool: &Pool) -> PathBuf {
    match pool.config_value("source") {
        value if value.is_empty() => pool.directory().to_path_buf(),
        value => PathBuf::from(value),
    }
}

/// Whether both paths are the same directory.
fn same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| rustix::fs::stat(path).ok().map(|stat| (stat.st_dev, stat.st_ino));
    matches!((identity(one), identity(other)), (Some(one), Some(other)) if one == other)
}

/// Binds the source to the pool's directory, unless it is there.
///
/// # Errors
/// What mount(2) says.
pub fn mount(pool: &Pool) -> Result<()> {
    let (source, directory) = (source(pool), pool.directory());
    if same(&source, directory) {
        return Ok(());
    }
    rustix::mount::mount_bind(&source, directory)
        .doing(|| format!("Failed to mount \"{}\" on \"{}\" using \"none\"", source.display(), directory.display()))
}

/// Takes back [`mount`].
///
/// # Errors
/// What umount2(2) says.
pub fn unmount(pool: &Pool) -> Result<()> {
    if source(pool) == pool.directory() { Ok(()) } else { mounts::unmount_all(pool.directory()) }
}

/// Removes everything in the source, which itself stays when the administrator made it.
///
/// # Errors
/// What could not be removed.
pub fn empty(pool: &Pool) -> Result<()> {
    let directory = pool.directory();
    match remove::contents(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.doing(|| format!("Failed to empty '{}'", directory.display())),
    }
}
