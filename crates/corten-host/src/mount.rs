//! Mounts made with the kernel's new interface: each is a descriptor first, and is put somewhere when it is ready.
//!
//! See fsopen(2), open_tree(2), mount_setattr(2), move_mount(2). A detached mount is seen by nobody and vanishes with its
//! last descriptor, so nothing has to be undone when a later step fails.

pub mod options;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
};

use crate::syscall::mount_api::{Attributes, mount_setattr};
pub use options::Options;

/// A detached copy of the mount at `path`, with those below it when `recursive`.
///
/// A copy of a shared mount is a peer of it: what is mounted below the one appears below the other. Before it is
/// attached where others may mount, [`change`] it, or [`make_private`].
///
/// # Errors
/// What open_tree(2) says.
pub fn clone_tree(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    clone_tree_at(CWD, path, recursive)
}

/// The same, with `path` looked up from `dir`. A symbolic link at its end is followed.
///
/// # Errors
/// What open_tree(2) says.
pub fn clone_tree_at(dir: impl AsFd, path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if path.as_os_str().is_empty() {
        flags |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    Ok(rustix::mount::open_tree(dir, path, flags)?)
}

/// As [`clone_tree`], of a `path` below `folder` whose links do not lead out of that.
///
/// # Errors
/// `EXDEV` when it leads out, else what openat2(2) and open_tree(2) say.
pub fn clone_tree_within(folder: &Path, path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let below = path.strip_prefix(folder).map_err(|_| io::Error::from(rustix::io::Errno::XDEV))?;
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let found = rustix::fs::openat2(&folder, below, flags, Mode::empty(), resolve)?;
    clone_tree_at(found, Path::new(""), recursive)
}

/// Maps the ids of a detached tree by the user namespace `userns` (a descriptor of `/proc/PID/ns/user`).
///
/// # Errors
/// `EINVAL` when the file system cannot map ids, or the mounts are mapped already.
pub fn map_ids(tree: impl AsFd, userns: BorrowedFd<'_>, recursive: bool) -> io::Result<()> {
    let attributes =
        Attributes { set: libc::MOUNT_ATTR_IDMAP, userns_fd: userns.as_raw_fd() as u64, ..Attributes::default() };
    mount_setattr(tree, recursive, &attributes)
}

/// Sets and clears what `options` says on a detached tree; those for the file system itself mean nothing here.
///
/// # Errors
/// What mount_setattr(2) says.
pub fn change(tree: impl AsFd, options: &Options) -> io::Result<()> {
    if options.set == 0 && options.clear == 0 && options.propagation == 0 {
        return Ok(());
    }
    let attributes =
        Attributes { set: options.set, clear: options.clear, propagation: options.propagation, userns_fd: 0 };
    mount_setattr(tree, options.recursive, &attributes)
}

/// Cuts a detached tree, with all mounts in it, off from what it was copied from.
///
/// # Errors
/// What mount_setattr(2) says.
pub fn make_private(tree: impl AsFd) -> io::Result<()> {
    mount_setattr(tree, true, &Attributes { propagation: libc::MS_PRIVATE, ..Attributes::default() })
}

/// A new detached mount of file system `fstype`.
///
/// # Errors
/// What fsopen(2), fsconfig(2) and fsmount(2) say.
pub fn new(fstype: &str, source: &str, options: &Options) -> io::Result<OwnedFd> {
    let context = configure(fstype, source, options)?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::from_bits_retain(u32::try_from(options.set).unwrap_or(0));
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn configure(fstype: &str, source: &str, options: &Options) -> io::Result<OwnedFd> {
    let context = fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)?;
    if !source.is_empty() {
        fsconfig_set_string(&context, "source", source)?;
    }
    for (key, value) in &options.data {
        match value {
            Some(value) => fsconfig_set_string(&context, key.as_str(), value.as_str())?,
            None => fsconfig_set_flag(&context, key.as_str())?,
        }
    }
    if options.readonly_superblock() {
        fsconfig_set_flag(&context, "ro")?;
    }
    Ok(context)
}

/// Puts a detached mount at `path`, looked up from `dir`; an empty path is `dir` itself.
///
/// # Errors
/// What move_mount(2) says.
pub fn attach(tree: impl AsFd, dir: impl AsFd, path: &Path) -> io::Result<()> {
    let mut flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    if path.as_os_str().is_empty() {
        flags |= MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    } else {
        flags |= MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    }
    Ok(rustix::mount::move_mount(tree, "", dir, path, flags)?)
}

/// Takes the uppermost mount at `path` away, at once for new look-ups and for good with its last user.
///
/// # Errors
/// What umount(2) says.
pub fn detach(path: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?)
}

/// Cuts all mounts of the process's mount namespace off from those they were copied from.
///
/// # Errors
/// What mount(2) says.
pub fn make_all_private() -> io::Result<()> {
    use rustix::mount::MountPropagationFlags;
    Ok(rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
}
