//! System calls that a seccomp filter holds until somebody else has decided (seccomp_unotify(2)).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::ioctl::{Opcode, Setter, Updater, ioctl, opcode};

/// A call that waits: the kernel's `struct seccomp_notif`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// Its number, by which it is answered.
    pub id: u64,
    /// The thread that made it, in the reader's pid namespace.
    pub pid: u32,
    flags: u32,
    /// The call's number, which depends on the instruction set.
    pub number: i32,
    /// The instruction set: an `AUDIT_ARCH_*` of linux/audit.h.
    pub arch: u32,
    instruction: u64,
    /// The arguments, as they were in registers.
    pub arguments: [u64; 6],
}

/// The kernel's `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// The kernel's `struct seccomp_notif_addfd`.
#[repr(C)]
struct Gift {
    id: u64,
    flags: u32,
    descriptor: u32,
    number: u32,
    descriptor_flags: u32,
}

const RECEIVE: Opcode = opcode::read_write::<Notification>(b'!', 0);
const SEND: Opcode = opcode::read_write::<Response>(b'!', 1);
const IS_VALID: Opcode = opcode::write::<u64>(b'!', 2);
const GIVE: Opcode = opcode::write::<Gift>(b'!', 3);
/// `SECCOMP_ADDFD_FLAG_SEND`.
const AND_ANSWER: u32 = 2;
/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`.
const CONTINUE: u32 = 1;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The kernel does it, or refuses it, as if nobody had been asked.
    Continue,
    /// It has been done.
    Done,
    /// It fails.
    Fail(rustix::io::Errno),
}

/// Takes the next call that waits at the listener of a filter. Only for one that poll(2) says there is something to be read
/// from: else it waits, and before Linux 6.11 for ever where nobody is under the filter any more.
///
/// # Errors
/// `ENOENT` when whoever made it is gone.
pub fn receive(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    let mut notification = Notification::default();
    // SAFETY: rustix has no call for it. The code says read and write of a structure of this very layout and size, which
    // is all zeros, as the kernel wants it, and any bytes that the kernel writes are a valid one.
    unsafe { ioctl(listener, Updater::<RECEIVE, Notification>::new(&mut notification)) }?;
    Ok(notification)
}

/// Whether the call still waits: what was found out about the thread that made it is about that thread and no other.
pub fn is_valid(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: rustix has no call for it; the kernel reads a number of 8 bytes, which is what the setter points to.
    unsafe { ioctl(listener, Setter::<IS_VALID, u64>::new(id)) }.is_ok()
}

/// Lets the thread go on.
///
/// # Errors
/// `ENOENT` when it is gone or was answered already.
pub fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let (error, flags) = match answer {
        Answer::Continue => (0, CONTINUE),
        Answer::Done => (0, 0),
        Answer::Fail(errno) => (-errno.raw_os_error(), 0),
    };
    let mut response = Response { id, value: 0, error, flags };
    // SAFETY: rustix has no call for it; the code says read and write of a structure of this very layout and size.
    unsafe { ioctl(listener, Updater::<SEND, Response>::new(&mut response)) }?;
    Ok(())
}

/// Gives the process of the thread a descriptor, closed when it runs a program, and lets the thread go on with the
/// descriptor's number as what its call gave: both or neither.
///
/// # Errors
/// `ENOENT` when it is gone or was answered already, `EMFILE` when it has no number left, `EINVAL` before Linux 5.14.
pub fn give(listener: BorrowedFd<'_>, id: u64, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let gift = Gift {
        id,
        flags: AND_ANSWER,
        descriptor: descriptor.as_raw_fd().cast_unsigned(),
        number: 0,
        descriptor_flags: libc::O_CLOEXEC.cast_unsigned(),
    };
    // SAFETY: rustix has no call for it; the kernel reads a structure of this very layout and size, and changes nothing in
    // this process. The descriptor is borrowed for the length of the call.
    unsafe { ioctl(listener, Setter::<GIVE, Gift>::new(gift)) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_kernels_sizes() {
        assert_eq!((size_of::<Notification>(), size_of::<Response>(), size_of::<Gift>()), (80, 24, 24));
        #[cfg(target_arch = "x86_64")]
        assert_eq!([RECEIVE, SEND, IS_VALID, GIVE], [0xc050_2100, 0xc018_2101, 0x4008_2102, 0x4018_2103]);
    }
}
