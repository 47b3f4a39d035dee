//! What is meant with an instance while a change of several parts is under way: written down first, so that the next
//! daemon can take back what a killed one has begun, or end it.
//!
//! The note is a link among those of the containers, `containers/.intent-NAME`, whose target says what is meant: the verb,
//! project and name, and what else there is to know, with slashes between. A link is there whole or not at all, also
//! after a power failure, and no wait for the disk is needed.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Result};
use corten_host::undo::Undo;
use corten_instance::instance::host_name;
use corten_instance::step::pass;

use super::claims::Key;
use crate::app::App;

const NOTE: &str = ".intent-";

/// What is meant to become of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is made; its row has this `volatile.uuid`.
    Create(String),
    /// It is started.
    Start,
    /// It is removed.
    Delete,
    /// It gets this name.
    Rename(String),
    /// A snapshot of this name is taken, and the instance may stand still for that.
    Snapshot(String),
    /// As [`Intent::Snapshot`], of an instance that stood still before.
    SnapshotOfFrozen(String),
    /// Its snapshot of this name is removed.
    DeleteSnapshot(String),
    /// Its snapshot of the first name gets the second.
    RenameSnapshot(String, String),
    /// Its files get other owners: from the first id map, as JSON, to the second.
    Shift(String, String),
    /// It becomes what its snapshot of this name is.
    Restore(String),
    /// Files and snapshots become those of what it was copied from.
    Refresh,
    /// Its volume goes to another place, and perhaps it gets another project or name.
    Move(Move),
}

/// From where an instance goes, and to where; its project and name now are not said again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The pool that it is on.
    pub from_pool: String,
    /// The pool that it comes to, which may be the same.
    pub pool: String,
    /// Its project there.
    pub project: String,
    /// Its name there.
    pub name: String,
}

impl Intent {
    /// The verb, and what else there is to know.
    fn words(&self) -> (&'static str, Vec<&str>) {
        match self {
            Intent::Create(uuid) => ("create", vec![uuid]),
            Intent::Start => ("start", Vec::new()),
            Intent::Delete => ("delete", Vec::new()),
            Intent::Rename(new) => ("rename", vec![new]),
            Intent::Snapshot(name) => ("snapshot", vec![name]),
            Intent::SnapshotOfFrozen(name) => ("snapshot-of-frozen", vec![name]),
            Intent::DeleteSnapshot(name) => ("delete-snapshot", vec![name]),
            Intent::RenameSnapshot(old, new) => ("rename-snapshot", vec![old, new]),
            Intent::Shift(from, to) => ("shift", vec![from, to]),
            Intent::Restore(name) => ("restore", vec![name]),
            Intent::Refresh => ("refresh", Vec::new()),
            Intent::Move(to) => ("move", vec![&to.from_pool, &to.pool, &to.project, &to.name]),
        }
    }

    fn text(&self, (project, name): &Key) -> String {
        let (verb, more) = self.words();
        [&[verb, project, name], &more[..]].concat().join("/")
    }

    fn parse(text: &str) -> Option<(Key, Intent)> {
        let words: Vec<&str> = text.split('/').collect();
        let [verb, project, name, ref more @ ..] = words[..] else { return None };
        let more: Vec<String> = more.iter().map(|word| (*word).to_string()).collect();
        let intent = match (verb, <[String; 1]>::try_from(more.clone()), more.as_slice()) {
            ("start", _, []) => Intent::Start,
            ("delete", _, []) => Intent::Delete,
            ("create", Ok([uuid]), _) => Intent::Create(uuid),
            ("rename", Ok([new]), _) => Intent::Rename(new),
            ("snapshot", Ok([name]), _) => Intent::Snapshot(name),
            ("snapshot-of-frozen", Ok([name]), _) => Intent::SnapshotOfFrozen(name),
            ("delete-snapshot", Ok([name]), _) => Intent::DeleteSnapshot(name),
            ("restore", Ok([name]), _) => Intent::Restore(name),
            ("refresh", _, []) => Intent::Refresh,
            ("move", _, [from_pool, pool, project, name]) => Intent::Move(Move {
                from_pool: from_pool.clone(),
                pool: pool.clone(),
                project: project.clone(),
                name: name.clone(),
            }),
            ("shift", _, [from, to]) => Intent::Shift(from.clone(), to.clone()),
            ("rename-snapshot", _, [old, new]) => Intent::RenameSnapshot(old.clone(), new.clone()),
            _ => return None,
        };
        Some(((project.to_string(), name.to_string()), intent))
    }
}

/// Writes down what is meant with the instance of this key, of which the caller has the claim. The way back takes the
/// note away, when all else could be taken back.
///
/// # Errors
/// What the kernel says.
pub fn note(app: &App, key: &Key, intent: &Intent, undo: &mut Undo) -> Result<()> {
    let path = place(app, key);
    let older = std::fs::read_link(&path).ok();
    pass("write down what is meant")?;
    write(&path, Path::new(&intent.text(key)))?;
    undo.push_if_clean("write down what is meant", move || {
        // An older note is of something that could not be ended yet.
        let back = older.map_or_else(|| remove(&path), |older| write(&path, &older));
        back.map_err(|error| error.message)
    });
    Ok(())
}

/// As [`note`], for what makes room: a disk that is full must not keep an instance from going.
pub fn note_if_possible(app: &App, key: &Key, intent: &Intent, undo: &mut Undo) {
    if let Err(error) = note(app, key, intent, undo) {
        tracing::warn!(instance = key.1, %error, "What is meant with an instance is not written down");
    }
}

/// The change is whole.
///
/// # Errors
/// What the kernel says.
pub fn done(app: &App, key: &Key) -> Result<()> {
    remove(&place(app, key))
}

/// When the note on this instance was written: seconds and nanoseconds since 1970.
///
/// # Errors
/// When there is none.
pub fn written(app: &App, key: &Key) -> Result<(i64, i64)> {
    let path = place(app, key);
    let found = std::fs::symlink_metadata(&path).with_context(|| format!("Failed to read {}", path.display()))?;
    Ok((found.mtime(), found.mtime_nsec()))
}

/// What an earlier daemon meant and did not end.
///
/// # Errors
/// When the folder cannot be read.
pub fn found(app: &App) -> Result<Vec<(Key, Intent)>> {
    let folder = app.dirs.var.join("containers");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("Failed to read {}", folder.display()))? {
        let path = entry.with_context(|| format!("Failed to read {}", folder.display()))?.path();
        let is_note = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(NOTE.as_bytes()));
        if !is_note {
            continue;
        }
        let text = std::fs::read_link(&path).ok();
        match text.as_deref().and_then(Path::to_str).and_then(Intent::parse) {
            Some(intent) => found.push(intent),
            None => tracing::warn!(note = %path.display(), "A note of something unknown was left"),
        }
    }
    Ok(found)
}

fn place(app: &App, (project, name): &Key) -> PathBuf {
    app.dirs.var.join("containers").join(format!("{NOTE}{}", host_name(project, name)))
}

fn write(path: &Path, text: &Path) -> Result<()> {
    remove(path)?;
    std::os::unix::fs::symlink(text, path).with_context(|| format!("Failed to write {}", path.display()))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("Failed to remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let key = ("default".to_string(), "c1".to_string());
        let name = || "s1".to_string();
        for intent in [
            Intent::Create("5f3".into()),
            Intent::Start,
            Intent::Delete,
            Intent::Rename("c2".into()),
            Intent::Snapshot(name()),
            Intent::SnapshotOfFrozen(name()),
            Intent::DeleteSnapshot(name()),
            Intent::RenameSnapshot(name(), "s2".into()),
            Intent::Shift("[]".into(), "[{\"Isuid\":true}]".into()),
            Intent::Restore(name()),
            Intent::Refresh,
            Intent::Move(Move { from_pool: "p".into(), pool: "q".into(), project: "default".into(), name: name() }),
        ] {
            assert_eq!(Intent::parse(&intent.text(&key)), Some((key.clone(), intent)));
        }
        for bad in ["", "create/default/c1", "fly/default/c1", "delete/default/c1/x"] {
            assert_eq!(Intent::parse(bad), None, "{bad:?}");
        }
    }
}
