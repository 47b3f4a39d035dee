//! `mount_setattr(2)`, the one call of the new mount interface that rustix lacks.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// What is changed on a mount, or on all mounts of a tree.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Attributes {
    /// `MOUNT_ATTR_*` to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` to clear.
    pub clear: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE`; 0 leaves it.
    pub propagation: u64,
    /// The user namespace for `MOUNT_ATTR_IDMAP`.
    pub userns_fd: u64,
}

/// Changes the attributes of the mount that `mount` is open on, and with `recursive` of all below it.
///
/// # Errors
/// What mount_setattr(2) says.
pub fn mount_setattr(mount: impl AsFd, recursive: bool, attributes: &Attributes) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: neither rustix nor libc wraps this call. The path is a NUL-terminated constant, and the structure is
    // repr(C) as the kernel's `struct mount_attr`, lives through the call, is only read, and comes with its own size.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<Attributes>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
