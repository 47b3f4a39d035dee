//! What a process does to itself before exec: signals, descriptors, exec itself.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Ignores `signals`, which a program run later inherits until [`default_signals`].
pub fn ignore_signals(signals: &[i32]) {
    for signal in signals {
        // SAFETY: SIG_IGN runs no code of ours; a wrong number is an error that leaves everything as it was.
        unsafe { libc::signal(*signal, libc::SIG_IGN) };
    }
}

/// Gives every signal its default action and blocks none, as a new program expects.
pub fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL runs no code of ours; numbers that may not be changed are refused without effect.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: an all-zero sigset_t is a valid empty set on Linux, is only read, and lives through the call.
    unsafe {
        let empty: libc::sigset_t = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, std::ptr::null_mut());
    }
}

/// Lets the kernel kill the program that `command` starts when the thread that starts it ends, however it ends
/// (PR_SET_PDEATHSIG(2const)). What such a program forks is on its own: a service that goes into the background stays.
pub fn die_with_this_thread(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    let parent = libc::pid_t::try_from(std::process::id()).unwrap_or_default();
    // SAFETY: needed since neither the standard library nor rustix sets this between fork and exec. The closure runs
    // there and does two system calls that touch no memory and take no lock, so that it is safe after a fork of a
    // program with threads.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // It may have ended before the wish was there. In a PID namespace of its own a process sees no parent.
            let found = libc::getppid();
            if found == parent || found == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
        });
    }
}

/// Marks every descriptor from `first` on to be closed at exec.
///
/// # Errors
/// What close_range(2) says.
pub fn close_from_at_exec(first: u32) -> io::Result<()> {
    // SAFETY: the call takes numbers only; marking descriptors changes nothing for their owners in this program.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes every descriptor from `first` on, for a process that has just begun and has opened nothing yet: it must be
/// called before anything owns one of them.
pub fn close_all_from(first: u32) {
    // SAFETY: the call takes numbers only. Descriptors that nobody in this program owns can be closed under nobody; that
    // it comes first in main is what the caller promises, and a wrong promise gives EBADF and no broken memory.
    unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
}

/// Closes every descriptor from 3 on but those of `keep`, for a child that will end by [`exit_now`] without coming back
/// to whoever owns the others.
///
/// [`exit_now`]: super::clone3::exit_now
pub fn close_all_but(keep: &[std::os::fd::RawFd]) {
    let mut kept: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    let mut from = 3;
    for fd in kept.into_iter().chain([u32::MAX]) {
        if from < fd {
            // SAFETY: the call takes numbers only. Their owners in this process are left behind on a stack that is never
            // returned to; should one be used all the same, that gives EBADF and no broken memory.
            unsafe { libc::syscall(libc::SYS_close_range, from, fd - 1, 0) };
        }
        from = fd.saturating_add(1);
    }
}

/// Makes `uname` and the kernel's files show a machine of 32 bits, for this process and those that it becomes.
///
/// # Errors
/// What personality(2) says.
pub fn become_32_bit() -> io::Result<()> {
    /// `PER_LINUX32` of linux/personality.h.
    const LINUX32: libc::c_ulong = 8;
    // SAFETY: rustix has no call for it; it takes a number and changes nothing in this process's memory.
    let was = unsafe { libc::personality(LINUX32) };
    if was >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Runs `program` in place of this process. Returns only to tell why it could not.
pub fn execve(program: &CStr, argv: &[CString], env: &[CString]) -> io::Error {
    let pointers = |words: &[CString]| -> Vec<*const libc::c_char> {
        words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, env) = (pointers(argv), pointers(env));
    // SAFETY: all strings are NUL-terminated, both lists end with a null pointer, and all of it outlives the call,
    // which either does not return or has changed nothing.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

/// Sends `signal` to the process that `pidfd` is open on; rustix takes only signals that have names.
///
/// # Errors
/// What pidfd_send_signal(2) says.
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the call takes numbers and a pointer that may be null; the descriptor is borrowed for its length.
    let done = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, none, 0) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Puts the program that `command` starts under a seccomp filter, and not who starts it.
///
/// # Errors
/// `EINVAL` when it is no valid program.
pub fn filter_at_exec(command: &mut std::process::Command, program: &[u8]) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let mut instructions = instructions(program)?;
    // SAFETY: needed since neither the standard library nor rustix does this between fork and exec. The closure runs there
    // and does one system call, which reads memory that was made before the fork, and takes no lock.
    unsafe {
        command.pre_exec(move || install(&mut instructions));
    }
    Ok(())
}

fn instructions(program: &[u8]) -> io::Result<Vec<libc::sock_filter>> {
    const INSTRUCTION: usize = size_of::<libc::sock_filter>();
    if program.is_empty() || !program.len().is_multiple_of(INSTRUCTION) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let word = |bytes: &[u8]| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let instruction = |bytes: &[u8]| libc::sock_filter {
        code: u16::from_ne_bytes([bytes[0], bytes[1]]),
        jt: bytes[2],
        jf: bytes[3],
        k: word(&bytes[4..]),
    };
    Ok(program.chunks_exact(INSTRUCTION).map(instruction).collect())
}

fn install(instructions: &mut [libc::sock_filter]) -> io::Result<()> {
    let Ok(length) = u16::try_from(instructions.len()) else { return Err(io::Error::from_raw_os_error(libc::EINVAL)) };
    let filter = libc::sock_fprog { len: length, filter: instructions.as_mut_ptr() };
    // SAFETY: rustix has no call for it. The structure points to `length` instructions, which live through the call;
    // the kernel checks them and only reads.
    let done = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives a process (0: the caller) another scheduling policy and priority, as sched_setscheduler(2).
///
/// # Errors
/// What the kernel says.
pub fn set_scheduler(pid: i32, policy: i32, priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: neither the standard library nor rustix has it, and that of musl does nothing; the kernel reads the one
    // number, which lives through the call.
    let done = unsafe { libc::syscall(libc::SYS_sched_setscheduler, pid, policy, &raw const parameters) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
