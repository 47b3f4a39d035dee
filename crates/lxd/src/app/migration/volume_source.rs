//! A custom volume of this server, or a snapshot of one, that another server gets.

use corten_api::backup_config::BackupConfig;
use corten_api::error::Result;
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::time::Time;
use corten_db::table::volume_snapshots::{self, VolumeSnapshot};

use super::outgoing::{self, Offer};
use super::session::Session;
use super::volume::told;
use super::wire::Header;
use crate::app::App;
use crate::app::storage::custom::Place;
use crate::app::storage::pools::Pools;
use crate::app::storage::{custom_snapshots, volumes};

/// Sends the volume in `session`, with its snapshots unless it goes `alone`.
///
/// # Errors
/// When it cannot be read, or what the target says; it is as before in any case.
pub fn send(app: &App, place: &Place, alone: bool, mut session: Session) -> Result<()> {
    let outcome = converse(app, place, alone, &mut session);
    session.end_quietly(outcome)
}

fn converse(app: &App, place: &Place, alone: bool, session: &mut Session) -> Result<()> {
    let (parent, snapshot) = place.parts();
    let pool = Pools::get(app, &parent.pool)?;
    let (mut row, mut along) = app.view(|view| {
        let row = parent.row(view)?;
        let along = volume_snapshots::of_volume(view, row.id)?;
        Ok((row, along))
    })?;
    let mut volume = parent.volume(&row.config);
    if let Some(name) = snapshot {
        let taken = app.view(|view| custom_snapshots::row(view, row.id, name))?;
        (row.description, row.config) = (taken.description, taken.config);
        volume = volume.snapshot(name);
    }
    if snapshot.is_some() || alone {
        along.clear();
    }
    let named = |one: &VolumeSnapshot| {
        let shown = custom_snapshots::shown(&row, one.clone());
        StorageVolumeSnapshot { name: one.name.clone(), expires_at: shown.expires_at.or(Some(Time::ZERO)), ..shown }
    };
    let index = BackupConfig {
        volume_snapshots: along.iter().map(named).collect(),
        volume: Some(volumes::shown(row.clone(), Vec::new())),
        ..BackupConfig::default()
    };
    let header = Header {
        snapshot_names: along.iter().map(|one| one.name.clone()).collect(),
        snapshots: along.iter().map(told).collect(),
        ..Header::default()
    };
    let agreed = outgoing::agree(session, &pool, Offer { header, index })?;
    for name in &agreed.snapshots {
        let piece = (&pool, &volume.snapshot(name));
        agreed.send(session, piece, &format!("{}/{name}", parent.name), false, || ())?;
    }
    agreed.send(session, (&pool, &volume), &place.name, false, || ())?;
    session.receive_end()
}
