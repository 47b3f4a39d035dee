//! Counted uses: the first user brings something about, the last one ends it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Doing, Result};

/// How often each path is in use. One slow mount keeps back only those who want the same path.
#[derive(Debug, Default)]
pub struct Mounts {
    slots: Mutex<HashMap<PathBuf, Arc<Slot>>>,
}

/// One path. The number of users is changed while the turn is held, and may be read without.
#[derive(Debug, Default)]
struct Slot {
    turn: Mutex<()>,
    users: AtomicUsize,
}

/// A user died while holding the lock: what it guards is changed last, so it is still right.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mounts {
    /// Runs `work` while nobody else begins or ends a use of `path`.
    fn in_turn<T>(&self, path: &Path, work: impl FnOnce(&AtomicUsize) -> T) -> T {
        let slot = lock(&self.slots).entry(path.to_path_buf()).or_default().clone();
        let done = {
            let _turn = lock(&slot.turn);
            work(&slot.users)
        };
        // The table does not grow for ever: a slot that nobody uses or waits for goes. The table has one reference,
        // this call the other.
        let mut slots = lock(&self.slots);
        if Arc::strong_count(&slot) == 2 && slot.users.load(Ordering::Acquire) == 0 {
            slots.remove(path);
        }
        done
    }

    /// Adds a user of `path`; for the first one `begin` runs.
    ///
    /// # Errors
    /// That of `begin`; the user is not counted then.
    pub fn take(&self, path: &Path, begin: impl FnOnce() -> Result<()>) -> Result<()> {
        self.in_turn(path, |users| {
            if users.load(Ordering::Acquire) == 0 {
                begin()?;
            }
            users.fetch_add(1, Ordering::AcqRel);
            Ok(())
        })
    }

    /// Ends one use of `path`; after the last one `end` runs. Without users nothing happens.
    ///
    /// # Errors
    /// That of `end`; the user stays counted then.
    pub fn give_back(&self, path: &Path, end: impl FnOnce() -> Result<()>) -> Result<()> {
        self.in_turn(path, |users| {
            match users.load(Ordering::Acquire) {
                0 => return Ok(()),
                1 => end()?,
                _ => {}
            }
            users.fetch_sub(1, Ordering::AcqRel);
            Ok(())
        })
    }

    /// Runs `work` while the use of `path` neither begins nor ends.
    ///
    /// # Errors
    /// That of `work`.
    pub fn hold<T>(&self, path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.in_turn(path, |_| work())
    }

    /// How many users `path` has.
    pub fn users(&self, path: &Path) -> usize {
        lock(&self.slots).get(path).map_or(0, |slot| slot.users.load(Ordering::Acquire))
    }
}

/// Whether something is mounted at `path`; a missing path has nothing mounted.
///
/// # Errors
/// What statx(2) says.
pub fn is_mount_point(path: &Path) -> Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    match statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, StatxFlags::empty()) {
        Ok(stat) => Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(errno).doing(|| format!("Failed to look at \"{}\"", path.display())),
    }
}

/// Unmounts whatever is stacked at `path`, lazily where it is in use.
///
/// # Errors
/// What umount2(2) says.
pub fn unmount_all(path: &Path) -> Result<()> {
    use rustix::mount::{UnmountFlags, unmount};
    while is_mount_point(path)? {
        let done = unmount(path, UnmountFlags::NOFOLLOW)
            .or_else(|_| unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW));
        done.doing(|| format!("Failed to unmount '{}'", path.display()))?;
    }
    Ok(())
}

/// Shows `from` at `to` so that nothing can be written there.
///
/// # Errors
/// What mount(2) says.
pub fn bind_read_only(from: &Path, to: &Path) -> Result<()> {
    use rustix::mount::{MountFlags, mount_bind, mount_remount};
    let what = || format!("Failed to mount \"{}\" on \"{}\" using \"none\"", from.display(), to.display());
    mount_bind(from, to).doing(what)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY;
    mount_remount(to, flags, c"").doing(what).or_else(|error| unmount_all(to).and(Err(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::cell::Cell;

    #[test]
    fn the_first_begins_and_the_last_ends() {
        let (mounts, path, on) = (Mounts::default(), Path::new("/x"), Cell::new(0));
        let begin = || {
            on.set(on.get() + 1);
            Ok(())
        };
        let end = || {
            on.set(on.get() - 1);
            Ok(())
        };
        assert!(mounts.take(path, || Err(Error::internal("no"))).is_err());
        assert_eq!((mounts.users(path), on.get()), (0, 0));
        mounts.take(path, begin).expect("first");
        mounts.take(path, begin).expect("second");
        assert_eq!((mounts.users(path), on.get()), (2, 1));
        mounts.give_back(path, end).expect("one");
        assert!(mounts.give_back(path, || Err(Error::internal("busy"))).is_err());
        assert_eq!((mounts.users(path), on.get()), (1, 1));
        mounts.give_back(path, end).expect("last");
        mounts.give_back(path, end).expect("nobody");
        assert_eq!((mounts.users(path), on.get()), (0, 0));
        assert!(lock(&mounts.slots).is_empty());
    }

    #[test]
    fn the_root_is_a_mount_point_and_a_plain_directory_is_not() {
        assert!(is_mount_point(Path::new("/proc")).expect("looked"));
        assert!(!is_mount_point(Path::new("/proc/self")).expect("looked"));
        assert!(!is_mount_point(Path::new("/nonexistent/x")).expect("looked"));
    }
}
