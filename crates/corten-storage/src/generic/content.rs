//! What a volume holds when no image fills it.

use std::path::Path;

use corten_archive::watch::Watch;
use corten_host::rooted::remove;

use super::copy_tree::copy_tree_like;
use crate::error::{Doing, Result};
use crate::pool::Pool;
use crate::volume::{Content, Kind, Volume};

/// The file that is a block volume's disk, where the pool keeps it as a file.
pub const DISK_FILE: &str = "root.img";

/// Size of a block volume whose configuration does not say it, in bytes: LXD's 10GiB.
const DISK_SIZE: u64 = 10 << 30;

/// Makes an empty volume: an instance's with an empty `rootfs`, a block volume with a disk full of zeros.
///
/// # Errors
/// What the kernel says.
pub fn empty(volume: &Volume, path: &Path) -> Result<()> {
    match (volume.kind, volume.content) {
        (_, Content::Block) => {
            let size = volume.config.get("size").and_then(|size| size.parse().ok()).unwrap_or(DISK_SIZE);
            let disk = path.join(DISK_FILE);
            let made = std::fs::File::create_new(&disk).and_then(|file| file.set_len(size));
            made.doing(|| format!("Failed to create sparse file {}", disk.display()))
        }
        (Kind::Container, Content::Filesystem) => {
            std::fs::create_dir(path.join("rootfs")).doing(|| "Error creating rootfs directory")
        }
        _ => Ok(()),
    }
}

/// Fills a directory with what another volume shows, on whatever pool it is. Where the content of a running instance
/// cannot be looked at, a snapshot that passes stands in for it. What is in `like` already, whose place the directory will
/// take, is not copied.
///
/// # Errors
/// Why the other volume cannot be mounted or copied.
pub fn copy(pool: &Pool, source: &Volume, path: &Path, like: Option<&Path>, watch: &Watch) -> Result<()> {
    let reading = pool.read_volume(source, watch)?;
    copy_tree_like(reading.path(), path, like, watch)?;
    for name in pool.private_names() {
        let private = path.join(name);
        remove::tree(&private).doing(|| format!("Failed to remove '{}'", private.display()))?;
    }
    reading.end()
}
