//! Files read and written whole, with the path in every error, and replaced atomically.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What was being done to which path, and what the kernel said.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {source}", .path.display())]
pub struct Error {
    /// What was being done, as a present participle: "reading", "writing \"max\" to".
    pub doing: String,
    /// The path it was done to.
    pub path: PathBuf,
    /// What the kernel said.
    pub source: io::Error,
}

impl Error {
    /// An error of `source` while `doing` something to `path`.
    pub fn new(doing: impl Into<String>, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Error {
        Error { doing: doing.into(), path: path.into(), source: source.into() }
    }

    /// Whether the path did not exist.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Reads a text file whole.
///
/// # Errors
/// [`Error`] naming the path, also when the file is not UTF-8.
pub fn read(path: impl AsRef<Path>) -> Result<String, Error> {
    let path = path.as_ref();
    fs::read_to_string(path).map_err(|source| Error::new("reading", path, source))
}

/// Reads a text file whole and without the white space at its ends; `None` when there is no such file.
///
/// # Errors
/// [`Error`] naming the path, for every other reason than a missing file.
pub fn read_if_there(path: impl AsRef<Path>) -> Result<Option<String>, Error> {
    match read(path) {
        Ok(text) => Ok(Some(text.trim().to_string())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes to an existing file in one `write`, as files of the kernel want it (no creation, no truncation).
///
/// # Errors
/// [`Error`] naming the path and the value.
pub fn set(path: impl AsRef<Path>, value: &str) -> Result<(), Error> {
    let path = path.as_ref();
    let written = fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(value.as_bytes()));
    written.map_err(|source| Error::new(format!("writing {value:?} to"), path, source))
}

/// Puts `content` in place of the file at `path`, whole or not at all, also across a power failure: a temporary file
/// in the same directory is written, synced and renamed. A new file gets `mode` (octal, 0o644 like); the owner of a
/// file that was there stays.
///
/// # Errors
/// [`Error`] naming the path; the old content is untouched then and no temporary file is left.
pub fn replace(path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) -> Result<(), Error> {
    exchange(path.as_ref(), content.as_ref(), mode, true)
}

/// As [`replace`], for what can be written again: the disk is not waited for, and a power failure within the next half
/// minute may leave the old file, or an empty one where none was.
///
/// # Errors
/// See [`replace`].
pub fn replace_in_time(path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) -> Result<(), Error> {
    exchange(path.as_ref(), content.as_ref(), mode, false)
}

fn exchange(path: &Path, content: &[u8], mode: u32, wait: bool) -> Result<(), Error> {
    let temporary = temporary_beside(path);
    let work = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        // The umask may have taken bits away.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if let Ok(old) = fs::metadata(path) {
            use std::os::unix::fs::MetadataExt;
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.write_all(content)?;
        if !wait {
            return fs::rename(&temporary, path);
        }
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself is on disk only when the directory is.
        fs::File::open(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    };
    work().map_err(|source| {
        // It may never have been made, or have its final name already.
        let _ = fs::remove_file(&temporary);
        Error::new("replacing", path, source)
    })
}

/// A name in the same directory that nobody else uses: process, thread and count are in it.
fn temporary_beside(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_is_whole_or_not_at_all() {
        let dir = std::env::temp_dir().join(format!("corten-file-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("temporary directory");
        let path = dir.join("a");
        replace(&path, "one", 0o640).expect("new file");
        replace(&path, "two", 0o640).expect("old file");
        assert_eq!(read(&path).expect("readable"), "two");
        let error = replace(dir.join("missing/a"), "x", 0o600).unwrap_err();
        assert!(error.to_string().contains("missing/a"), "{error}");
        assert_eq!(fs::read_dir(&dir).expect("listable").count(), 1);
        fs::remove_dir_all(&dir).expect("removable");
    }

    #[test]
    fn a_missing_file_is_no_error_where_it_may_be_missing() {
        assert_eq!(read_if_there("/no/such/file").expect("missing is fine"), None);
        assert!(read("/no/such/file").unwrap_err().to_string().starts_with("reading /no/such/file: "));
    }
}
