//! Names on disk: what a volume may be called, what marks a leftover, and renames that never replace anything.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, RenameFlags};

use crate::error::{Doing, Error, Result};

/// Begins the name of what is being built or removed. Instance and volume names of LXD never begin with a dot.
const LEFTOVER: &str = ".tmp-";

/// Whether an entry of a directory of volumes is what an interrupted change left.
pub fn is_leftover(name: &OsStr) -> bool {
    name.as_bytes().starts_with(LEFTOVER.as_bytes())
}

/// The name of something that is a leftover from the start, unique in this process.
pub fn passing(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{LEFTOVER}{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A path beside `path` under which something is built or taken away; unique in this process, whose pools no
/// other process changes.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Names may be 255 bytes long; what is left of the volume's name is for the curious only.
    let short: String = name.chars().take(40).collect();
    path.with_file_name(passing(&short))
}

/// Refuses names that would lead elsewhere than one directory below the pool's.
///
/// # Errors
/// Naming the volume.
pub fn check(name: &str) -> Result<()> {
    let parts: Vec<&str> = name.split('/').collect();
    let bad = |part: &&str| part.is_empty() || part.starts_with('.') || part.contains('\0') || part.len() > 200;
    if parts.len() > 2 || parts.iter().any(bad) {
        return Err(Error::invalid(format!("Invalid volume name \"{name}\"")));
    }
    Ok(())
}

/// Names in a directory of volumes without leftovers, ordered; none when the directory is missing.
///
/// # Errors
/// What the kernel says.
pub fn volumes(directory: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).doing(|| format!("Failed to read \"{}\"", directory.display())),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.doing(|| format!("Failed to read \"{}\"", directory.display()))?;
        if !entry.file_name().as_bytes().starts_with(b".") {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Renames, refusing to replace anything at `to`.
///
/// # Errors
/// What renameat2(2) says; `EEXIST` when `to` is there.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Lets two directories change places in one step.
///
/// # Errors
/// What renameat2(2) says.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Removes a directory when it is there and empty.
///
/// # Errors
/// What rmdir(2) says otherwise.
pub fn remove_if_empty(path: &Path) -> Result<()> {
    use rustix::io::Errno;
    match rustix::fs::rmdir(path) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => Ok(()),
        Err(errno) => Err(errno).doing(|| format!("Failed to remove '{}'", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for good in ["c1", "web_c1", "c1/snap0", "default_my.volume"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/..", "a/b/c", "/a", "a/", ".tmp-x", "a\0b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_beside_is_a_leftover_until_it_is_renamed() {
        let path = beside(Path::new("/p/containers/c1"));
        assert_eq!(path.parent(), Some(Path::new("/p/containers")));
        assert!(is_leftover(path.file_name().expect("a name")));
        assert_ne!(path, beside(Path::new("/p/containers/c1")));
    }
}
