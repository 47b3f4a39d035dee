//! Processes held by descriptors: a signal reaches the process that was meant, or none.

use std::io;
use std::os::fd::AsFd;

/// Sends a signal by number: real-time signals have no names, and systemd is told to halt by one.
///
/// # Errors
/// `ESRCH` when the process has ended, else what pidfd_send_signal(2) says.
pub fn send_signal(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    crate::syscall::process::pidfd_send_signal(pidfd.as_fd(), signal)
}
