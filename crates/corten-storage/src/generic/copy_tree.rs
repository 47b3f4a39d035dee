//! Copying a tree on all processors: owners, permissions, attributes, links, holes and times stay as they are.

mod entry;
mod same;
mod work;

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use corten_archive::watch::Watch;
use corten_host::rooted::Rooted;
use corten_host::rooted::directory::Directory;
use rustix::fs::{FileType, Mode};

use crate::error::{Doing, Error, Result};
use entry::Pair;
use work::Work;

/// Copies the tree at `from` into the empty directory `to`, which gets the attributes of `from` as well. Data is
/// shared (reflinked) where the filesystem can. Sockets are left out: they mean nothing without their process.
///
/// Both paths are trusted; nothing below them is: no link is followed on either side.
///
/// # Errors
/// The first failure; part of the copy is there then, and the caller removes it.
pub fn copy_tree(from: &Path, to: &Path, watch: &Watch) -> Result<()> {
    copy_tree_like(from, to, None, watch)
}

/// As [`copy_tree`], where `to` will take the place of the tree `like`, which nobody uses and which goes then: a file that
/// is there just so already, attributes and data, is not copied but gets a second name. So little is written where little
/// differs, and `like` stays as it is until it goes.
///
/// # Errors
/// As [`copy_tree`].
pub fn copy_tree_like(from: &Path, to: &Path, like: Option<&Path>, watch: &Watch) -> Result<()> {
    let open = |path: &Path| {
        let root = Rooted::open(path).map(Rooted::refuse_links);
        root.doing(|| format!("Failed to open \"{}\"", path.display()))
    };
    let (from_root, to_root, like_root) = (open(from)?, open(to)?, like.map(open).transpose()?);
    let work = Work::new(&from_root, &to_root, like_root.as_ref());
    let stop = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                work.run(&|| {
                    if watch.is_cancelled() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    stop.load(Ordering::Relaxed)
                });
            });
        }
    });
    if stop.into_inner() {
        return Err(Error::internal("Operation cancelled"));
    }
    work.outcome()
}

/// Gives the directory `to` owner, permissions, attributes and times of the directory `from`. Both are trusted.
///
/// # Errors
/// What the kernel says.
pub fn copy_attributes_of(from: &Path, to: &Path) -> io::Result<()> {
    entry::copy_own_attributes(&Pair { from: Directory::open(from)?, to: Directory::open(to)?, like: None })
}

/// Copies the entry `name` of one directory, and what is below it, to another under the same name, on this thread:
/// for the few small files beside a root.
///
/// # Errors
/// The first failure; part of the copy is there then.
pub fn copy_entry(from: &Directory, to: &Directory, name: &OsStr) -> io::Result<()> {
    let stat = from.stat(name)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            to.mkdir(name, Mode::from_raw_mode(0o700))?;
            let pair = Pair { from: from.enter(name)?, to: to.enter(name)?, like: None };
            for (below, _) in pair.from.entries()? {
                copy_entry(&pair.from, &pair.to, &below)?;
            }
            entry::copy_own_attributes(&pair)
        }
        FileType::RegularFile => entry::copy_small(from, to, name, &stat),
        FileType::Symlink => to.symlink(&from.readlink(name)?, name),
        // An image has nothing else beside its root.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
