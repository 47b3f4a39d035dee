//! Where the daemon's files are: LXD's own layout.

use corten_api::error::{Context, Result};
use std::env;
use std::fs::{DirBuilder, Permissions, set_permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The folders that everything is kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// `LXD_DIR`, else `/var/lib/lxd`.
    pub var: PathBuf,
    /// Logs: below `LXD_DIR` when it is set, else `/var/log/lxd`.
    pub log: PathBuf,
    /// What can be made again: below `LXD_DIR` when it is set, else `/var/cache/lxd`.
    pub cache: PathBuf,
    /// What is gone after a boot: below `LXD_DIR` when it is set, else `/run/lxd`.
    pub run: PathBuf,
    /// `LXD_SOCKET`, else `unix.socket` in `LXD_DIR`.
    pub socket: PathBuf,
}

/// Folders below [`Dirs::var`] with their modes; a container's mapped root must be able to pass through some.
const LAYOUT: [(&str, u32); 19] = [
    ("backups", 0o700),
    ("backups/custom", 0o700),
    ("backups/instances", 0o700),
    ("containers", 0o711),
    ("virtual-machines", 0o711),
    ("database", 0o700),
    ("devices", 0o711),
    ("devlxd", 0o755),
    ("disks", 0o700),
    ("images", 0o700),
    ("networks", 0o711),
    ("security", 0o700),
    ("security/apparmor", 0o700),
    ("security/apparmor/cache", 0o700),
    ("security/apparmor/profiles", 0o700),
    ("security/seccomp", 0o700),
    ("shmounts", 0o711),
    ("snapshots", 0o700),
    ("virtual-machines-snapshots", 0o700),
];

impl Dirs {
    /// The places that the environment names.
    pub fn from_env() -> Dirs {
        let var = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Dirs::at(var("LXD_DIR"), var("LXD_SOCKET"))
    }

    pub(crate) fn at(var: Option<PathBuf>, socket: Option<PathBuf>) -> Dirs {
        let own = |name: &str, system: &str| match &var {
            Some(var) => var.join(name),
            None => PathBuf::from(system),
        };
        let (log, cache, run) = (own("logs", "/var/log/lxd"), own("cache", "/var/cache/lxd"), own("run", "/run/lxd"));
        let var = var.unwrap_or_else(|| PathBuf::from("/var/lib/lxd"));
        let socket = socket.unwrap_or_else(|| var.join("unix.socket"));
        Dirs { var, log, cache, run, socket }
    }

    /// Makes what is missing, and sets every mode.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn make(&self) -> Result<()> {
        let outer: [(&Path, u32); 4] =
            [(&self.var, 0o711), (&self.log, 0o700), (&self.cache, 0o700), (&self.run, 0o711)];
        for (path, mode) in outer {
            folder(path, mode)?;
        }
        LAYOUT.iter().try_for_each(|(name, mode)| folder(&self.var.join(name), *mode))?;
        folder(&self.var.join("storage-pools"), 0o711)
    }

    /// The folder of the databases.
    pub fn database(&self) -> PathBuf {
        self.var.join("database")
    }
}

fn folder(path: &Path, mode: u32) -> Result<()> {
    let failed = || format!("Failed to init dir {:?}", path.display().to_string());
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
        other => other.with_context(failed)?,
    }
    // The umask took bits away, or the folder is an old one.
    set_permissions(path, Permissions::from_mode(mode)).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_lxd_dir_when_that_is_set() {
        let own = Dirs::at(Some("/x".into()), None);
        assert_eq!((own.log, own.socket), (PathBuf::from("/x/logs"), PathBuf::from("/x/unix.socket")));
        let system = Dirs::at(None, Some("/y.socket".into()));
        assert_eq!((system.run, system.socket), (PathBuf::from("/run/lxd"), PathBuf::from("/y.socket")));
    }
}
