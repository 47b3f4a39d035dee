//! `clone3(2)`: a new process that starts in namespaces and a control group of its own.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The kernel's `CLONE_INTO_CGROUP`. libc declares it as a 32-bit number, in which it is 0.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Which side of the fork this is.
#[derive(Debug)]
pub enum Side {
    /// The caller.
    Parent {
        /// The new process, in the caller's pid namespace.
        pid: i32,
        /// A descriptor of it, readable when it has ended.
        pidfd: OwnedFd,
    },
    /// The new process.
    Child,
}

#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Forks, with `namespaces` (`CLONE_NEW*`) made for the child, in the group of version 2 that `cgroup` is open on.
///
/// The caller must have a single thread: the child is a copy in which only this thread exists, so that a lock held by
/// another would never be released. That is checked, since a wrong answer would be a dead-lock and not an error.
///
/// # Errors
/// What clone3(2) says; `EDEADLK` when the process has more than one thread.
pub fn clone3(namespaces: u64, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Side> {
    single_threaded()?;
    // SAFETY: this is the only thread, as was just seen.
    unsafe { clone(namespaces, libc::SIGCHLD, cgroup) }
}

/// Forks a brother: a child of the caller's parent, who waits for it as for the caller.
///
/// The caller must be a child of [`clone3`], and so have a single thread: it may stand in a container, whose `/proc` is
/// not to be asked.
///
/// # Errors
/// What clone3(2) says.
pub fn brother() -> io::Result<Side> {
    // SAFETY: a child of clone3 has one thread, and this project starts none in such a child.
    unsafe { clone(libc::CLONE_PARENT as u64, 0, None) }
}

/// # Safety
/// The caller is the only thread of its process.
unsafe fn clone(flags: u64, exit_signal: i32, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Side> {
    let mut pidfd: i32 = -1;
    let mut arguments = Arguments {
        flags: flags | libc::CLONE_PIDFD as u64,
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        exit_signal: exit_signal as u64,
        ..Arguments::default()
    };
    if let Some(group) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd() as u64;
    }
    // SAFETY: no wrapper has these flags. Without CLONE_VM and with no stack given, the child runs on a copy of this
    // memory as after fork(2); this is the only thread, so every invariant of the copy holds. The structure is the
    // kernel's `struct clone_args` up to `cgroup`, and it and `pidfd` live through the call.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<Arguments>()) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        pid => {
            // SAFETY: the kernel has just put a new descriptor there, which nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Side::Parent { pid: i32::try_from(pid).unwrap_or(i32::MAX), pidfd })
        }
    }
}

/// An ordinary fork, for a process that goes on alone.
///
/// # Errors
/// See [`clone3`].
pub fn fork() -> io::Result<Side> {
    clone3(0, None)
}

/// `/proc/self/task` has an entry for every thread, and its link count is their number plus two.
fn single_threaded() -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata("/proc/self/task") {
        Ok(tasks) if tasks.nlink() > 3 => Err(io::Error::from_raw_os_error(libc::EDEADLK)),
        _ => Ok(()),
    }
}

/// Ends this process at once, running nothing: what a child of [`clone3`] must do instead of returning.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no preconditions; the standard library's exit would run the parent's exit handlers.
    unsafe { libc::_exit(status) }
}
