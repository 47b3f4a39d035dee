//! Changes of a volume that need more than one rename: what is meant is written down first, so that the next daemon
//! can take back what a killed one has begun.
//!
//! The note is a link in the directory of the volumes, `.intent-VOLUME`, whose target says what is meant: `create`, or
//! `rename:NEW`.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use corten_host::rooted::remove;
use corten_host::undo::Undo;

use super::names;
use crate::error::{Doing, Result};
use crate::pool::Pool;
use crate::volume::{Kind, Volume};

const NOTE: &str = ".intent-";

/// What is meant to become of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent<'a> {
    /// It is made, after its snapshots.
    Create,
    /// It gets this name, and then its snapshots do.
    Rename(&'a str),
}

/// Writes down what is meant; the way back takes the note away.
///
/// # Errors
/// What the kernel says.
pub fn note(pool: &Pool, volume: &Volume, intent: Intent, undo: &mut Undo) -> Result<()> {
    let path = place(pool, volume);
    let text = match intent {
        Intent::Create => "create".to_string(),
        Intent::Rename(name) => format!("rename:{name}"),
    };
    let write = || {
        // What an older daemon left was dealt with when the pool was mounted.
        remove::tree(&path)
            .and_then(|()| std::os::unix::fs::symlink(&text, &path))
            .doing(|| format!("Failed to write \"{}\"", path.display()))
    };
    let gone = path.clone();
    undo.step("write down what is meant", write, |()| move || remove::tree(&gone).map_err(|error| error.to_string()))
}

/// The change is whole.
///
/// # Errors
/// What the kernel says.
pub fn done(pool: &Pool, volume: &Volume) -> Result<()> {
    let path = place(pool, volume);
    remove::tree(&path).doing(|| format!("Failed to remove '{}'", path.display()))
}

fn place(pool: &Pool, volume: &Volume) -> PathBuf {
    pool.path(volume).with_file_name(format!("{NOTE}{}", volume.name))
}

/// Takes back every change that was begun and not ended. Nothing else may be changing the pool.
///
/// # Errors
/// What could not be taken back; its note stays.
pub fn recover(pool: &Pool) -> Result<()> {
    for kind in Kind::ALL {
        let directory = pool.directory().join(kind.directory());
        let entries = match std::fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.doing(|| format!("Failed to read \"{}\"", directory.display()))?,
        };
        for entry in entries {
            let name = entry.doing(|| format!("Failed to read \"{}\"", directory.display()))?.file_name();
            if let Some(volume) = name.as_bytes().strip_prefix(NOTE.as_bytes()) {
                take_back(pool, &Volume::new(kind, OsStr::from_bytes(volume).to_string_lossy()))?;
            }
        }
    }
    Ok(())
}

fn take_back(pool: &Pool, volume: &Volume) -> Result<()> {
    let note = place(pool, volume);
    let text = std::fs::read_link(&note).doing(|| format!("Failed to read \"{}\"", note.display()))?;
    let text = text.to_string_lossy();
    match text.split_once(':') {
        Some(("rename", new)) => {
            let renamed = Volume { name: new.to_string(), ..volume.clone() };
            rename_back(&pool.path(&renamed), &pool.path(volume))?;
            rename_back(&renamed.snapshots_path(pool.directory()), &volume.snapshots_path(pool.directory()))?;
        }
        _ if !pool.has_volume(volume) => {
            for snapshot in pool.snapshots(volume)? {
                pool.delete_snapshot(volume, &snapshot)?;
            }
        }
        _ => {}
    }
    done(pool, volume)
}

/// Renames, where the one is there and the other is not.
fn rename_back(from: &Path, to: &Path) -> Result<()> {
    match names::rename_new(from, to) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => Ok(()),
        done => done.doing(|| format!("Failed to rename '{}' to '{}'", from.display(), to.display())),
    }
}
