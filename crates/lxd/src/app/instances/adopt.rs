//! Taking up running containers after a start of the daemon, and starting those that are to run.

use std::sync::Arc;
use std::time::Duration;

use corten_api::error::Result;
use corten_host::idmap::IdMap;
use corten_instance::instance::{Instance, is_false};
use corten_instance::volatile;
use corten_runtime::Container;

use super::{Instances, ended, key, root, start, stop};
use crate::app::storage::attach;
use crate::app::{App, apparmor, warnings};

/// Finds the containers that run on since the last daemon, and cleans up after those that ended meanwhile.
///
/// # Errors
/// When the instances cannot be read; what fails for one of them is logged.
pub fn adopt(app: &Arc<App>) -> Result<()> {
    let all = Instances::all(app, None)?;
    // Each monitor answers for itself, so that asking them side by side takes as long as the slowest.
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(8).max(1)) {
            scope.spawn(move || {
                for instance in part {
                    if let Err(error) = adopt_one(app, instance) {
                        tracing::error!(instance = instance.name, %error, "Failed to take up an instance");
                    }
                }
            });
        }
    });
    Ok(())
}

/// Finds out whether an instance runs, and holds it then.
///
/// # Errors
/// When its monitor does not answer.
pub fn adopt_one(app: &Arc<App>, instance: &Instance) -> Result<()> {
    let run_dir = start::run_dir(app, instance);
    if !run_dir.exists() {
        return forget_power(app, instance);
    }
    let found =
        Container::find(&run_dir).map_err(|error| super::running::failed("Failed to ask the monitor", &error))?;
    let Some(container) = found else {
        corten_runtime::handle::cleanup_dead(&run_dir)
            .map_err(|error| super::running::failed("Failed to clean up after the monitor", &error))?;
        return forget_power(app, instance);
    };
    let map = IdMap::from_json(match instance.volatile(volatile::IDMAP_CURRENT) {
        "" => "[]",
        text => text,
    });
    let (pool, volume) = root::volume(app, instance)?;
    pool.root(&volume)?;
    if let Err(error) = attach::take_up(app, instance) {
        tracing::error!(instance = instance.name, %error, "Failed to take up the volumes of an instance");
    }
    let cpus = super::limits::wish(instance)?;
    app.instances.running.add(key(instance), container, map.unwrap_or_default(), cpus).map(drop)
}

/// An instance that was running by the last word of the database is not: its devices are cleaned up after.
fn forget_power(app: &Arc<App>, instance: &Instance) -> Result<()> {
    if instance.volatile("volatile.last_state.power") != "RUNNING" {
        return Ok(());
    }
    for error in super::devices::stop_all(app, instance) {
        tracing::warn!(instance = instance.name, %error, "Cleaning up");
    }
    apparmor::unload(app, instance);
    ended::take_back_keys(app, instance, &super::devices::forgotten(instance))
}

/// Starts what is to run: `boot.autostart` decides, else whether it ran when the host or the daemon went down.
/// Higher priorities go first; each may ask for a pause after it.
pub fn autostart(app: &Arc<App>) {
    let mut all = match Instances::all(app, None) {
        Ok(all) => all,
        Err(error) => {
            tracing::error!(%error, "Failed to read the instances to start");
            return;
        }
    };
    all.retain(|instance| is_to_start(instance) && app.instances.running.get(&key(instance)).is_none());
    let number = |instance: &Instance, key: &str| instance.get(key).parse::<u64>().unwrap_or(0);
    all.sort_by_key(|instance| (std::cmp::Reverse(number(instance, "boot.autostart.priority")), instance.name.clone()));
    for instance in &all {
        match start::start(app, &key(instance), None) {
            Ok(()) => std::thread::sleep(Duration::from_secs(number(instance, "boot.autostart.delay"))),
            Err(error) => {
                tracing::error!(instance = instance.name, %error, "Failed to start an instance");
                let entity = Some((warnings::INSTANCE, instance.id));
                app.warn(warnings::Kind::AutostartFailure, Some(&instance.project), entity, &error.message);
            }
        }
    }
}

fn is_to_start(instance: &Instance) -> bool {
    let ran = instance.volatile("volatile.last_state.power") == "RUNNING";
    match instance.get("boot.autostart") {
        "" => ran,
        asked => !is_false(asked),
    }
}

/// Stops everything in order of `boot.stop.priority`, each group within the time its instances are given, and
/// remembers what ran, so that it is started again.
pub fn stop_all(app: &Arc<App>) {
    let all = Instances::all(app, None).unwrap_or_default();
    let running = all.into_iter().filter(|instance| app.instances.running.get(&key(instance)).is_some());
    let mut running: Vec<Instance> = running.collect();
    let priority = |instance: &Instance| instance.get("boot.stop.priority").parse::<u64>().unwrap_or(0);
    running.sort_by_key(|instance| std::cmp::Reverse(priority(instance)));
    for group in running.chunk_by(|a, b| priority(a) == priority(b)) {
        std::thread::scope(|scope| {
            for instance in group {
                scope.spawn(move || stop_one(app, instance));
            }
        });
    }
}

fn stop_one(app: &Arc<App>, instance: &Instance) {
    let seconds = instance.get("boot.host_shutdown_timeout").parse().unwrap_or(30);
    let asked = stop::Way::Ask(Some(Duration::from_secs(seconds)));
    if stop::stop(app, &key(instance), asked, None).is_err()
        && let Err(error) = stop::stop(app, &key(instance), stop::Way::Force, None)
    {
        tracing::error!(instance = instance.name, %error, "Failed to stop an instance");
    }
    let keys = [(volatile::POWER.to_string(), "RUNNING".to_string())].into_iter().collect();
    if let Err(error) = ended::take_back_keys(app, instance, &keys) {
        tracing::error!(instance = instance.name, %error, "Failed to remember that an instance ran");
    }
}
