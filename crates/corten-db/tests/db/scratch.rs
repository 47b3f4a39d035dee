//! A database in a folder that goes away with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use corten_db::{Db, Opening};

/// The moment at which all test databases are made.
pub const NOW: &str = "2026-11-23T18:50:14Z";

/// A folder under the system's temporary one, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("corten-db-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Folder(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn open(&self) -> Db {
        Db::open(&self.0, &opening()).expect("the database opens")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn opening() -> Opening {
    Opening { now: NOW.parse().expect("a time"), architecture: 2, api_extensions: 318 }
}

/// A new database and its folder.
pub fn new() -> (Folder, Db) {
    let folder = Folder::new();
    let db = folder.open();
    (folder, db)
}
