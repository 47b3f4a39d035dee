//! Keys of instances and profiles, and rules that bind several of them.

pub mod boot;
pub mod cloud_init;
pub mod environment;
pub mod limits;
pub mod migration;
pub mod nvidia;
pub mod raw;
pub mod security;
pub mod snapshots;
pub mod volatile;

use corten_api::error::{Error, Result};

use crate::entity::Table;
use crate::key::Config;
use crate::value::boolean::{is_false, is_true};
use crate::value::list;

/// All tables of keys that instances have.
pub static TABLES: [Table; 11] = [
    environment::ENVIRONMENT,
    boot::BOOT,
    cloud_init::CLOUD_INIT,
    limits::LIMITS,
    migration::MIGRATION,
    nvidia::NVIDIA,
    raw::RAW,
    security::SECURITY,
    snapshots::SNAPSHOTS,
    volatile::VOLATILE,
    volatile::VOLATILE_DEVICE,
];

/// Refuses keys that belong to one instance and cannot be shared.
pub(crate) fn check_profile_keys(config: &Config) -> Result<()> {
    for key in config.keys() {
        if key.starts_with("volatile.") {
            return Err(Error::invalid("Volatile keys can only be set on instances"));
        }
        if key.starts_with("image.") {
            return Err(Error::invalid("Image keys can only be set on instances"));
        }
    }
    Ok(())
}

/// Old and new names of the same key exclude each other.
const RENAMED: [(&str, &str); 4] = [
    ("security.syscalls.allow", "security.syscalls.whitelist"),
    ("security.syscalls.deny", "security.syscalls.blacklist"),
    ("security.syscalls.deny_default", "security.syscalls.blacklist_default"),
    ("security.syscalls.deny_compat", "security.syscalls.blacklist_compat"),
];

/// Rules that bind several keys.
pub(crate) fn check_together(config: &Config) -> Result<()> {
    let get = |key: &str| config.get(key).map_or("", String::as_str);
    check_raw_lxc(get("raw.lxc"))?;
    for (new, old) in RENAMED {
        if !get(new).is_empty() && !get(old).is_empty() {
            return Err(Error::invalid(format!("Mutually exclusive keys {new} and {old} are set")));
        }
    }
    let [allow, deny, deny_default, deny_compat] =
        RENAMED.map(|(new, old)| config.get(new).or_else(|| config.get(old)).map(String::as_str));
    let denies = deny.is_some() || deny_default.is_some_and(is_true) || deny_compat.is_some_and(is_true);
    if config.contains_key("raw.seccomp") && (allow.is_some() || denies) {
        return Err(Error::invalid("raw.seccomp is mutually exclusive with security.syscalls*"));
    }
    if allow.is_some() && denies {
        return Err(Error::invalid("security.syscalls.allow is mutually exclusive with security.syscalls.deny*"));
    }
    if is_true(get("security.syscalls.intercept.mount")) {
        check_intercepted_mounts(
            get("security.syscalls.intercept.mount.fuse"),
            get("security.syscalls.intercept.mount.allowed"),
        )?;
    }
    if is_true(get("security.privileged")) && is_true(get("nvidia.runtime")) {
        return Err(Error::invalid("nvidia.runtime is incompatible with privileged containers"));
    }
    Ok(())
}

/// A filesystem is either mounted for the container as it is, or through a FUSE program.
fn check_intercepted_mounts(fuse: &str, allowed: &str) -> Result<()> {
    let mut through_fuse = Vec::new();
    for entry in fuse.split(',').filter(|_| !fuse.is_empty()) {
        let parts: Vec<&str> = entry.split('=').collect();
        let [filesystem, _] = parts.as_slice() else {
            return Err(Error::invalid(format!(
                "security.syscalls.intercept.mount.fuse is not of the form 'filesystem=fuse-binary': {entry}"
            )));
        };
        through_fuse.push(*filesystem);
    }
    match list::items(allowed).find(|filesystem| through_fuse.contains(filesystem)) {
        Some(filesystem) => Err(Error::invalid(format!(
            "Filesystem {filesystem} cannot appear in security.syscalls.intercept.mount.allowed and \
             security.syscalls.intercept.mount.fuse"
        ))),
        None => Ok(()),
    }
}

/// Refuses lines of `raw.lxc` that are not of its form, or set what the server itself sets.
fn check_raw_lxc(text: &str) -> Result<()> {
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let line = line.trim_start_matches(['\t', ' ']);
        if line.starts_with('#') {
            continue;
        }
        let Some((key, _)) = line.split_once('=') else {
            return Err(Error::invalid(format!("Invalid raw.lxc line: {line}")));
        };
        let key = key.trim_matches([' ', '\t']).to_lowercase();
        let refusal = match key.as_str() {
            "lxc.logfile" | "lxc.log.file" => "Setting lxc.logfile is not allowed",
            "lxc.syslog" | "lxc.log.syslog" => "Setting lxc.log.syslog is not allowed",
            "lxc.ephemeral" => "Setting lxc.ephemeral is not allowed",
            key if key.starts_with("lxc.prlimit.") => {
                "Process limits should be set via \"limits.kernel.[limit name]\" and not directly via \
                 \"lxc.prlimit.[limit name]\""
            }
            key if key.starts_with("lxc.net.") && !is_interface_address(key) => {
                "Only interface-specific ipv4/ipv6 lxc.net. keys are allowed"
            }
            _ => continue,
        };
        return Err(Error::invalid(refusal));
    }
    Ok(())
}

/// Whether a key is `lxc.net.N.ipv4.address` or one of its three siblings.
fn is_interface_address(key: &str) -> bool {
    let parts: Vec<&str> = key.split('.').collect();
    matches!(parts.as_slice(), [_, _, _, "ipv4" | "ipv6", "address" | "gateway"])
}

/// Whether a key goes along when an instance is copied. Of the volatile ones the image does, and on the same server
/// the id
/// map that the files are on disk with, so that they need not be shifted.
pub fn is_copied(key: &str, to_another_server: bool) -> bool {
    match key {
        "volatile.base_image" => true,
        "volatile.last_state.idmap" => !to_another_server,
        key => !key.starts_with("volatile."),
    }
}

/// Whether the configuration makes a container privileged.
pub fn is_privileged(config: &Config) -> bool {
    config.get("security.privileged").is_some_and(|text| is_true(text))
}

/// Whether a key is set to a no, or not at all.
pub fn is_false_or_unset(config: &Config, key: &str) -> bool {
    config.get(key).is_none_or(|text| text.is_empty() || is_false(text))
}
