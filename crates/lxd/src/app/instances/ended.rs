//! After a container's end, however it came about: devices, root, memory of it; then it goes, or starts again.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_db::table::instances;
use corten_instance::instance::{Config, Instance};
use corten_instance::volatile;
use corten_runtime::Exit;

use super::running::Entry;
use super::{Instances, delete, devices, limits, root, start, tell};
use crate::app::{App, apparmor};

/// Listens for ends until the daemon ends; each is handled on a thread of its own.
pub fn listen(app: &Arc<App>) -> Error {
    app.instances.running.listen(|entry| {
        let (app, name) = (app.clone(), format!("ended {}", entry.key.1));
        let work = move || handle(&app, &entry);
        if let Err(error) = std::thread::Builder::new().name(name.chars().take(15).collect()).spawn(work) {
            tracing::error!(%error, "Failed to start a thread for an instance that ended");
        }
    })
}

/// Cleans up after a container, and wakes whoever waits for that.
fn handle(app: &Arc<App>, entry: &Arc<Entry>) {
    // A stop or restart that is under way holds the claim and waits for us; anything else has to end first.
    let claim = app.instances.claims.take_for_clean_up(&entry.key);
    let rebooted = matches!(entry.exit(), Ok(Exit::Rebooted)) && entry.asked_to_stop.get().is_none();
    if let Err(corten_runtime::Error::Gone) = entry.exit() {
        tracing::warn!(instance = entry.key.1, "The monitor of the instance died; cleaning up after it");
        if let Err(error) = corten_runtime::handle::cleanup_dead(entry.container.run_dir()) {
            tracing::error!(instance = entry.key.1, %error, "Failed to clean up after a monitor");
        }
    }
    app.instances.running.remove(entry);
    let outcome = Instances::find(app, &entry.key.0, &entry.key.1).and_then(|instance| {
        clean_up(app, &instance)?;
        Ok(instance)
    });
    if let Err(error) = &outcome {
        tracing::error!(instance = entry.key.1, %error, "Failed to clean up after an instance");
    }
    entry.set_ended(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
    let (Some(claim), Ok(instance)) = (claim, outcome) else { return };
    if let Err(error) = go_on(app, instance, rebooted, &claim) {
        tracing::error!(instance = entry.key.1, %error, "Failed to go on after an instance ended by itself");
    }
}

/// What follows when it ended by itself.
fn go_on(app: &Arc<App>, instance: Instance, rebooted: bool, claim: &super::claims::Claim) -> Result<()> {
    if rebooted {
        let instance = Instances::find(app, &instance.project, &instance.name)?;
        start::run(app, &instance, claim)?;
        tell(app, &instance, "instance-restarted", None);
        return Ok(());
    }
    tell(app, &instance, "instance-shutdown", None);
    if instance.ephemeral { delete::remove(app, &instance, None) } else { Ok(()) }
}

/// Undoes on the host what a start has made, and remembers that it stopped.
///
/// # Errors
/// When it cannot be remembered; devices that cannot be stopped are logged.
pub fn clean_up(app: &App, instance: &Instance) -> Result<()> {
    for error in devices::stop_all(app, instance) {
        tracing::warn!(instance = instance.name, %error, "Cleaning up");
    }
    apparmor::unload(app, instance);
    root::release(app, instance)?;
    let mut changes: Config = devices::forgotten(instance);
    changes.insert(volatile::POWER.to_string(), "STOPPED".to_string());
    take_back_keys(app, instance, &changes)?;
    if !instance.get("limits.cpu").is_empty() {
        limits::rebalance(app)?;
    }
    Ok(())
}

/// Writes keys of an instance in one decision; an empty value removes its key.
///
/// # Errors
/// Those of the database.
pub fn set_keys(app: &App, instance: &Instance, changes: &Config) -> Result<()> {
    let keys = as_rows(changes);
    app.write(|tx| Ok(instances::set_keys(tx, instance.id, &keys)?))
}

/// As [`set_keys`], through the door of what takes away or takes back.
///
/// # Errors
/// Those of the database.
pub fn take_back_keys(app: &App, instance: &Instance, changes: &Config) -> Result<()> {
    let keys = as_rows(changes);
    app.take_away(|tx| Ok(instances::set_keys(tx, instance.id, &keys)?))
}

/// Changed keys as the database takes them: an empty value is no value.
pub fn as_rows(changes: &Config) -> Vec<(&str, Option<&str>)> {
    changes.iter().map(|(key, value)| (key.as_str(), (!value.is_empty()).then_some(value.as_str()))).collect()
}
