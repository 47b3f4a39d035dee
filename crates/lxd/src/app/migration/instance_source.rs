//! An instance of this server, or a snapshot of one, that another server gets.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_host::command::Command;

use super::outgoing::{self, Offer};
use super::session::Session;
use super::wire::{Header, Snapshot, ranges};
use crate::app::App;
use crate::app::instances::copy::Source;
use crate::app::instances::{backup_file, shift};

/// Refuses to take the memory of a running container along.
///
/// # Errors
/// In LXD's words where CRIU is missing; else that it is not used.
pub fn must_not_be_live(live: bool, which: &str) -> Result<()> {
    if !live {
        return Ok(());
    }
    let words = match Command::new("criu", "criu").find() {
        None => format!("CRIU isn't installed on the {which} server"),
        Some(_) => "It is not there yet; --stateless leaves the memory behind".to_string(),
    };
    Err(Error::internal(format!("Unable to perform container live migration. {words}")))
}

/// Sends the instance or snapshot in `session`.
///
/// # Errors
/// When it cannot be read, or what the target says; it is as before in any case.
pub fn send(app: &Arc<App>, source: &Source, mut session: Session) -> Result<()> {
    let outcome = converse(app, source, &mut session);
    session.end_quietly(outcome)
}

fn converse(app: &Arc<App>, source: &Source, session: &mut Session) -> Result<()> {
    let claim = source.claim(app)?;
    let (pool, volume) = source.volume(app)?;
    let agreed = outgoing::agree(session, &pool, offer(app, source)?)?;
    let name = source.instance.name.clone();
    for snapshot in &agreed.snapshots {
        let piece = (&pool, &volume.snapshot(snapshot));
        agreed.send(session, piece, &format!("{name}/{snapshot}"), false, || ())?;
    }
    let still = source.hold(app, &pool)?;
    let passing = pool.needs_passing_snapshot(&volume);
    let mut held = Some((still, claim));
    let name = source.snapshot.as_ref().map_or(name.clone(), |snapshot| format!("{name}/{}", snapshot.name));
    let sent = agreed.send(session, (&pool, &volume), &name, source.allow_inconsistent, || {
        if passing {
            // What is sent is a snapshot that nobody else knows: the instance may go on, and be stopped.
            held = None;
        }
    });
    drop(held);
    sent?;
    session.receive_end()
}

/// What the target hears of it.
fn offer(app: &App, source: &Source) -> Result<Offer> {
    let mut index = backup_file::describe(app, &source.instance)?;
    let along = |name: &str| source.along.iter().any(|snapshot| snapshot.name == name);
    index.snapshots.retain(|snapshot| along(&snapshot.name));
    index.volume_snapshots.retain(|snapshot| along(&snapshot.name));
    let mut instance = source.instance.clone();
    if let Some(snapshot) = &source.snapshot {
        instance.config.clone_from(&snapshot.config);
        let (description, config) = app.view(|view| source.volume_row(view))?;
        if let Some(volume) = &mut index.volume {
            (volume.description, volume.config) = (description, config);
        }
        if let Some(shown) = &mut index.container {
            shown.config.clone_from(&snapshot.config);
            shown.devices.clone_from(&snapshot.devices);
        }
    }
    let snapshots: Vec<Snapshot> = index.snapshots.iter().map(Snapshot::from).collect();
    let header = Header {
        // A container that runs stands still, or a snapshot of it is sent: once is enough.
        criu: None,
        idmap: ranges(&shift::on_disk(&instance)?),
        snapshot_names: snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        snapshots,
        ..Header::default()
    };
    Ok(Offer { header, index })
}
