//! Giving a whole tree other owners, with the ids inside POSIX ACLs and file capabilities: what containers need where
//! a filesystem has no idmapped mounts.

pub mod entry;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use entry::Wanted;
use rustix::fs::FileType;

use super::IdMap;
use crate::file;
use crate::rooted::directory::Directory;
use crate::xattr::{self, IdShift};

/// From the ids that one map gave on disk to those of another; an empty map stands for a tree that is not shifted.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where the ids of a change that was cut off come from: files that have them are done already.
    cut_off: IdMap,
    back: IdMap,
    to: IdMap,
}

impl Change {
    /// The change of a tree on disk from `from` to `to`.
    pub fn new(from: &IdMap, to: &IdMap) -> Change {
        Change { cut_off: IdMap::default(), back: from.reversed(), to: to.clone() }
    }

    /// The same for a tree of which some files are shifted by `from`, the others by `cut_off`, since a change from the one
    /// to the other was cut off.
    pub fn resumed(cut_off: &IdMap, from: &IdMap, to: &IdMap) -> Change {
        Change { cut_off: cut_off.reversed(), ..Change::new(from, to) }
    }
}

impl IdShift for Change {
    fn uid(&self, uid: u32) -> Option<u32> {
        let done = if self.cut_off.is_empty() { None } else { self.cut_off.uid(uid) };
        let inside = done.or_else(|| if self.back.is_empty() { Some(uid) } else { self.back.uid(uid) })?;
        if self.to.is_empty() { Some(inside) } else { self.to.uid(inside) }
    }

    fn gid(&self, gid: u32) -> Option<u32> {
        let done = if self.cut_off.is_empty() { None } else { self.cut_off.gid(gid) };
        let inside = done.or_else(|| if self.back.is_empty() { Some(gid) } else { self.back.gid(gid) })?;
        if self.to.is_empty() { Some(inside) } else { self.to.gid(inside) }
    }
}

/// Attributes that carry ids, and that a change of owner may take away.
const WITH_IDS: [&str; 3] = ["security.capability", "system.posix_acl_access", "system.posix_acl_default"];

/// Changes the owners of everything at and below `path`, whose parent directory is trusted; gives the number of
/// entries. Links are changed themselves and never followed, a file with several names is changed once, ids that
/// `ids` does not know stay. All processors work on it.
///
/// # Errors
/// [`file::Error`] with the first path that could not be changed; others may have been changed then.
pub fn tree(path: &Path, ids: &dyn IdShift) -> Result<u64, file::Error> {
    tree_again(path, ids, None)
}

/// As [`tree`], to end what was begun after the moment `since` (seconds and nanoseconds): what was changed after it has its
/// new owner, since nothing else works on the tree.
///
/// # Errors
/// See [`tree`].
pub fn tree_again(path: &Path, ids: &dyn IdShift, since: Option<(i64, i64)>) -> Result<u64, file::Error> {
    let wrong = |source: io::Error| file::Error::new("changing the owner of", path, source);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(wrong(io::ErrorKind::InvalidInput.into()));
    };
    let parent = Directory::open(parent).map_err(wrong)?;
    let work = Work::new(ids, since);
    if let Some(below) = work.entry(&parent, name, FileType::Unknown, path)? {
        work.give(below);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| work.help());
            }
            work.help();
        });
    }
    match work.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(work.count.into_inner()),
    }
}

/// A directory whose entries are still to be changed.
struct Todo {
    dir: Directory,
    path: PathBuf,
}

/// What the threads share.
struct Work<'a> {
    ids: &'a dyn IdShift,
    since: Option<(i64, i64)>,
    todo: Mutex<Vec<Todo>>,
    /// Told when `todo` grows, and when all is done.
    changed: Condvar,
    /// Directories that are given out or waiting.
    open: AtomicUsize,
    /// Threads that have nothing to do.
    idle: AtomicUsize,
    /// Files with several names that somebody has changed.
    seen: Mutex<HashSet<(u64, u64)>>,
    count: AtomicU64,
    failed: AtomicBool,
    failure: Mutex<Option<file::Error>>,
}

impl<'a> Work<'a> {
    fn new(ids: &'a dyn IdShift, since: Option<(i64, i64)>) -> Work<'a> {
        Work {
            ids,
            since,
            todo: Mutex::default(),
            changed: Condvar::new(),
            open: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            seen: Mutex::default(),
            count: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    fn give(&self, todo: Todo) {
        let mut list = self.todo.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.fetch_add(1, Ordering::SeqCst);
        list.push(todo);
        self.changed.notify_one();
    }

    /// Takes directories until none is left anywhere.
    fn help(&self) {
        while let Some(todo) = self.take() {
            if let Err(error) = self.below(todo) {
                self.failed.store(true, Ordering::SeqCst);
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            let _list = self.todo.lock().unwrap_or_else(PoisonError::into_inner);
            if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
                self.changed.notify_all();
            }
        }
    }

    fn take(&self) -> Option<Todo> {
        let mut list = self.todo.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(todo) = list.pop() {
                return Some(todo);
            }
            if self.open.load(Ordering::SeqCst) == 0 {
                return None;
            }
            self.idle.fetch_add(1, Ordering::SeqCst);
            list = self.changed.wait(list).unwrap_or_else(PoisonError::into_inner);
            self.idle.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Everything below one directory, depth first; directories found while another thread is idle go to that.
    fn below(&self, todo: Todo) -> Result<(), file::Error> {
        let mut stack = vec![Level::read(todo)?];
        while let Some(level) = stack.last_mut() {
            let Some((name, kind)) = level.names.pop() else {
                stack.pop();
                continue;
            };
            if self.failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let path = level.todo.path.join(&name);
            if let Some(found) = self.entry(&level.todo.dir, &name, kind, &path)? {
                if self.idle.load(Ordering::Relaxed) > 0 {
                    self.give(found);
                } else {
                    stack.push(Level::read(found)?);
                }
            }
        }
        Ok(())
    }

    /// Changes one entry; gives it back opened when it is a directory.
    fn entry(&self, dir: &Directory, name: &OsStr, kind: FileType, path: &Path) -> Result<Option<Todo>, file::Error> {
        let wrong = |source| file::Error::new("changing the owner of", path, source);
        let kind = self.change(dir, name).map_err(wrong)?.unwrap_or(kind);
        if kind != FileType::Directory {
            return Ok(None);
        }
        let dir = dir.enter(name).map_err(wrong)?;
        Ok(Some(Todo { dir, path: path.to_path_buf() }))
    }

    /// Changes owner, ACLs and capabilities; `None` when another name of the same file was there first.
    fn change(&self, dir: &Directory, name: &OsStr) -> io::Result<Option<FileType>> {
        let stat = dir.stat(name)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let changed = (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or_default());
        if self.since.is_some_and(|since| changed > since) {
            // All that it was to be, or noted on it.
            if kind != FileType::Symlink {
                entry::end(dir, name)?;
            }
            return Ok(Some(kind));
        }
        if stat.st_nlink > 1 && kind != FileType::Directory {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.insert((stat.st_dev, stat.st_ino)) {
                return Ok(None);
            }
        }
        // A link has none of them.
        let mut names = if kind == FileType::Symlink { Vec::new() } else { xattr::list(dir, name)? };
        let mut stat = stat;
        if names.iter().any(|one| one == entry::NOTE) {
            // What was cut off is ended, and this change begins where that one ends.
            entry::end(dir, name)?;
            (stat, names) = (dir.stat(name)?, xattr::list(dir, name)?);
        }
        let mut attributes: Vec<(OsString, Vec<u8>)> = Vec::new();
        for attribute in names.into_iter().filter(|one| WITH_IDS.iter().any(|name| one == name)) {
            let value = xattr::get(dir, name, &attribute)?.unwrap_or_default();
            // An attribute with unknown ids stays as it is, like an unknown owner.
            let new = xattr::shift(&attribute, &value, self.ids).unwrap_or(value);
            attributes.push((attribute, new));
        }
        let uid = self.ids.uid(stat.st_uid).unwrap_or(stat.st_uid);
        let gid = self.ids.gid(stat.st_gid).unwrap_or(stat.st_gid);
        // The kernel takes these bits away from a file that gets another owner.
        let loses_bits = stat.st_mode & 0o6000 != 0 && kind == FileType::RegularFile;
        let mode = loses_bits.then_some(stat.st_mode & 0o7777);
        Wanted { uid, gid, mode, attributes }.bring(dir, name)?;
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Some(kind))
    }
}

/// A directory on the way down, with the names that are left.
struct Level {
    todo: Todo,
    names: Vec<(OsString, FileType)>,
}

impl Level {
    fn read(todo: Todo) -> Result<Level, file::Error> {
        let names = todo.dir.entries().map_err(|source| file::Error::new("listing", &todo.path, source))?;
        Ok(Level { todo, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::undo::fail_step;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    /// A version 2 capability, `cap_net_raw+ep`, as vfs_cap_data has it (include/uapi/linux/capability.h).
    const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    /// An ACL in which user 1000 may read: version, then tag, permissions and id of each entry.
    const ACL: [u8; 44] = [
        2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 4, 0, 232, 3, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255, 16, 0, 5,
        0, 255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255,
    ];

    type State = (u32, u32, u32, Vec<(OsString, Vec<u8>)>);

    fn state(dir: &Directory, folder: &Path, name: &OsStr) -> State {
        let found = folder.join(name).metadata().expect("it is there");
        let mut names = xattr::list(dir, name).expect("a list");
        names.sort();
        let all =
            names.into_iter().map(|one| (one.clone(), xattr::get(dir, name, &one).expect("read").expect("there")));
        (found.uid(), found.gid(), found.mode(), all.collect())
    }

    #[test]
    fn a_file_keeps_what_it_has_when_its_change_is_cut_off_anywhere() {
        if !rustix::process::geteuid().is_root() {
            return eprintln!("skipped: this test needs root");
        }
        let folder = std::env::temp_dir().join(format!("shift-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("it is ours");
        let (dir, name) = (Directory::open(&folder).expect("it is there"), OsStr::new("file"));
        let (none, base) = (IdMap::default(), IdMap::both(100_000, 65536));
        let there = Change::new(&none, &base);
        let make = || {
            let path = folder.join(name);
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, "x").expect("it is ours");
            std::os::unix::fs::chown(&path, Some(1000), Some(1000)).expect("root may");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4755)).expect("root may");
            xattr::set(&dir, name, "security.capability".as_ref(), &CAPABILITY).expect("root may");
            xattr::set(&dir, name, "system.posix_acl_access".as_ref(), &ACL)
        };
        if make().is_err() {
            std::fs::remove_dir_all(&folder).expect("it is ours");
            return eprintln!("skipped: no ACLs here");
        }
        Work::new(&there, None).change(&dir, name).expect("changed");
        let wanted = state(&dir, &folder, name);
        assert_eq!((wanted.0, wanted.2 & 0o7777, wanted.3.len()), (101_000, 0o4755, 2), "{wanted:?}");
        for step in 0.. {
            for by_moment in [true, false] {
                make().expect("as before");
                let stat = dir.stat(name).expect("it is there");
                let since = (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).expect("less than a second"));
                // The kernel's clock has to tick.
                std::thread::sleep(std::time::Duration::from_millis(20));
                fail_step(Some(step));
                let outcome = Work::new(&there, None).change(&dir, name);
                fail_step(None);
                if outcome.is_ok() {
                    assert!(step > 4, "it has steps");
                    std::fs::remove_dir_all(&folder).expect("it is ours");
                    return;
                }
                let resumed = Change::resumed(&base, &none, &base);
                let work = Work::new(&resumed, by_moment.then_some(since));
                work.change(&dir, name).expect("it can be ended");
                assert_eq!(state(&dir, &folder, name), wanted, "after step {step}");
            }
        }
    }

    #[test]
    fn a_change_goes_by_the_ids_inside() {
        let (none, first, second) = (IdMap::default(), IdMap::both(100_000, 1000), IdMap::both(500_000, 1000));
        let uid = |from: &IdMap, to: &IdMap, uid| Change::new(from, to).uid(uid);
        assert_eq!(uid(&none, &first, 5), Some(100_005));
        assert_eq!(uid(&first, &second, 100_005), Some(500_005));
        assert_eq!(uid(&first, &none, 100_005), Some(5));
        assert_eq!(uid(&first, &second, 5), None);
    }

    #[test]
    fn a_change_that_was_cut_off_goes_on_to_anywhere() {
        let (none, first, second) = (IdMap::default(), IdMap::both(100_000, 1000), IdMap::both(500_000, 1000));
        // Some files are done, others are not, and each ends where it would have.
        for to in [&none, &first, &second] {
            let change = Change::resumed(&first, &none, to);
            assert_eq!(change.uid(100_005), change.uid(5), "{to:?}");
            let change = Change::resumed(&second, &first, to);
            assert_eq!(change.gid(100_005), change.gid(500_005), "{to:?}");
        }
        let back = Change::resumed(&none, &first, &none);
        // A file that has its own id again is not known, and stays.
        assert_eq!((back.uid(100_005), back.uid(5)), (Some(5), None));
    }
}
