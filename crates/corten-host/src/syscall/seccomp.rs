//! seccomp(2): putting a compiled filter on the calling thread.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// Installs a classic BPF program (instructions of 8 bytes, as `seccomp::compile` gives them) on the calling thread,
/// which keeps it for good and hands it to its children. With `listener`, gives the descriptor on which calls with the
/// action "notify" are reported. Once such a call has been received, only signals that kill interrupt who made it, where
/// the kernel can (5.19): a mount that is under way must not be asked for a second time because of a timer.
///
/// # Errors
/// `EACCES` without `CAP_SYS_ADMIN` and `no_new_privs`; `EINVAL` for a program that is none, `EBUSY` when a listener
/// exists already.
pub fn install(program: &[u8], listener: bool) -> io::Result<Option<OwnedFd>> {
    if program.is_empty() || !program.len().is_multiple_of(size_of::<libc::sock_filter>()) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let count = program.len() / size_of::<libc::sock_filter>();
    // The bytes may lie anywhere; instructions must be aligned.
    let mut filter: Vec<libc::sock_filter> = program
        .chunks_exact(size_of::<libc::sock_filter>())
        .map(|one| libc::sock_filter {
            code: u16::from_ne_bytes([one[0], one[1]]),
            jt: one[2],
            jf: one[3],
            k: u32::from_ne_bytes([one[4], one[5], one[6], one[7]]),
        })
        .collect();
    let program =
        libc::sock_fprog { len: u16::try_from(count).map_err(io::Error::other)?, filter: filter.as_mut_ptr() };
    let set = |flags: libc::c_ulong| {
        // SAFETY: needed because no safe wrapper takes a ready program. Sound because the structure and the instructions
        // it points to live through the call, its length is that of the list, and the kernel copies and checks them.
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) }
    };
    let answer = if listener {
        match set(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
            -1 if io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) => {
                set(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)
            }
            answer => answer,
        }
    } else {
        set(0)
    };
    match i32::try_from(answer) {
        Ok(-1) | Err(_) => Err(io::Error::last_os_error()),
        // SAFETY: with this flag the answer is a new descriptor, which nobody else knows.
        Ok(descriptor) if listener => Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        Ok(_) => Ok(None),
    }
}
