//! Session keyrings (session-keyring(7)), which neither libc nor rustix wraps.

use std::io;

/// Leaves the session keyring that was inherited for a new, empty one.
///
/// # Errors
/// `ENOSYS` on a kernel without keyrings, `EDQUOT` when the user has too many keys.
pub fn join_new_session() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: there is no wrapper for keyctl(2); with a null name this operation takes no memory of ours.
    let serial = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    if serial >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
