//! Project ids of files and the quotas on them: two ioctls of include/uapi/linux/fs.h, and quotactl_fd(2).

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `FS_IOC_FSGETXATTR`
const GET: libc::Ioctl = 0x801C_581F_u32 as libc::Ioctl;
/// `FS_IOC_FSSETXATTR`
const SET: libc::Ioctl = 0x401C_5820;
/// `FS_XFLAG_PROJINHERIT`: what is made in the directory gets its project id.
const INHERIT: u32 = 0x200;

/// `PRJQUOTA`
const PROJECT: u32 = 2;
/// `Q_GETINFO`
const GET_INFO: u32 = 0x80_0005;
/// `Q_GETQUOTA`
const GET_QUOTA: u32 = 0x80_0007;
/// `Q_SETQUOTA`
const SET_QUOTA: u32 = 0x80_0008;
/// `QIF_BLIMITS`
const BLOCK_LIMITS: u32 = 1;

/// `struct fsxattr`.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    cow_extent_size: u32,
    padding: [u8; 8],
}

/// `struct if_dqblk`: limits in KiB, use in bytes.
#[repr(C)]
#[derive(Default)]
struct Quota {
    hard_limit: u64,
    soft_limit: u64,
    used: u64,
    inode_hard_limit: u64,
    inode_soft_limit: u64,
    inodes_used: u64,
    time: u64,
    inode_time: u64,
    valid: u32,
    padding: u32,
}

/// `struct if_dqinfo`.
#[repr(C)]
#[derive(Default)]
struct Info {
    grace: u64,
    inode_grace: u64,
    flags: u32,
    valid: u32,
}

fn attributes(file: &impl AsFd) -> io::Result<Attributes> {
    let mut attributes = Attributes::default();
    // SAFETY: no safe wrapper knows this ioctl. It writes one `struct fsxattr`, which `Attributes` mirrors (repr(C),
    // any bit pattern is a value), and which lives through the call.
    let done = unsafe { libc::ioctl(file.as_fd().as_raw_fd(), GET, std::ptr::from_mut(&mut attributes)) };
    if done == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

/// The project id of a file or directory.
///
/// # Errors
/// What the ioctl says; `ENOTTY` or `EOPNOTSUPP` where the filesystem has no project ids.
pub fn project(file: impl AsFd) -> io::Result<u32> {
    Ok(attributes(&file)?.project)
}

/// Sets the project id; with `inherit`, a directory's new entries get it too.
///
/// # Errors
/// What the ioctl says.
pub fn set_project(file: impl AsFd, id: u32, inherit: bool) -> io::Result<()> {
    let mut attributes = attributes(&file)?;
    attributes.project = id;
    if inherit {
        attributes.flags |= INHERIT;
    }
    // SAFETY: as in `attributes`; this one only reads the structure.
    let done = unsafe { libc::ioctl(file.as_fd().as_raw_fd(), SET, std::ptr::from_ref(&attributes)) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// quotactl_fd(2) on the filesystem that `file` is on.
fn quotactl<T>(file: &impl AsFd, command: u32, id: u32, argument: &mut T) -> io::Result<()> {
    let command = (command << 8) | PROJECT;
    // SAFETY: neither rustix nor libc wraps this call (Linux 5.14). All callers pass the structure that the command
    // reads or writes, repr(C) as the kernel declares it and valid with any bits, and it lives through the call.
    let done = unsafe {
        libc::syscall(libc::SYS_quotactl_fd, file.as_fd().as_raw_fd(), command, id, std::ptr::from_mut(argument))
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether project quotas are switched on for the filesystem that `file` is on.
pub fn is_enabled(file: impl AsFd) -> bool {
    quotactl(&file, GET_INFO, 0, &mut Info::default()).is_ok()
}

/// Bytes in use by a project.
///
/// # Errors
/// What quotactl_fd(2) says.
pub fn used(file: impl AsFd, id: u32) -> io::Result<u64> {
    let mut quota = Quota::default();
    quotactl(&file, GET_QUOTA, id, &mut quota)?;
    Ok(quota.used)
}

/// Limits a project to `bytes`, rounded up to KiB; 0 takes the limit away.
///
/// # Errors
/// What quotactl_fd(2) says.
pub fn set_limit(file: impl AsFd, id: u32, bytes: u64) -> io::Result<()> {
    let mut quota = Quota { hard_limit: bytes.div_ceil(1024), valid: BLOCK_LIMITS, ..Quota::default() };
    quotactl(&file, SET_QUOTA, id, &mut quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_large_as_the_kernels() {
        assert_eq!((size_of::<Attributes>(), size_of::<Quota>(), size_of::<Info>()), (28, 72, 24));
    }
}
