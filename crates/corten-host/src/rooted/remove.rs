//! Removing a tree through open directories, so that nobody can lead the removal elsewhere by a link or a rename.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, IFlags, Mode, OFlags};
use rustix::io::Errno;

use super::directory::Directory;

/// Removes the tree at a path whose parent is trusted. Nothing there is no failure.
///
/// # Errors
/// What the kernel says about the first entry that cannot be removed.
pub fn tree(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::INVAL.into()) };
    match Directory::open(parent) {
        Ok(dir) => entry(&dir, name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes all entries of the directory at a trusted path, and keeps the directory.
///
/// # Errors
/// What the kernel says about the first entry that cannot be removed.
pub fn contents(path: &Path) -> io::Result<()> {
    let dir = Directory::open(path)?;
    dir.entries()?.iter().try_for_each(|(name, _)| entry(&dir, name))
}

/// Removes the entry `name` of `dir` with everything below it. Nothing there is no failure.
///
/// # Errors
/// What the kernel says about the first entry that cannot be removed.
pub fn entry(dir: &Directory, name: &OsStr) -> io::Result<()> {
    remove(dir, name, FileType::Unknown)
}

fn remove(dir: &Directory, name: &OsStr, kind: FileType) -> io::Result<()> {
    if kind != FileType::Directory {
        match insist(dir, name, |dir| dir.unlink(name)) {
            Ok(()) => return Ok(()),
            Err(error) if is(&error, Errno::NOENT) => return Ok(()),
            Err(error) if is(&error, Errno::ISDIR) => {}
            Err(error) => return Err(error),
        }
    }
    let below = match dir.enter(name) {
        Ok(below) => below,
        Err(error) if is(&error, Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    for (name, kind) in below.entries()? {
        remove(&below, &name, kind)?;
    }
    drop(below);
    match insist(dir, name, |dir| dir.rmdir(name)) {
        Err(error) if is(&error, Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// Tries `work`; when the kernel does not permit it, takes the immutable and append-only flags off the entry and
/// its directory and tries once more.
fn insist(dir: &Directory, name: &OsStr, work: impl Fn(&Directory) -> io::Result<()>) -> io::Result<()> {
    match work(dir) {
        Err(error) if is(&error, Errno::PERM) => {
            soften(dir);
            // Opening anything but files and directories could have effects or wait; flags are on these two only.
            let kind = dir.stat(name).map(|stat| FileType::from_raw_mode(stat.st_mode));
            if matches!(kind, Ok(FileType::RegularFile | FileType::Directory))
                && let Ok(entry) = dir.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())
            {
                soften(&entry);
            }
            work(dir)
        }
        done => done,
    }
}

/// Takes the flags off that forbid changes. Filesystems without flags refuse it, and then there are none.
fn soften(file: impl std::os::fd::AsFd) {
    if let Ok(flags) = rustix::fs::ioctl_getflags(&file) {
        let hard = IFlags::IMMUTABLE | IFlags::APPEND;
        if flags.intersects(hard) {
            // When this fails the caller's second attempt reports why.
            let _ = rustix::fs::ioctl_setflags(&file, flags - hard);
        }
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
