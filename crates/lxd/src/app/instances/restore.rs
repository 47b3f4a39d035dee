//! Making an instance again what a snapshot is: configuration and files together.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_archive::watch::Watch;
use corten_db::error::Abort;
use corten_db::table::{instances, snapshots, storage_volumes, volume_snapshots};
use corten_db::{Tx, View};
use corten_host::undo::Undo;
use corten_instance::instance::{Config, Devices, Instance};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::{pass, step};
use corten_instance::volatile;
use serde_json::Value;

use super::claims::{Claim, Key, Taken};
use super::intent::{self, Intent};
use super::stop::{Way, end};
use super::{Instances, backup_file, devices, observe, root, snapshots as taken, start, tell};
use crate::app::App;
use crate::app::networks::hosts;

/// Restores the instance of this key from its snapshot `name`; one that runs is stopped and started again.
///
/// # Errors
/// When there is no such snapshot, something else is being done, or what went wrong; the instance is as it was then, but
/// stopped when it cannot be started again.
pub fn restore(
    app: &Arc<App>,
    key: &Key,
    name: &str,
    stateful: bool,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let instance = Instances::find(app, &key.0, &key.1)?;
    if taken::find(app, &instance, name).is_err() {
        return Err(Error::internal(format!("Snapshot {}/{name} does not exist", key.1)));
    }
    if stateful {
        return Err(Error::invalid("Stateful snapshot restore requested by snapshot is stateless"));
    }
    let claim = app.instances.claims.take(key, Action::Restore, || observe(app, key));
    let claim = claim.map_err(|error| error.context("Failed to create instance restore operation"))?;
    let Taken::Go(claim) = claim else { return Ok(()) };
    let outcome = turn(app, key, name, requestor, &claim);
    claim.end(outcome)
}

fn turn(
    app: &Arc<App>,
    key: &Key,
    name: &str,
    requestor: Option<&EventLifecycleRequestor>,
    claim: &Claim,
) -> Result<()> {
    let instance = Instances::find(app, &key.0, &key.1)?;
    let was_running = app.instances.running.get(key).is_some();
    if was_running {
        end(app, &instance, Way::Force)?;
        tell(app, &instance, "instance-stopped", requestor);
    }
    let done = Instances::find(app, &key.0, &key.1).and_then(|instance| make(app, &instance, name));
    if was_running {
        // Also when it could not be restored: it was not asked to stop.
        let started = Instances::find(app, &key.0, &key.1).and_then(|instance| start::run(app, &instance, claim));
        done?;
        started?;
        tell(app, &instance, "instance-started", requestor);
    } else {
        done?;
    }
    let source = corten_api::url::path_in(&key.0, ["instances", &key.1]);
    let context = [("snapshot", Value::from(format!("{}/{name}", key.1)))];
    app.lifecycle_with(&key.0, "instance-restored", &source, requestor.cloned(), context);
    Ok(())
}

/// What an instance and its volume are remembered as.
#[derive(Clone)]
struct Remembered {
    config: Config,
    devices: Devices,
    volume: Option<(i64, String, Config)>,
}

/// Makes a stopped instance what its snapshot `name` is; done again after a kill, it ends what was begun.
///
/// # Errors
/// See [`restore`].
pub(super) fn make(app: &Arc<App>, instance: &Instance, name: &str) -> Result<()> {
    let snapshot = taken::find(app, instance, name)?;
    let (pool, volume) = root::volume(app, instance)?;
    let (before, after) = app.view(|view| Ok((now(view, instance)?, then(view, instance, &snapshot)?)))?;
    let (key, mut undo) = (super::key(instance), Undo::default());
    intent::note(app, &key, &Intent::Restore(name.to_string()), &mut undo)?;
    step(
        &mut undo,
        "remember the snapshot's configuration",
        || app.write(|tx| write(tx, instance.id, &after)),
        |()| {
            let (app, id) = (app.clone(), instance.id);
            move || app.take_away(|tx| write(tx, id, &before))
        },
    )?;
    pass("restore the volume")?;
    let _bar = app.instances.visits.bar(&super::key(instance));
    pool.restore_volume(&volume, name, &Watch::default())?;
    undo.keep();
    // The snapshot may have had other interfaces; after a kill, networks learn of them when they come up.
    match Instances::find(app, &key.0, &key.1) {
        Ok(now) => hosts::follow(app, instance, &now),
        Err(error) => tracing::warn!(instance = instance.name, %error, "Failed to tell networks of what was restored"),
    }
    intent::done(app, &key)?;
    backup_file::refresh(app, &key);
    Ok(())
}

/// What is remembered now.
fn now(view: &View<'_>, instance: &Instance) -> Result<Remembered, Abort> {
    let volume = storage_volumes::of_instance(view, &instance.project, &instance.name)?;
    Ok(Remembered {
        config: instance.config.clone(),
        devices: instance.devices.clone(),
        volume: volume.map(|volume| (volume.id, volume.description, volume.config)),
    })
}

/// What was remembered when the snapshot was taken.
fn then(view: &View<'_>, instance: &Instance, snapshot: &snapshots::Snapshot) -> Result<Remembered, Abort> {
    let volume = storage_volumes::of_instance(view, &instance.project, &instance.name)?;
    let copy = match &volume {
        Some(volume) => volume_snapshots::get(view, volume.id, &snapshot.name)?,
        None => None,
    };
    let volume = volume.zip(copy).map(|(volume, copy)| (volume.id, copy.description, copy.config));
    Ok(Remembered { config: restored(&instance.config, &snapshot.config), devices: snapshot.devices.clone(), volume })
}

/// Keys that are the instance's own, whatever it is restored to: its identity, and which ids it may use.
const KEPT: [&str; 5] =
    [volatile::UUID, volatile::POWER, volatile::IDMAP_BASE, volatile::IDMAP_CURRENT, volatile::IDMAP_NEXT];

/// The configuration after a restore: the snapshot's, but for what is the instance's own and what only a running
/// one has.
fn restored(now: &Config, then: &Config) -> Config {
    let keep = |key: &str| KEPT.contains(&key);
    let mut config: Config =
        then.iter().filter(|(key, _)| !keep(key) && !devices::is_of_running(key)).map(own).collect();
    config.extend(now.iter().filter(|(key, _)| keep(key)).map(own));
    config
}

fn own((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn write(tx: &mut Tx<'_>, id: i64, remembered: &Remembered) -> Result<(), Abort> {
    instances::set_config_and_devices(tx, id, &remembered.config, &remembered.devices)?;
    if let Some((volume, description, config)) = &remembered.volume {
        storage_volumes::update(tx, *volume, description, config)?;
    }
    Ok(())
}
