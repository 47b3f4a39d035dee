//! How many bytes the files of a tree have together.

use std::path::Path;

use corten_host::rooted::directory::Directory;
use rustix::fs::FileType;
use rustix::io::Errno;

use crate::error::{Error, Result};

/// Adds up the sizes of all regular files at and below `path`, which is trusted; no link below it is followed. What goes
/// meanwhile does not count.
///
/// # Errors
/// What the kernel says.
pub fn tree_size(path: &Path) -> Result<u64> {
    let looking = |source| Error::Io { doing: format!("Failed to look at \"{}\"", path.display()), source };
    let mut waiting = vec![Directory::open(path).map_err(looking)?];
    let mut size = 0;
    while let Some(directory) = waiting.pop() {
        for (name, kind) in directory.entries().map_err(looking)? {
            match kind {
                FileType::Directory => match directory.enter(&name) {
                    Err(error) if error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => {}
                    below => waiting.push(below.map_err(looking)?),
                },
                FileType::RegularFile | FileType::Unknown => {
                    let stat = directory.find(&name).map_err(looking)?;
                    size += stat.map_or(0, |stat| stat.st_size.cast_unsigned());
                }
                _ => {}
            }
        }
    }
    Ok(size)
}
