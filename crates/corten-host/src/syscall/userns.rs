//! A process that does nothing but hold a new user namespace, so that another can write its id maps.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The holder; it is ended and reaped when this is dropped.
#[derive(Debug)]
pub struct Holder {
    /// The process, in the caller's pid namespace.
    pub pid: i32,
    pidfd: OwnedFd,
}

/// What clone3 takes, up to the field that is needed here.
#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    rest: [u64; 6],
}

/// Starts a process in a new user namespace. It may be called with many threads running.
///
/// # Errors
/// What clone3(2) says: `ENOSPC` or `EPERM` where user namespaces are limited.
pub fn hold() -> io::Result<Holder> {
    let mut pidfd: i32 = -1;
    let mut arguments = Arguments {
        flags: (libc::CLONE_NEWUSER | libc::CLONE_PIDFD) as u64,
        pidfd: std::ptr::from_mut(&mut pidfd).addr() as u64,
        ..Arguments::default()
    };
    // SAFETY: needed since signals must not reach handlers in the child, which would act on descriptors shared with
    // this process. Both sets are plain values that live through the calls, and the mask is put back below.
    let old = unsafe {
        let (mut all, mut old): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        old
    };
    // SAFETY: needed because no safe wrapper makes a process in a namespace. It is a fork without shared memory and
    // without a signal at the child's end, so that nobody else reaps it. The structure is the kernel's first version
    // of `struct clone_args` and lives through the call, as does `pidfd`. The child of a program with many threads
    // may only make system calls, and that is all it does below.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<Arguments>()) };
    if pid == 0 {
        loop {
            // SAFETY: both calls take numbers only, allocate nothing and take no lock. The process dies with the
            // thread that made it, should that end first.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                libc::pause();
            }
        }
    }
    let outcome = if pid < 0 { Err(io::Error::last_os_error()) } else { i32::try_from(pid).map_err(io::Error::other) };
    // SAFETY: the set was filled by the call that took the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, std::ptr::null_mut()) };
    let pid = outcome?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows its number.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Holder { pid, pidfd })
}

impl Drop for Holder {
    fn drop(&mut self) {
        // SAFETY: needed because rustix cannot wait for a child that ends without a signal (`__WALL`). The calls take
        // a descriptor that is open and a structure that lives through the call; the process is our own child, and
        // SIGKILL cannot be blocked, so the wait ends.
        unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), libc::SIGKILL, none, 0);
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let which = self.pidfd.as_raw_fd().cast_unsigned();
            while libc::waitid(libc::P_PIDFD, which, &raw mut info, libc::WEXITED | libc::__WALL) < 0
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
    }
}
