//! Taking a snapshot: rows, then the volume's copy while the instance stands still, then what tells of it.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::time::Time;
use corten_archive::watch::Watch;
use corten_config::name;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::{snapshots, storage_volumes, volume_snapshots};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::{Action, Observed};
use corten_instance::step::{pass, step};

use super::super::claims::{Key, Taken};
use super::super::intent::{self, Intent};
use super::super::still::Still;
use super::super::{Instances, backup_file, key, links, observe, root};
use super::show_again;
use crate::app::App;

/// A snapshot that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its own name.
    pub name: String,
    /// When it is to go; `None` is never.
    pub expires: Option<Time>,
    /// Whether memory is wanted with it.
    pub stateful: bool,
}

/// Takes a snapshot of the instance of this key.
///
/// # Errors
/// When the name is bad or taken, or what went wrong; nothing is left then.
pub fn take(app: &Arc<App>, key: &Key, wanted: &Wanted, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Snapshot, || observe(app, key))? else {
        return Ok(());
    };
    let outcome =
        Instances::find(app, &key.0, &key.1).and_then(|instance| under_claim(app, &instance, wanted, requestor));
    claim.end(outcome)
}

/// Takes a snapshot under a claim that the caller has.
///
/// # Errors
/// See [`take`].
pub fn under_claim(
    app: &Arc<App>,
    instance: &Instance,
    wanted: &Wanted,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    if wanted.stateful {
        let why = match observe(app, &key(instance))? {
            Observed::Stopped => "The instance isn't running",
            Observed::Running | Observed::Frozen => "CRIU isn't installed",
        };
        return Err(Error::invalid(format!("Unable to create a stateful snapshot. {why}")));
    }
    make(app, instance, wanted)?;
    super::tell(app, instance, &wanted.name, "instance-snapshot-created", requestor);
    Ok(())
}

fn make(app: &Arc<App>, instance: &Instance, wanted: &Wanted) -> Result<()> {
    let recording = |error: Error| error.context(format!("Failed creating instance snapshot record {:?}", wanted.name));
    name::check_snapshot(&wanted.name).map_err(recording)?;
    must_be_new(app, instance, &wanted.name).map_err(recording)?;
    let (pool, volume) = root::volume(app, instance)?;
    let (key, mut undo) = (key(instance), Undo::default());
    let meant = match observe(app, &key)? {
        Observed::Frozen => Intent::SnapshotOfFrozen(wanted.name.clone()),
        Observed::Running | Observed::Stopped => Intent::Snapshot(wanted.name.clone()),
    };
    intent::note(app, &key, &meant, &mut undo)?;
    // Taken back last of all: then link and file say again what was before.
    let again = (app.clone(), key.clone());
    undo.push("show the instance as before", move || {
        show_again(&again.0, &again.1);
        Ok(())
    });
    let now = Time::now();
    step(
        &mut undo,
        "remember the snapshot",
        || app.write(|tx| insert(tx, instance, wanted, now)).map_err(recording),
        |ids| {
            let (app, (row, volume)) = (app.clone(), *ids);
            move || forget(&app, row, volume)
        },
    )?;
    let still = Still::for_copy(app, instance, &pool)?;
    pass("copy the volume")?;
    let copied = pool.snapshot_volume(&volume, &wanted.name, &Watch::default());
    drop(still);
    undo.absorb(copied.map_err(|error| Error::from(error).context("Create instance snapshot"))?);
    pass("link the snapshots")?;
    links::set(app, &instance.project, &instance.name, &pool)?;
    pass("describe the instance")?;
    backup_file::write(app, instance)?;
    undo.keep();
    intent::done(app, &key)
}

/// A name that is taken is found out before anything is written down: whoever reads the note after a kill removes the
/// snapshot.
fn must_be_new(app: &App, instance: &Instance, name: &str) -> Result<()> {
    match app.view(|view| Ok(snapshots::get(view, instance.id, name)?))? {
        Some(_) => Err(already_there()),
        None => Ok(()),
    }
}

fn already_there() -> Error {
    Error::conflict("Add snapshot info to the database: This \"instances_snapshots\" entry already exists")
}

/// Writes the rows of the snapshot and its volume; gives their numbers.
fn insert(tx: &mut Tx<'_>, instance: &Instance, wanted: &Wanted, now: Time) -> Result<(i64, i64), Abort> {
    if snapshots::get(tx, instance.id, &wanted.name)?.is_some() {
        return Err(already_there().into());
    }
    let volume = storage_volumes::of_instance(tx, &instance.project, &instance.name)?;
    let volume = volume.ok_or_else(|| Error::not_found("Storage volume not found"))?;
    let row = snapshots::Snapshot {
        id: 0,
        instance_id: instance.id,
        project: instance.project.clone(),
        instance: instance.name.clone(),
        name: wanted.name.clone(),
        created: now.timestamp(),
        stateful: false,
        description: String::new(),
        expires: wanted.expires.filter(|time| !time.is_never()).map(Time::timestamp),
        config: instance.config.clone(),
        devices: instance.devices.clone(),
    };
    let id = snapshots::insert(tx, &row)?;
    let copy = volume_snapshots::insert(tx, volume.id, &wanted.name, &volume.description, None, &volume.config)?;
    Ok((id, copy))
}

/// Removes the rows of a snapshot and its volume.
///
/// # Errors
/// The database's.
pub(super) fn forget(app: &App, row: i64, volume: i64) -> Result<()> {
    app.take_away(|tx| {
        snapshots::delete(tx, row)?;
        Ok(volume_snapshots::delete(tx, volume)?)
    })
}
