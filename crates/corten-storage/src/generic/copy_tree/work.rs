//! Directories waiting to be copied, shared by the threads that copy them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use corten_host::rooted::Rooted;
use rustix::fs::{FileType, Mode};

use super::entry::{self, Pair};
use super::same;
use crate::error::{Doing, Error, Result};

/// Where files with several names were copied to first, by device and inode of the original.
pub type FirstNames = Mutex<HashMap<(u64, u64), PathBuf>>;

/// The state that the threads share.
pub struct Work<'a> {
    from: &'a Rooted,
    to: &'a Rooted,
    like: Option<&'a Rooted>,
    queue: Mutex<Queue>,
    more: Condvar,
    names: FirstNames,
    /// Whether the filesystem refused to share data once: it will always.
    no_reflink: AtomicBool,
}

struct Queue {
    waiting: Vec<PathBuf>,
    /// Directories being copied now, which may bring more.
    active: usize,
    failure: Option<Error>,
}

impl<'a> Work<'a> {
    /// Work that begins with the two roots, and that of what the copy will replace.
    pub fn new(from: &'a Rooted, to: &'a Rooted, like: Option<&'a Rooted>) -> Self {
        let queue = Mutex::new(Queue { waiting: vec![PathBuf::new()], active: 0, failure: None });
        let (more, names) = (Condvar::new(), FirstNames::default());
        Work { from, to, like, queue, more, names, no_reflink: AtomicBool::new(false) }
    }

    /// Copies directories until none is left, one has failed, or `stop` says so.
    pub fn run(&self, stop: &dyn Fn() -> bool) {
        while let Some(path) = self.next() {
            let outcome = if stop() { Err(Error::internal("Operation cancelled")) } else { self.directory(&path) };
            let mut queue = self.queue();
            queue.active -= 1;
            match outcome {
                Ok(found) => queue.waiting.extend(found),
                Err(error) => {
                    queue.failure.get_or_insert(error);
                    queue.waiting.clear();
                }
            }
            self.more.notify_all();
        }
    }

    /// How it went, after all threads have returned.
    pub fn outcome(self) -> Result<()> {
        let queue = self.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        queue.failure.map_or(Ok(()), Err)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next directory, waited for while others may still find some.
    fn next(&self) -> Option<PathBuf> {
        let mut queue = self.queue();
        loop {
            if queue.failure.is_some() {
                return None;
            }
            if let Some(path) = queue.waiting.pop() {
                queue.active += 1;
                return Some(path);
            }
            if queue.active == 0 {
                return None;
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Copies one directory's entries and then its own attributes; gives the directories found in it.
    fn directory(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let open = |root: &Rooted| root.directory(path).doing(|| format!("Failed to open \"{}\"", path.display()));
        // What is no directory there, or nothing at all, has nothing to offer.
        let like = self.like.and_then(|root| root.directory(path).ok());
        let pair = Pair { from: open(self.from)?, to: open(self.to)?, like };
        let mut found = Vec::new();
        let entries = pair.from.entries().doing(|| format!("Failed to read \"{}\"", path.display()))?;
        for (name, _) in entries {
            let one = path.join(&name);
            let failed = || format!("Failed to copy \"{}\"", one.display());
            let stat = pair.from.stat(&name).doing(failed)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    pair.to.mkdir(&name, Mode::from_raw_mode(0o700)).doing(failed)?;
                    found.push(one);
                }
                FileType::Socket => {}
                FileType::RegularFile if same::is_linked(&pair, &name, &stat).doing(failed)? => {}
                FileType::RegularFile if stat.st_nlink > 1 => {
                    self.named_again(&pair, &name, &stat, &one).doing(failed)?
                }
                _ => entry::copy(&pair, &name, &stat, &self.no_reflink).doing(failed)?,
            }
        }
        entry::copy_own_attributes(&pair).doing(|| format!("Failed to copy \"{}\"", path.display()))?;
        Ok(found)
    }

    /// A file with several names: the first name met is copied, the others are linked to it.
    fn named_again(&self, pair: &Pair, name: &OsStr, stat: &rustix::fs::Stat, path: &Path) -> std::io::Result<()> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = (stat.st_dev, stat.st_ino);
        if let Some(first) = names.get(&identity) {
            let (first_parent, first_name) = self.to.parent(first)?;
            return first_parent.hardlink(first_name, &pair.to, name);
        }
        // The name must be there before another thread looks for it, so the lock is held while the file is made, and
        // let go while its data is copied.
        let files = entry::create(pair, name)?;
        names.insert(identity, path.to_path_buf());
        drop(names);
        entry::copy_file(&files, stat, &self.no_reflink)
    }
}
