//! What is meant with an instance while a change of several parts is under way; see [`notes`].
//!
//! The note is among the links of the containers, `containers/.intent-NAME`: the verb, project and name, and what else there
//! is to know, with slashes between.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use corten_api::error::{Context, Result};
use corten_host::undo::Undo;
use corten_instance::instance::{Config, host_name};
use serde::{Deserialize, Serialize};

use super::claims::Key;
use super::settle::Change;
use crate::app::{App, notes};

/// What is meant to become of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is made; its row has this `volatile.uuid`.
    Create(String),
    /// It is started; the links on the host that its NICs get, by device.
    Start(Config),
    /// It runs, and is brought to another configuration.
    Update(Box<Change>),
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
    Refresh(Renewal),
    /// Its volume goes to another place, and perhaps it gets another project or name.
    Move(Move),
}

/// What a refresh changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Renewal {
    /// Snapshots that come.
    pub snapshots: Vec<String>,
    /// The inode of the volume before another one takes its place.
    pub inode: u64,
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
    /// The verb, and what else there is to know; of several parts, as JSON.
    fn words(&self) -> (&'static str, Vec<&str>) {
        match self {
            Intent::Create(uuid) => ("create", vec![uuid]),
            Intent::Start(_) => ("start", Vec::new()),
            Intent::Update(_) => ("update", Vec::new()),
            Intent::Delete => ("delete", Vec::new()),
            Intent::Rename(new) => ("rename", vec![new]),
            Intent::Snapshot(name) => ("snapshot", vec![name]),
            Intent::SnapshotOfFrozen(name) => ("snapshot-of-frozen", vec![name]),
            Intent::DeleteSnapshot(name) => ("delete-snapshot", vec![name]),
            Intent::RenameSnapshot(old, new) => ("rename-snapshot", vec![old, new]),
            Intent::Shift(from, to) => ("shift", vec![from, to]),
            Intent::Restore(name) => ("restore", vec![name]),
            Intent::Refresh(_) => ("refresh", Vec::new()),
            Intent::Move(to) => ("move", vec![&to.from_pool, &to.pool, &to.project, &to.name]),
        }
    }

    fn text(&self, (project, name): &Key) -> String {
        let (verb, more) = self.words();
        let json = match self {
            Intent::Start(links) => serde_json::to_string(links).ok(),
            Intent::Update(change) => serde_json::to_string(change).ok(),
            Intent::Refresh(renewal) => serde_json::to_string(renewal).ok(),
            _ => None,
        };
        let more: Vec<&str> = more.into_iter().chain(json.as_deref()).collect();
        [&[verb, project, name], &more[..]].concat().join("/")
    }

    fn parse(text: &str) -> Option<(Key, Intent)> {
        let words: Vec<&str> = text.split('/').collect();
        let [verb, project, name, ref more @ ..] = words[..] else { return None };
        let more: Vec<String> = more.iter().map(|word| (*word).to_string()).collect();
        let intent = match (verb, <[String; 1]>::try_from(more.clone()), more.as_slice()) {
            ("start", _, []) => Intent::Start(Config::new()),
            ("start", _, json) => Intent::Start(serde_json::from_str(&json.join("/")).ok()?),
            ("update", _, json) => Intent::Update(serde_json::from_str(&json.join("/")).ok()?),
            ("delete", _, []) => Intent::Delete,
            ("create", Ok([uuid]), _) => Intent::Create(uuid),
            ("rename", Ok([new]), _) => Intent::Rename(new),
            ("snapshot", Ok([name]), _) => Intent::Snapshot(name),
            ("snapshot-of-frozen", Ok([name]), _) => Intent::SnapshotOfFrozen(name),
            ("delete-snapshot", Ok([name]), _) => Intent::DeleteSnapshot(name),
            ("restore", Ok([name]), _) => Intent::Restore(name),
            ("refresh", _, []) => Intent::Refresh(Renewal::default()),
            ("refresh", _, json) => Intent::Refresh(serde_json::from_str(&json.join("/")).ok()?),
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
    notes::note(place(app, key), &intent.text(key), undo)
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
    notes::remove(&place(app, key))
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
    notes::found(&app.dirs.var.join("containers"), Intent::parse)
}

fn place(app: &App, (project, name): &Key) -> PathBuf {
    notes::place(&app.dirs.var.join("containers"), &host_name(project, name))
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
            Intent::Start(Config::new()),
            Intent::Start(Config::from([("eth/0".into(), "veth1".into())])),
            Intent::Update(Box::new(Change {
                old: [("d".to_string(), Config::from([("path".into(), "/mnt/a/b".into())]))].into(),
                ..Change::default()
            })),
            Intent::Delete,
            Intent::Rename("c2".into()),
            Intent::Snapshot(name()),
            Intent::SnapshotOfFrozen(name()),
            Intent::DeleteSnapshot(name()),
            Intent::RenameSnapshot(name(), "s2".into()),
            Intent::Shift("[]".into(), "[{\"Isuid\":true}]".into()),
            Intent::Restore(name()),
            Intent::Refresh(Renewal { snapshots: vec!["s/1".into()], inode: 7 }),
            Intent::Move(Move { from_pool: "p".into(), pool: "q".into(), project: "default".into(), name: name() }),
        ] {
            assert_eq!(Intent::parse(&intent.text(&key)), Some((key.clone(), intent)));
        }
        for bad in ["", "create/default/c1", "fly/default/c1", "delete/default/c1/x"] {
            assert_eq!(Intent::parse(bad), None, "{bad:?}");
        }
    }
}
