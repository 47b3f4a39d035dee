//! Settings of the kernel's network stack under `/proc/sys/net`, which are those of the calling thread's namespace.

use std::path::{Path, PathBuf};

use corten_host::file;

use crate::error::Result;

fn path(key: &str) -> PathBuf {
    Path::new("/proc/sys/net").join(key)
}

/// Sets `key` (`ipv4/ip_forward`).
pub(crate) fn set(key: &str, value: &str) -> Result<()> {
    Ok(file::set(path(key), value)?)
}

/// As [`set`], for a setting that may not exist (IPv6 may be missing from the kernel).
pub(crate) fn set_if_there(key: &str, value: &str) -> Result<()> {
    match file::set(path(key), value) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The value of `key`; none when it does not exist.
pub(crate) fn get(key: &str) -> Result<Option<String>> {
    Ok(file::read_if_there(path(key))?)
}

/// Whether the kernel has IPv6.
pub(crate) fn has_ipv6() -> bool {
    path("ipv6").exists()
}

/// The interfaces that have IPv6 settings, with `all` and `default`.
pub(crate) fn ipv6_interfaces() -> Vec<String> {
    let entries = std::fs::read_dir(path("ipv6/conf")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
