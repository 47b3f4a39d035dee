//! Bringing what runs to a changed configuration: step by step, each with its way back, so that a change that fails half
//! way leaves what was there before.

use std::collections::BTreeSet;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_host::undo::Undo;
use corten_instance::aspect::{Aspect, of_key};
use corten_instance::container::seccomp;
use corten_instance::device::diff::{Diff, diff};
use corten_instance::device::registry::device;
use corten_instance::instance::{Config, Devices, Instance, is_root_disk};
use corten_instance::step::step;

use super::running::Entry;
use super::{devices, ended, limits, start};
use crate::app::{App, apparmor, devlxd};

/// Keys that a running container cannot take over: they shape its namespaces.
const AT_START: [&str; 3] = ["security.privileged", "security.nesting", "raw.lxc"];

/// A change of an instance, for its steps.
#[derive(Clone)]
struct Change {
    app: Arc<App>,
    /// As it is.
    old: Arc<Instance>,
    /// As it is to be.
    new: Arc<Instance>,
    entry: Arc<Entry>,
}

/// Brings what runs from `old` to `new`; what was done is in `undo`, for when it cannot be remembered.
///
/// # Errors
/// What cannot be brought about.
pub fn apply(app: &Arc<App>, old: &Instance, new: &Instance, undo: &mut Undo) -> Result<()> {
    let running = app.instances.running.get(&super::key(old));
    confine(app, old, new, running.is_some(), undo)?;
    let Some(entry) = running else { return Ok(()) };
    let changed = changed_keys(&old.expanded_config, &new.expanded_config);
    if let Some(key) = changed.iter().find(|key| AT_START.contains(&key.as_str())) {
        // LXD takes these while running, and they act at the next start.
        tracing::debug!(key, "The key acts at the next start");
    }
    if changed.iter().any(|key| key == "linux.kernel_modules") {
        start::load_modules(new)?;
    }
    let change = Change { app: app.clone(), old: Arc::new(old.clone()), new: Arc::new(new.clone()), entry };
    let aspects: BTreeSet<Aspect> = changed.iter().filter_map(|key| of_key(key)).collect();
    // Who gets which processor is decided over all instances once this one is remembered.
    for aspect in aspects.into_iter().filter(|aspect| *aspect != Aspect::CpuSet) {
        change.limit(aspect, undo)?;
    }
    change.show_devlxd(undo)?;
    if changed.iter().any(|key| key.starts_with(MOUNTS)) {
        change.intercept_mounts(undo)?;
    }
    let diff = changed_devices(old, new);
    // The root stays what it is, under whatever name it is listed: another pool was refused before.
    let is_root = |devices: &Devices, name: &str| devices.get(name).is_some_and(is_root_disk);
    let mut removed = diff.removed.iter().filter(|name| !is_root(&old.expanded_devices, name));
    removed.try_for_each(|name| change.unplug(name, undo))?;
    let mut added = diff.added.iter().filter(|name| !is_root(&new.expanded_devices, name));
    added.try_for_each(|name| change.plug(name, undo))?;
    diff.updated.iter().try_for_each(|name| change.update(name, undo))
}

/// What becomes of the devices between the two.
pub fn changed_devices(old: &Instance, new: &Instance) -> Diff {
    difference(&old.expanded_devices, &new.expanded_devices)
}

/// What becomes of devices.
pub fn difference(old: &Devices, new: &Devices) -> Diff {
    let live = |options: &Config| device(options).map_or(&[] as &[&str], |kind| kind.live_options(options));
    diff(old, new, live)
}

/// Keys whose change means something to what runs.
pub fn live_keys(old: &Instance, new: &Instance) -> BTreeSet<String> {
    let mut keys = changed_keys(&old.expanded_config, &new.expanded_config);
    keys.retain(|key| {
        of_key(key).is_some() || matches!(key.as_str(), "raw.apparmor" | "security.devlxd") || key.starts_with(MOUNTS)
    });
    keys
}

/// The beginning of the keys about mounts that are made for a container's root.
pub const MOUNTS: &str = "security.syscalls.intercept.mount";

/// Tells the monitor which mounts are made for the container's root.
///
/// # Errors
/// When it cannot be told.
pub fn intercept_mounts(instance: &Instance, entry: &Entry) -> Result<()> {
    let told = entry.container.intercept_mounts(seccomp::mounts(instance));
    told.map_err(|error| Error::internal(format!("Failed to change the mounts made for the instance: {error}")))
}

fn changed_keys(old: &Config, new: &Config) -> BTreeSet<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}

fn confine(app: &Arc<App>, old: &Instance, new: &Instance, runs: bool, undo: &mut Undo) -> Result<()> {
    step(
        undo,
        "change the AppArmor profile",
        || apparmor::change(app, old, new, runs),
        |()| {
            let (app, old, new) = (app.clone(), old.clone(), new.clone());
            move || apparmor::change(&app, &new, &old, runs)
        },
    )
}

/// Tells of a way back that was none.
fn log(instance: &Instance, device: &str, back: Result<()>) {
    if let Err(error) = back {
        tracing::error!(instance = instance.name, device, %error, "Failed to take back a change of a device");
    }
}

impl Change {
    fn limit(&self, aspect: Aspect, undo: &mut Undo) -> Result<()> {
        step(
            undo,
            "change a limit",
            || limits::apply(&self.app, &self.new, aspect),
            |()| {
                let change = self.clone();
                move || limits::apply(&change.app, &change.old, aspect)
            },
        )
    }

    /// Lets the container see `/dev/lxd`, or no longer, when that has changed.
    fn show_devlxd(&self, undo: &mut Undo) -> Result<()> {
        let (before, after) = (devlxd::is_on(&self.old), devlxd::is_on(&self.new));
        if before == after {
            return Ok(());
        }
        step(
            undo,
            "show or hide /dev/lxd",
            || devlxd::show(&self.app, &self.entry, after),
            |()| {
                let change = self.clone();
                move || devlxd::show(&change.app, &change.entry, before)
            },
        )
    }

    fn intercept_mounts(&self, undo: &mut Undo) -> Result<()> {
        step(
            undo,
            "change the mounts made for it",
            || intercept_mounts(&self.new, &self.entry),
            |()| {
                let change = self.clone();
                move || intercept_mounts(&change.old, &change.entry)
            },
        )
    }

    /// Takes a device that `instance` has out of the container, and forgets what it had.
    fn take_out(&self, instance: &Instance, name: &str) -> Result<()> {
        let Some(options) = instance.expanded_devices.get(name) else { return Ok(()) };
        let forgotten = devices::unplug(&self.app, instance, &self.entry, name, options)?;
        ended::take_back_keys(&self.app, instance, &forgotten).inspect_err(|_| {
            // What cannot be remembered has not been done.
            let back = devices::plug(&self.app, instance, &self.entry, name, options);
            log(instance, name, back.map(drop));
        })
    }

    /// Puts a device of `instance` into the container, and remembers what it has by `remember`.
    fn put_in(
        &self,
        instance: &Instance,
        name: &str,
        remember: fn(&App, &Instance, &Config) -> Result<()>,
    ) -> Result<()> {
        let Some(options) = instance.expanded_devices.get(name) else { return Ok(()) };
        let keys = devices::plug(&self.app, instance, &self.entry, name, options)?;
        remember(&self.app, instance, &keys).inspect_err(|_| {
            let mut begun = instance.clone();
            begun.config.extend(keys.clone());
            begun.expanded_config.extend(keys.clone());
            let back = devices::unplug(&self.app, &begun, &self.entry, name, options);
            log(instance, name, back.map(drop));
        })
    }

    fn unplug(&self, name: &str, undo: &mut Undo) -> Result<()> {
        step(
            undo,
            "take a device out",
            || self.take_out(&self.old, name),
            |()| {
                let (change, name) = (self.clone(), name.to_string());
                move || change.put_in(&change.old, &name, ended::take_back_keys)
            },
        )
    }

    fn plug(&self, name: &str, undo: &mut Undo) -> Result<()> {
        step(
            undo,
            "put a device in",
            || self.put_in(&self.new, name, ended::set_keys),
            |()| {
                let (change, name) = (self.clone(), name.to_string());
                move || change.take_out(&change.as_remembered()?, &name)
            },
        )
    }

    /// The instance as it was to be, with what its devices were given since.
    fn as_remembered(&self) -> Result<Instance> {
        let now = super::Instances::find(&self.app, &self.old.project, &self.old.name)?;
        let mut instance = Instance::clone(&self.new);
        for config in [&mut instance.config, &mut instance.expanded_config] {
            config.extend(now.config.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(instance)
    }

    fn update(&self, name: &str, undo: &mut Undo) -> Result<()> {
        let options = |instance: &Instance| instance.expanded_devices.get(name).cloned();
        let (Some(before), Some(after)) = (options(&self.old), options(&self.new)) else { return Ok(()) };
        step(
            undo,
            "change a device",
            || devices::update(&self.app, &self.new, name, &before, &after),
            |()| {
                let (change, name, before, after) = (self.clone(), name.to_string(), before.clone(), after.clone());
                move || devices::update(&change.app, &change.old, &name, &after, &before)
            },
        )
    }
}
