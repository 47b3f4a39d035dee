//! Folders and files in memory for targets that need some.

use std::path::{Path, PathBuf};

/// A folder of this process, in memory where the host has a file system for that. What earlier inputs left in it is removed.
pub fn folder(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let above = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = above.join(format!("corten-fuzz-{}", std::process::id())).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the target");
    folder
}

/// A file with these bytes.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let path = FOLDER.get_or_init(|| folder("files")).join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}
