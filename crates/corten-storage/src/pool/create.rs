//! Making a pool and removing it.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use corten_host::rooted::remove;
use corten_host::undo::{self, Undo};

use super::Pool;
use crate::error::{Doing, Error, Result};

impl Pool {
    /// Makes a pool, mounts it and gives the way back. Defaults are filled into `config`, whose keys and values the
    /// caller has validated.
    ///
    /// # Errors
    /// LXD's words about the name, the directory or the source.
    pub fn create(
        driver: &str,
        name: &str,
        lxd_dir: &Path,
        config: &mut BTreeMap<String, String>,
    ) -> Result<(Pool, Undo)> {
        check_name(name)?;
        let pool = Pool::open(driver, name, lxd_dir, config.clone())?;
        let directory = pool.directory().to_path_buf();
        if directory.is_dir() {
            return Err(Error::internal(format!("Storage pool directory \"{}\" already exists", directory.display())));
        }
        let mut undo = Undo::default();
        let made = || {
            let mut builder = std::fs::DirBuilder::new();
            let made = builder.recursive(true).mode(0o711).create(&directory);
            made.doing(|| format!("Failed to create storage pool directory \"{}\"", directory.display()))
        };
        let back = directory.clone();
        undo.step("make the pool's directory", made, |()| {
            move || remove::tree(&back).map_err(|error| error.to_string())
        })?;
        undo.absorb(pool.driver().create_source(&pool)?);
        let mounted = pool.clone();
        undo.step(
            "mount the pool",
            || pool.attach(),
            |()| move || mounted.unmount().map_err(|error| error.to_string()),
        )?;
        let contents = directory.clone();
        undo.step(
            "make the directories of volumes",
            || pool.make_structure(),
            |()| move || remove::contents(&contents).map_err(|error| error.to_string()),
        )?;
        undo::reach("look at what the filesystem can do")?;
        pool.driver().probe(&pool)?;
        *config = pool.config();
        Ok((pool, undo))
    }

    /// Removes the pool and everything in it. That nothing uses it is for the caller to know.
    ///
    /// # Errors
    /// What could not be removed; what was removed stays so, and the call can be repeated.
    pub fn delete(&self) -> Result<()> {
        self.driver().release(self)?;
        self.driver().delete_source(self)?;
        self.driver().unmount_source(self)?;
        let directory = self.directory();
        remove::tree(directory).doing(|| format!("Failed to remove '{}'", directory.display()))
    }
}

/// What LXD asks of a pool's name.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.starts_with('.') {
        return Err(Error::invalid(format!(
            "Invalid storage pool name \"{name}\": must not be empty or begin with a dot"
        )));
    }
    if name.contains('/') {
        return Err(Error::invalid("Storage name cannot contain \"/\""));
    }
    if name.contains(char::is_whitespace) {
        return Err(Error::invalid("Storage name cannot contain white space"));
    }
    Ok(())
}

/// Looks whether a directory can be the source of a new pool, and gives its path.
///
/// # Errors
/// LXD's words: not there, inside LXD's own directory, not empty.
pub(crate) fn checked_source(pool: &Pool) -> Result<PathBuf> {
    let source = pool.config_value("source");
    if source.is_empty() {
        pool.set_config("source", pool.directory().to_string_lossy().into_owned());
        return Ok(pool.directory().to_path_buf());
    }
    let path = PathBuf::from(&source);
    if !path.is_absolute() || !path.is_dir() {
        return Err(Error::invalid(format!("Source path '{source}' doesn't exist")));
    }
    let clean = std::fs::canonicalize(&path).doing(|| format!("Failed to look at source path '{source}'"))?;
    let lxd_dir = std::fs::canonicalize(pool.lxd_dir()).unwrap_or_else(|_| pool.lxd_dir().to_path_buf());
    let own = std::fs::canonicalize(pool.directory()).ok();
    if clean.starts_with(&lxd_dir) && Some(&clean) != own.as_ref() {
        return Err(Error::invalid(format!("Source path '{source}' is within the LXD directory")));
    }
    let mut entries = std::fs::read_dir(&path).doing(|| format!("Failed to read source path '{source}'"))?;
    if entries.next().is_some() {
        return Err(Error::invalid(format!("Source path '{source}' isn't empty")));
    }
    Ok(path)
}
