//! A change of what runs is noted while it is made: should the daemon be killed, the next one brings the container to what
//! is remembered of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use corten_api::error::Result;
use corten_host::undo::Undo;
use corten_instance::aspect::{Aspect, of_key};
use corten_instance::instance::{Config, Devices, Instance, is_root_disk};
use serde::{Deserialize, Serialize};

use super::claims::Key;
use super::intent::{self, Intent};
use super::running::Entry;
use super::{apply, devices, ended, limits, recover};
use crate::app::networks::hosts;
use crate::app::{App, apparmor, devlxd};

/// What is changed of a container that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Keys that act at once.
    pub keys: BTreeSet<String>,
    /// Devices that change, as they were.
    pub old: Devices,
    /// Devices that change, as they are to be.
    pub new: Devices,
    /// The links on the host that their NICs get, by device.
    pub links: Config,
    /// A profile changed: what is remembered of the instance does not tell how far it came.
    pub by_profile: bool,
}

/// Writes down what is to change of an instance that runs, and gives its new NICs the names of their links. Gives what is
/// noted, if anything changes that acts at once.
///
/// # Errors
/// When it cannot be written.
pub fn note(
    app: &App,
    old: &Instance,
    new: &mut Instance,
    by_profile: bool,
    undo: &mut Undo,
) -> Result<Option<Change>> {
    let key = super::key(old);
    if app.instances.running.get(&key).is_none() {
        return Ok(None);
    }
    let keys = apply::live_keys(old, new);
    let diff = apply::changed_devices(old, new);
    let touched: BTreeSet<String> =
        [&diff.removed, &diff.added, &diff.updated].into_iter().flatten().cloned().collect();
    if keys.is_empty() && touched.is_empty() {
        return Ok(None);
    }
    let added: BTreeSet<String> = diff.added.iter().cloned().collect();
    let mut links = devices::name_links(app, new, &added)?;
    // What is taken out comes back under its name.
    for name in diff.removed.iter().filter(|name| !added.contains(*name)) {
        let link = old.volatile(&format!("volatile.{name}.host_name"));
        if !link.is_empty() {
            links.insert(name.clone(), link.to_string());
        }
    }
    let of = |instance: &Instance| -> Devices {
        let all = instance.expanded_devices.iter().filter(|(name, _)| touched.contains(*name));
        all.map(|(name, options)| (name.clone(), options.clone())).collect()
    };
    let change = Change { keys, old: of(old), new: of(new), links, by_profile };
    intent::note(app, &key, &Intent::Update(Box::new(change.clone())), undo)?;
    Ok(Some(change))
}

/// Brings an instance that runs from `old` to what it is now, of which nobody knows how far it is.
///
/// # Errors
/// What could not be done; there is a note of it then.
pub fn follow(app: &Arc<App>, old: &Instance, now: &Instance) -> Result<()> {
    let mut undo = Undo::default();
    let noted = note(app, old, &mut now.clone(), true, &mut undo)?;
    undo.keep();
    let Some(change) = noted else { return Ok(()) };
    let key = super::key(now);
    one(app, &key, &change)?;
    intent::done(app, &key)
}

/// Brings the instances that were being changed when the last daemon ended to what is remembered of them. What runs is
/// known, and the networks are there.
///
/// # Errors
/// When the notes cannot be read; what cannot be dealt with is logged, and its note stays for the next time.
pub fn settle(app: &Arc<App>) -> Result<()> {
    for (key, intent) in intent::found(app)? {
        let Intent::Update(change) = &intent else { continue };
        tracing::info!(project = key.0, instance = key.1, ?change, "The last daemon did not end a change");
        if let Err(error) = one(app, &key, change).and_then(|()| intent::done(app, &key)) {
            tracing::error!(project = key.0, instance = key.1, %error, "Failed to bring an instance to what it is to be");
        }
    }
    Ok(())
}

fn one(app: &Arc<App>, key: &Key, change: &Change) -> Result<()> {
    let Some(now) = recover::find(app, key)? else { return Ok(()) };
    let entry = app.instances.running.get(key);
    if let Some(entry) = &entry {
        keys(app, &now, entry, change)?;
    }
    // The row is written last: when it says so, all of it was done.
    if change.is_whole(&now) {
        return Ok(());
    }
    let diff = apply::difference(&change.old, &change.new);
    for name in &diff.updated {
        if let (Some(_), Some(here), Some(there)) = (&entry, now.expanded_devices.get(name), change.other(&now, name)) {
            devices::update(app, &now, name, there, here)?;
        }
    }
    let moved: BTreeSet<&String> = diff.removed.iter().chain(&diff.added).collect();
    for name in moved {
        again(app, &now, entry.as_deref(), change, name)?;
    }
    let mut begun = now.clone();
    begun.expanded_devices.extend(change.new.clone());
    hosts::follow(app, &begun, &now);
    Ok(())
}

/// Limits and the like are set again: twice is as good as once.
fn keys(app: &Arc<App>, now: &Instance, entry: &Entry, change: &Change) -> Result<()> {
    let aspects: BTreeSet<Aspect> = change.keys.iter().filter_map(|key| of_key(key)).collect();
    for aspect in aspects {
        limits::apply(app, now, aspect)?;
    }
    if change.keys.contains("raw.apparmor") {
        let mut other = now.clone();
        other.expanded_config.insert("raw.apparmor".to_string(), format!("{}\n", now.get("raw.apparmor")));
        apparmor::change(app, &other, now, true)?;
    }
    if change.keys.contains("security.devlxd") {
        devlxd::show(app, entry, false)?;
        if devlxd::is_on(now) {
            devlxd::show(app, entry, true)?;
        }
    }
    if change.keys.iter().any(|key| key.starts_with(apply::MOUNTS)) {
        apply::intercept_mounts(now, entry)?;
    }
    Ok(())
}

/// Takes out whatever there may be of a device, and puts in what the instance is to have of this name.
fn again(app: &Arc<App>, now: &Instance, entry: Option<&Entry>, change: &Change, name: &str) -> Result<()> {
    let (old, new) = (change.old.get(name), change.new.get(name));
    if [old, new].into_iter().flatten().any(is_root_disk) {
        return Ok(());
    }
    let mut begun = now.clone();
    devices::with_links(&mut begun, &change.links);
    // A NIC may have been made under one name or the other.
    let is_nic = |options: &&Config| options.get("type").is_some_and(|kind| kind == "nic");
    for (instance, options) in [(&begun, new.filter(is_nic)), (now, new), (now, old.filter(|old| Some(*old) != new))] {
        if let Some(options) = options
            && (entry.is_some() || now.expanded_devices.get(name) != Some(options))
        {
            // Volumes are counted as those of what is remembered.
            let counted = entry.is_some() && now.expanded_devices.get(name) == Some(options);
            devices::take_remains(app, instance, entry, (name, options), counted)?;
        }
    }
    let mut keys: Config = devices::forgotten_of(now, name);
    if let (Some(entry), Some(options)) = (entry, now.expanded_devices.get(name)) {
        // Under the name of which the note tells, should this daemon be killed as well.
        let mut fresh = now.clone();
        let links = change.links.get_key_value(name).map(|(name, link)| (name.clone(), link.clone()));
        devices::with_links(&mut fresh, &links.into_iter().collect());
        keys.extend(devices::plug(app, &fresh, entry, name, options)?);
    }
    ended::take_back_keys(app, now, &keys)
}

impl Change {
    /// Whether the instance is remembered as it was to be.
    fn is_whole(&self, now: &Instance) -> bool {
        !self.by_profile
            && self.old.keys().chain(self.new.keys()).all(|name| now.expanded_devices.get(name) == self.new.get(name))
    }

    /// What a device is where it is not what the instance has.
    fn other<'a>(&'a self, now: &Instance, name: &str) -> Option<&'a Config> {
        let here = now.expanded_devices.get(name);
        [self.new.get(name), self.old.get(name)].into_iter().flatten().find(|options| Some(*options) != here)
    }
}
