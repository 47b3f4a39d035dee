//! What is meant with a volume of users' while a change of several parts is under way; see [`notes`].

use std::path::PathBuf;

use corten_api::error::Result;
use corten_host::undo::Undo;
use corten_storage::volume::{Kind, storage_name};
use serde::{Deserialize, Serialize};

use super::custom::Place;
use crate::app::{App, notes};
use crate::rest::turn::Turn;

/// What is meant to become of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Meant {
    /// It is made; nobody had its name before.
    Create,
    /// It is removed.
    Delete,
    /// It gets this name.
    Rename(String),
    /// A snapshot of this name is taken.
    Snapshot(String),
    /// Its snapshot of this name is removed.
    DeleteSnapshot(String),
    /// Its snapshot of the first name gets the second.
    RenameSnapshot(String, String),
    /// It gets these snapshots of what it was copied from.
    Refresh(Vec<String>),
    /// It goes to another place, where nobody had its name before.
    Move(Place),
}

fn file(app: &App, place: &Place) -> PathBuf {
    let name = storage_name(Kind::Custom, &place.project, &place.name);
    notes::place(&app.dirs.var.join("storage-pools"), &format!("{}:{name}", place.pool))
}

/// Waits until nobody else changes this volume in a way that is noted.
pub fn turn<'a>(app: &'a App, place: &Place) -> Turn<'a> {
    let name = storage_name(Kind::Custom, &place.project, &place.name);
    app.pools.noting.take(&format!("{}/{name}", place.pool))
}

/// Writes down what is meant; the caller has the volume's turn.
///
/// # Errors
/// What the kernel says.
pub fn note(app: &App, place: &Place, meant: &Meant, undo: &mut Undo) -> Result<()> {
    let text = serde_json::to_string(&(place, meant)).unwrap_or_default();
    notes::note(file(app, place), &text, undo)
}

/// As [`note`], for what makes room: a disk that is full must not keep a volume from going.
pub fn note_if_possible(app: &App, place: &Place, meant: &Meant, undo: &mut Undo) {
    if let Err(error) = note(app, place, meant, undo) {
        tracing::warn!(volume = place.name, %error, "What is meant with a volume is not written down");
    }
}

/// The change is whole.
///
/// # Errors
/// What the kernel says.
pub fn done(app: &App, place: &Place) -> Result<()> {
    notes::remove(&file(app, place))
}

/// What an earlier daemon meant and did not end.
///
/// # Errors
/// When the folder cannot be read.
pub fn found(app: &App) -> Result<Vec<(Place, Meant)>> {
    notes::found(&app.dirs.var.join("storage-pools"), |text| serde_json::from_str(text).ok())
}
