//! AppArmor: what this host offers of it, profiles loaded and unloaded, and the label for the next exec.
//!
//! `Documentation/admin-guide/LSM/apparmor.rst`, apparmor_parser(8), aa_change_onexec(2).

pub mod features;
pub mod load;
pub mod name;

use crate::file;

pub use features::Features;
pub use load::Profiles;

/// Where the kernel shows AppArmor.
const KERNEL: &str = "/sys/kernel/security/apparmor";

/// Asks for `label` at the calling thread's next exec; `unconfined` is one, too.
///
/// # Errors
/// [`file::Error`] when the kernel has no AppArmor or refuses the label.
pub fn change_on_exec(label: &str) -> Result<(), file::Error> {
    let command = format!("exec {label}");
    // The second is from before several security modules could be active at once.
    match file::set("/proc/thread-self/attr/apparmor/exec", &command) {
        Err(error) if error.is_not_found() => file::set("/proc/thread-self/attr/exec", &command),
        outcome => outcome,
    }
}

/// The label of process `pid`, with its mode: `lxd-c1_</var/lib/lxd> (enforce)`, `unconfined`; `None` without AppArmor.
///
/// # Errors
/// [`file::Error`] when there is no such process.
pub fn label(pid: u32) -> Result<Option<String>, file::Error> {
    match file::read_if_there(format!("/proc/{pid}/attr/apparmor/current")) {
        Ok(Some(label)) => Ok(Some(label.trim_end_matches('\0').to_string())),
        Ok(None) => Ok(None),
        // The files are there also when no module serves them.
        Err(error) if error.source.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        Err(error) => Err(error),
    }
}
