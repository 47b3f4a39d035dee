//! Copying one entry of a directory: data shared or without its holes, then all attributes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use corten_host::rooted::directory::Directory;
use corten_host::xattr;
use rustix::fs::{FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

/// A directory and its copy.
pub struct Pair {
    /// The directory that is copied.
    pub from: Directory,
    /// Its copy.
    pub to: Directory,
    /// What the copy will replace.
    pub like: Option<Directory>,
}

/// A file and its copy, both open.
pub struct Files {
    from: File,
    to: File,
}

/// Copies anything but directories.
///
/// # Errors
/// What the kernel says.
pub fn copy(pair: &Pair, name: &OsStr, stat: &Stat, no_reflink: &AtomicBool) -> io::Result<()> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return copy_file(&create(pair, name)?, stat, no_reflink),
        FileType::Symlink => pair.to.symlink(&pair.from.readlink(name)?, name)?,
        kind => pair.to.mknod(name, kind, Mode::from_raw_mode(0o600), stat.st_rdev)?,
    }
    copy_attributes(pair, name, stat)
}

/// Copies a file with owner, permissions and times, without sharing and holes.
///
/// # Errors
/// What the kernel says.
pub fn copy_small(from: &Directory, to: &Directory, name: &OsStr, stat: &Stat) -> io::Result<()> {
    let source = File::from(from.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?);
    let mut target = to.create(name, Mode::from_raw_mode(0o600))?;
    io::copy(&mut source.take(stat.st_size.cast_unsigned()), &mut target)?;
    to.chown(name, stat.st_uid, stat.st_gid)?;
    to.chmod(name, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    to.utimes(name, &times(stat))
}

/// Opens a file and makes its copy, still empty.
///
/// # Errors
/// What openat(2) says.
pub fn create(pair: &Pair, name: &OsStr) -> io::Result<Files> {
    // Should somebody put a FIFO there meanwhile, opening it must not wait.
    let from = pair.from.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOATIME, Mode::empty());
    let from = from.or_else(|_| pair.from.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()))?;
    Ok(Files { from: File::from(from), to: pair.to.create(name, Mode::from_raw_mode(0o600))? })
}

/// Copies data and attributes of a file.
///
/// # Errors
/// What the kernel says.
pub fn copy_file(files: &Files, stat: &Stat, no_reflink: &AtomicBool) -> io::Result<()> {
    copy_data(files, stat, no_reflink)?;
    copy_attributes_between(&files.from, &files.to, stat)
}

/// Copies the data: shared where the filesystem can, else piece by piece without the holes.
///
/// # Errors
/// What the kernel says.
fn copy_data(files: &Files, stat: &Stat, no_reflink: &AtomicBool) -> io::Result<()> {
    let size = stat.st_size.cast_unsigned();
    if size == 0 {
        return Ok(());
    }
    if !no_reflink.load(Ordering::Relaxed) {
        match rustix::fs::ioctl_ficlone(&files.to, &files.from) {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::NOTTY | Errno::INVAL | Errno::NOSYS | Errno::TXTBSY) => {
                no_reflink.store(true, Ordering::Relaxed);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    // Blocks are 512 bytes here whatever the filesystem's own are; fewer than the size needs means holes.
    if stat.st_blocks.cast_unsigned() * 512 >= size {
        return copy_piece(files, 0, size);
    }
    let mut at = 0;
    while let Some((start, end)) = next_data(&files.from, at, size)? {
        copy_piece(files, start, end - start)?;
        at = end;
    }
    files.to.set_len(size)
}

/// The next piece of data at or behind `at`; `None` when only a hole is left.
fn next_data(file: &File, at: u64, size: u64) -> io::Result<Option<(u64, u64)>> {
    use rustix::fs::{SeekFrom, seek};
    if at >= size {
        return Ok(None);
    }
    let start = match seek(file, SeekFrom::Data(at)) {
        Err(Errno::NXIO) => return Ok(None),
        start => start?,
    };
    Ok(Some((start, seek(file, SeekFrom::Hole(start))?.min(size))).filter(|(start, end)| start < end))
}

/// Copies `length` bytes at `offset`, inside the kernel where it can.
fn copy_piece(files: &Files, offset: u64, length: u64) -> io::Result<()> {
    let (mut from_at, mut to_at, end) = (offset, offset, offset + length);
    while from_at < end {
        let wanted = usize::try_from(end - from_at).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(&files.from, Some(&mut from_at), &files.to, Some(&mut to_at), wanted) {
            // The file became shorter while it was copied, or is of those that tell no size (/proc has them).
            Ok(0) => return read_and_write(files, from_at, end),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => {
                return read_and_write(files, from_at, end);
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn read_and_write(files: &Files, mut at: u64, end: u64) -> io::Result<()> {
    let mut from = &files.from;
    from.seek(SeekFrom::Start(at))?;
    let mut to = &files.to;
    to.seek(SeekFrom::Start(at))?;
    let mut buffer = vec![0; 128 << 10];
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let read = from.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
        at += read as u64;
    }
    Ok(())
}

/// Copies owner, attributes, permissions and times of the entry `name`, which cannot be opened.
fn copy_attributes(pair: &Pair, name: &OsStr, stat: &Stat) -> io::Result<()> {
    // A change of owner takes file capabilities away, so it comes first; times come last.
    pair.to.chown(name, stat.st_uid, stat.st_gid)?;
    for attribute in xattr::list(&pair.from, name)? {
        if let Some(value) = xattr::get(&pair.from, name, &attribute)? {
            or_unknown_here(xattr::set(&pair.to, name, &attribute, &value))?;
        }
    }
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        pair.to.chmod(name, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    }
    pair.to.utimes(name, &times(stat))
}

/// Copies the attributes of the two directories themselves, after everything in them.
///
/// # Errors
/// What the kernel says.
pub fn copy_own_attributes(pair: &Pair) -> io::Result<()> {
    copy_attributes_between(&pair.from, &pair.to, &rustix::fs::fstat(&pair.from)?)
}

/// As [`copy_attributes`], of open files or directories.
fn copy_attributes_between(from: impl AsFd, to: impl AsFd, stat: &Stat) -> io::Result<()> {
    use rustix::fs::{Gid, Uid, fchmod, fchown, futimens};
    fchown(&to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    for attribute in xattr::list_of(&from)? {
        if let Some(value) = xattr::get_of(&from, &attribute)? {
            or_unknown_here(xattr::set_of(&to, &attribute, &value))?;
        }
    }
    fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    Ok(futimens(&to, &times(stat))?)
}

/// Another filesystem may not have this kind of attribute; rsync and tar go on then as well.
fn or_unknown_here(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => Ok(()),
        set => set,
    }
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanos: u64| Timespec { tv_sec: seconds, tv_nsec: nanos.cast_signed() };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}
