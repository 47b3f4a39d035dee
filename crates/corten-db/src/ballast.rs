//! Room kept for what takes away: a file of preallocated bytes beside a database, given back to the disk when there is none left.
//!
//! SQLite needs room to forget, too: its log grows by every page that a deletion changes. On a full disk nobody could make
//! room, then. The bytes are the file system's promise, and as good as that: one that copies on write (btrfs, zfs) may still
//! want blocks of its own, and one that cannot preallocate has no ballast.
//!
//! The file is of the right size, empty, half made, or not there, whenever the process is killed; [`Ballast::make`] makes the first of all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open, statvfs};
use rustix::io::Errno;

/// Name of the file, in the folder of the database.
pub const NAME: &str = "ballast";

/// Its size in bytes: some two thousand pages of log, when the largest decision is of 1 MiB; as much as a segment of LXD's log.
pub const SIZE: u64 = 8 << 20;

/// The ballast of one database. Who holds the database's writer may change it.
pub(crate) struct Ballast {
    path: PathBuf,
    /// There is to be one, and was no room for it.
    missing: AtomicBool,
}

impl Ballast {
    /// That of the database at `database`.
    pub(crate) fn beside(database: &Path) -> Ballast {
        Ballast { path: database.with_file_name(NAME), missing: AtomicBool::new(false) }
    }

    /// Makes it whole, whatever is there; 80 µs on ext4, 10 µs when it is whole. Without room for all of it nothing is taken,
    /// and [`Ballast::refill`] tries again.
    pub(crate) fn make(&self) {
        let made = self.open(OFlags::CREATE).and_then(|file| {
            let whole = fallocate(&file, FallocateFlags::empty(), 0, SIZE);
            // Some file systems keep the part that they found room for.
            file.set_len(if whole.is_ok() { SIZE } else { 0 }).map_err(|_| Errno::IO)?;
            whole
        });
        // Where it cannot be had at all, room would not help.
        self.missing.store(matches!(made, Err(Errno::NOSPC | Errno::DQUOT)), Ordering::Relaxed);
    }

    /// Whether there is to be one, and was no room for it.
    pub(crate) fn is_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// Makes it anew if it is missing and the disk seems to have room: a file system that has none may take its time to say so.
    pub(crate) fn refill(&self) {
        let has_room = || statvfs(&self.path).is_ok_and(|disk| disk.f_bfree * disk.f_frsize >= SIZE);
        if self.is_missing() && has_room() {
            self.make();
        }
    }

    /// Gives its bytes back to the disk; false when there are none.
    pub(crate) fn spend(&self) -> bool {
        let spent = self
            .open(OFlags::empty())
            .is_ok_and(|file| file.metadata().is_ok_and(|found| found.len() > 0) && file.set_len(0).is_ok());
        if spent {
            self.missing.store(true, Ordering::Relaxed);
        }
        spent
    }

    fn open(&self, more: OFlags) -> Result<File, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | more;
        open(&self.path, flags, Mode::RUSR | Mode::WUSR).map(File::from)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn whatever_is_there_is_made_right() {
        let folder = std::env::temp_dir().join(format!("corten-db-ballast-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let ballast = Ballast::beside(&folder.join("db.bin"));
        let found = || std::fs::metadata(folder.join(NAME)).map(|found| (found.len(), found.blocks() * 512 >= SIZE));
        assert!(!ballast.spend(), "nothing was made");
        ballast.refill();
        found().expect_err("nothing is to be there");
        for length in [None, Some(0), Some(SIZE / 2), Some(SIZE), Some(SIZE * 2)] {
            if let Some(length) = length {
                let file = File::create(folder.join(NAME)).expect("it is ours");
                file.set_len(length).expect("it is ours");
            }
            ballast.make();
            assert_eq!(found().ok(), Some((SIZE, true)), "{length:?}");
        }
        assert!(ballast.spend());
        assert_eq!(found().ok(), Some((0, false)));
        assert!(!ballast.spend(), "it is spent");
        ballast.refill();
        assert_eq!(found().ok(), Some((SIZE, true)));
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }
}
