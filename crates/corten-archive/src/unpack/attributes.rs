//! Owner, permissions, attributes and times of what was written.

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use corten_host::rooted::directory::Directory;
use corten_host::xattr::{self, IdShift};
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::tar::{Entry, Kind};

/// Attributes by which overlayfs takes its own notes, and a change of owners takes its own. An archive that brings them
/// could change what is seen through layers, or what the host makes of a file, so they are left out.
const NOTES: [&[u8]; 3] = [b"trusted.overlay.", b"user.overlay.", b"trusted.corten."];

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

/// Something that was just made for an entry.
pub enum Made<'a> {
    /// A file or directory that is open.
    Open(BorrowedFd<'a>),
    /// The entry of this name in a directory: links and devices, which cannot be opened.
    Named(&'a Directory, &'a OsStr),
}

/// Puts all of an entry's attributes on what was made for it.
///
/// # Errors
/// What the kernel says; attributes that the filesystem does not know are left out.
pub fn apply(made: &Made, entry: &Entry, shift: Option<&dyn IdShift>) -> Result<()> {
    let (uid, gid) = owner(entry, shift)?;
    let work = || -> io::Result<()> {
        // The order matters: a change of owner takes file capabilities and the set-user-id bit away, a default ACL
        // rewrites permissions, and anything changes the times.
        match made {
            Made::Open(file) => rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?,
            Made::Named(directory, name) => directory.chown(name, uid, gid)?,
        }
        for (attribute, value) in &entry.xattrs {
            set_attribute(made, attribute, value, shift)?;
        }
        let (mode, times) = (Mode::from_raw_mode(entry.mode), times(entry.mtime));
        match made {
            Made::Open(file) => {
                rustix::fs::fchmod(file, mode)?;
                Ok(rustix::fs::futimens(file, &times)?)
            }
            Made::Named(directory, name) => {
                if entry.kind != Kind::Symlink {
                    directory.chmod(name, mode)?;
                }
                directory.utimes(name, &times)
            }
        }
    };
    work().map_err(|source| Error::writing(format!("Failed to set attributes of \"{}\"", entry.path.display()), source))
}

fn set_attribute(made: &Made, attribute: &OsStr, value: &[u8], shift: Option<&dyn IdShift>) -> io::Result<()> {
    if NOTES.iter().any(|prefix| attribute.as_bytes().starts_with(prefix)) {
        return Ok(());
    }
    let shifted = match shift {
        None => None,
        // An id in it has no place in the container: the attribute means nothing there.
        Some(ids) => match xattr::shift(attribute, value, ids) {
            None => return Ok(()),
            shifted => shifted,
        },
    };
    let value = shifted.as_deref().unwrap_or(value);
    let set = match made {
        Made::Open(file) => xattr::set_of(file, attribute, value),
        Made::Named(directory, name) => xattr::set(directory, name, attribute, value),
    };
    match set {
        Err(error) if is_unknown_here(attribute, &error) => Ok(()),
        set => set,
    }
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

/// Whether a path is the root itself.
pub fn is_top(path: &Path) -> bool {
    path.as_os_str().is_empty()
}
