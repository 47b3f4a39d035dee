//! `unshare(2)` for namespaces that a thread can make for itself without side effects on others.

use std::io;

/// Makes a cgroup namespace whose root are the groups that the process is in.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_cgroup() -> io::Result<()> {
    // SAFETY: rustix has it as unsafe, since some flags unshare descriptor tables behind the backs of other threads;
    // this flag changes only what the kernel shows of control groups.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }.map_err(io::Error::from)
}

/// Gives the calling thread a mount and a network namespace of its own. Its working directory and umask are no longer
/// shared with other threads either. Processes and threads that it makes from now on live there too.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_mounts_and_network() -> io::Result<()> {
    use rustix::thread::UnshareFlags;
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: rustix has it as unsafe for CLONE_FILES, which is not asked for: descriptors stay shared between threads.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Gives a process without threads a mount namespace of its own. Who is in a user namespace by then owns it, and may not
/// change the attributes of the mounts that it begins with.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN` in the user namespace that the process is in.
pub fn unshare_mounts() -> io::Result<()> {
    // SAFETY: rustix has it as unsafe for CLONE_FILES, which is not asked for: descriptors stay shared between threads.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }.map_err(io::Error::from)
}

/// Gives the calling thread a mount and a network namespace of its own, and the processes that it starts from now on a
/// PID namespace of theirs: the first of them is number 1 there, and all others end with it. Such a thread can start
/// processes, and no threads.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_for_program() -> io::Result<()> {
    use rustix::thread::UnshareFlags;
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWPID;
    // SAFETY: rustix has it as unsafe for CLONE_FILES, which is not asked for: descriptors stay shared between threads.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}
