//! The two files that a monitor leaves in its run directory: what it made, and how the container ended.

use std::io::{self, Write};
use std::path::Path;

use corten_host::cgroup::Layout;
use serde::{Deserialize, Serialize};

use crate::protocol::Exit;
use crate::spec::Link;

/// What the monitor made on the host: read by [`crate::handle::cleanup_dead`] when it died without cleaning up.
const STATE: &str = "monitor.json";

/// How the container ended: read by a daemon that was away then.
const EXIT: &str = "exit.json";

/// What is to be cleaned up when a monitor dies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The monitor's process.
    pub monitor: i32,
    /// The container's first process; 0 before it exists.
    pub init: i32,
    /// The hierarchies in which the groups are.
    pub layout: Layout,
    /// The payload group.
    pub payload: String,
    /// The monitor's group.
    pub monitor_group: String,
    /// Interfaces to bring back.
    pub links: Vec<Link>,
}

/// Remembers what was made.
pub fn write_made(run_dir: &Path, made: &Made) -> io::Result<()> {
    write(run_dir, STATE, &serde_json::to_vec(made)?)
}

/// What was made, when a monitor left it there.
pub fn read_made(run_dir: &Path) -> io::Result<Option<Made>> {
    read(run_dir, STATE)
}

/// Remembers how the container ended.
pub fn write_exit(run_dir: &Path, exit: Exit) -> io::Result<()> {
    write(run_dir, EXIT, &serde_json::to_vec(&exit)?)
}

/// How the container ended, when a monitor could tell.
pub fn read_exit(run_dir: &Path) -> io::Result<Option<Exit>> {
    read(run_dir, EXIT)
}

/// Forgets how the last one ended, before the next starts.
pub fn remove_exit(run_dir: &Path) -> io::Result<()> {
    remove(run_dir, EXIT)
}

/// Forgets what was made, once it is gone.
pub fn remove_made(run_dir: &Path) -> io::Result<()> {
    remove(run_dir, STATE)
}

/// A reader sees the old text or the new one, never a part. Nothing of it must outlive the machine, so nothing is synced.
fn write(run_dir: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    let new = run_dir.join(format!("{name}.new"));
    write_private(&new, text)?;
    std::fs::rename(&new, run_dir.join(name))
}

/// A file that only root may read.
pub fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text)
}

fn read<T: serde::de::DeserializeOwned>(run_dir: &Path, name: &str) -> io::Result<Option<T>> {
    match std::fs::read(run_dir.join(name)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(run_dir: &Path, name: &str) -> io::Result<()> {
    match std::fs::remove_file(run_dir.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
