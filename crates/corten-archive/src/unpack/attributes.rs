//! Owner, permissions, attributes and times of what was written.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use corten_host::rooted::directory::Directory;
use corten_host::xattr::{self, IdShift};
use rustix::fs::{Mode, Timespec, Timestamps};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::tar::{Entry, Kind};

/// Attributes by which overlayfs takes its own notes. An archive that brings them could change what is seen through
/// layers, so they are left out.
const OVERLAY: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// Owner and group to be written for an entry.
///
/// # Errors
/// [`Error::Refused`] when the id map has no place for one of them.
pub fn owner(entry: &Entry, shift: Option<&dyn IdShift>) -> Result<(u32, u32)> {
    let Some(ids) = shift else { return Ok((entry.uid, entry.gid)) };
    ids.uid(entry.uid).zip(ids.gid(entry.gid)).ok_or_else(|| {
        Error::refused(
            &entry.path,
            format!("its owner {}:{} is outside of the container's id map", entry.uid, entry.gid),
        )
    })
}

/// Puts all of an entry's attributes on `name` in `directory`, which was made for it.
///
/// # Errors
/// What the kernel says; attributes that the filesystem does not know are left out.
pub fn apply(directory: &Directory, name: &OsStr, entry: &Entry, shift: Option<&dyn IdShift>) -> Result<()> {
    let failed = |source| Error::writing(format!("Failed to set attributes of \"{}\"", entry.path.display()), source);
    // The order matters: a change of owner takes file capabilities and the set-user-id bit away, a default ACL
    // rewrites permissions, and anything changes the times.
    let (uid, gid) = owner(entry, shift)?;
    directory.chown(name, uid, gid).map_err(failed)?;
    for (attribute, value) in &entry.xattrs {
        if OVERLAY.iter().any(|prefix| attribute.as_bytes().starts_with(prefix)) {
            continue;
        }
        let shifted = shift.map(|ids| xattr::shift(attribute, value, ids));
        let value = match &shifted {
            None => value,
            Some(Some(value)) => value,
            Some(None) => continue,
        };
        match xattr::set(directory, name, attribute, value) {
            Err(error) if is_unknown_here(attribute, &error) => {}
            done => done.map_err(failed)?,
        }
    }
    if entry.kind != Kind::Symlink {
        directory.chmod(name, Mode::from_raw_mode(entry.mode)).map_err(failed)?;
    }
    directory.utimes(name, &times(entry.mtime)).map_err(failed)
}

/// Whether an attribute may be missing afterwards: where the filesystem has none of this kind, and where a security
/// module that the archive's maker had guards them.
fn is_unknown_here(attribute: &OsStr, error: &io::Error) -> bool {
    let guarded = attribute.as_bytes().starts_with(b"security.") && attribute != "security.capability";
    let errno = error.raw_os_error();
    errno == Some(Errno::OPNOTSUPP.raw_os_error())
        || (guarded && [Errno::PERM, Errno::INVAL, Errno::ACCESS].iter().any(|each| errno == Some(each.raw_os_error())))
}

/// The same time for the last access and the last modification.
fn times((seconds, nanos): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: i64::from(nanos) };
    Timestamps { last_access: time, last_modification: time }
}

/// As [`apply`], for the root directory that all entries are below.
///
/// # Errors
/// What the kernel says.
pub fn apply_to_top(top: &Directory, entry: &Entry, shift: Option<&dyn IdShift>) -> Result<()> {
    let failed = |source: Errno| Error::writing("Failed to set attributes of the root".to_string(), source.into());
    let (uid, gid) = owner(entry, shift)?;
    let (uid, gid) = (Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)));
    rustix::fs::fchown(top, uid, gid).map_err(failed)?;
    rustix::fs::fchmod(top, Mode::from_raw_mode(entry.mode)).map_err(failed)?;
    rustix::fs::futimens(top, &times(entry.mtime)).map_err(failed)
}

/// Whether a path is the root itself.
pub fn is_top(path: &Path) -> bool {
    path.as_os_str().is_empty()
}
