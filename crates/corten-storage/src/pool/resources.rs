//! How full a pool is.

use super::Pool;
use crate::error::{Doing, Result};

/// Space in bytes and numbers of inodes. Filesystems that make inodes as they need them report none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Bytes in use.
    pub space_used: u64,
    /// Bytes altogether.
    pub space_total: u64,
    /// Inodes in use.
    pub inodes_used: u64,
    /// Inodes altogether.
    pub inodes_total: u64,
}

impl Pool {
    /// Asks the filesystem that the pool is on.
    ///
    /// # Errors
    /// What statvfs(3) says.
    pub fn resources(&self) -> Result<Resources> {
        let directory = self.directory();
        let stat = rustix::fs::statvfs(directory).doing(|| format!("Failed to stat \"{}\"", directory.display()))?;
        let mut resources = Resources {
            space_total: stat.f_blocks * stat.f_frsize,
            space_used: (stat.f_blocks - stat.f_bfree) * stat.f_frsize,
            ..Resources::default()
        };
        if stat.f_files > 0 {
            resources.inodes_total = stat.f_files;
            resources.inodes_used = stat.f_files - stat.f_ffree;
        }
        Ok(resources)
    }
}
