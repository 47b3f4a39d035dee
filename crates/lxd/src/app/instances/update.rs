//! Changing an instance: checked as a whole, applied to what runs, remembered in one decision.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance::InstancePut;
use corten_config::entity::Guest;
use corten_db::table::{architecture, instances};
use corten_host::undo::Undo;
use corten_instance::container::raw_lxc;
use corten_instance::device::nic;
use corten_instance::instance::{Config, Devices, Instance, only_root_disk};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::pass;
use corten_instance::{cloud_init, volatile};

use super::claims::{Key, Taken};
use super::find::{expand, profile_project, profiles_in_order};
use super::{Instances, apply, backup_file, devices, ids, intent, limits, observe, settle, tell, unprivileged};
use crate::app::App;
use crate::app::devlxd;
use crate::app::networks::hosts;
use crate::app::projects::allow;
use crate::app::storage::attach;

/// Checks keys and values of an instance's own configuration.
///
/// # Errors
/// 400 with the key and what is wrong with it.
pub fn check_config(config: &Config) -> Result<()> {
    corten_config::check(corten_config::Entity::Instance(Guest::Container), config)
        .and_then(|()| unprivileged::check(config))
        .map_err(|error| error.context("Invalid config"))
}

/// Checks names, types and options of devices.
///
/// # Errors
/// 400 with the device and what is wrong with it.
pub fn check_devices(app: &App, devices: &Devices) -> Result<()> {
    let network_type = |name: &str| crate::app::networks::kind(app, name);
    corten_config::device::check_all(devices, Some(Guest::Container), &network_type)
        .map_err(|error| error.context("Invalid devices"))
}

/// Replaces what a client may change of an instance.
///
/// # Errors
/// 400 for what is wrong, before anything changes. When the change cannot be applied to what runs, or not be remembered,
/// everything is as before.
pub fn update(app: &Arc<App>, key: &Key, put: &InstancePut, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Update, || observe(app, key))? else { return Ok(()) };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|old| {
        check_config(&put.config)?;
        check_devices(app, &put.devices)?;
        let new = planned(app, &old, &with_own_ids(&old, put))?;
        bring_about(app, &old, &new, false)?;
        backup_file::refresh(app, key);
        tell(app, &new, "instance-updated", requestor);
        Ok(())
    });
    claim.end(outcome)
}

/// Brings what runs from `old` to `new`, since the instance or one of its profiles is changed, and remembers that; or leaves
/// all as it is.
pub(super) fn bring_about(app: &Arc<App>, old: &Instance, new: &Instance, by_profile: bool) -> Result<()> {
    let (mut undo, mut new) = (Undo::default(), new.clone());
    let noted = settle::note(app, old, &mut new, by_profile, &mut undo)?;
    let new = &new;
    apply::apply(app, old, new, &mut undo)?;
    pass("remember the change")?;
    remember(app, new)?;
    undo.keep();
    if noted.is_some()
        && let Err(error) = intent::done(app, &super::key(old))
    {
        tracing::warn!(instance = old.name, %error, "A change is whole and still noted");
    }
    // It is remembered, and so no failure of the change if others' processors cannot be given out anew.
    if let Err(error) = limits::follow_cpus(app, new) {
        tracing::warn!(instance = old.name, %error, "Failed to give out the processors anew");
    }
    let diff = apply::changed_devices(old, new);
    // What is put in and what changes in place has told its network already.
    if app.instances.running.get(&super::key(old)).is_none() || !diff.removed.is_empty() {
        hosts::follow(app, old, new);
    }
    devlxd::tell(app, old, new, &diff);
    Ok(())
}

/// Refuses profiles that are not there, and what the limits and restrictions of the instance's project do not let a
/// client do.
///
/// # Errors
/// In LXD's words.
pub fn must_be_allowed(app: &App, old: &Instance, put: &InstancePut) -> Result<()> {
    let new = allow::member(&old.name, &put.profiles, &put.config, &put.devices);
    app.view(|view| {
        let holder = profile_project(view, &old.project)?;
        profiles_in_order(view, &holder, &put.profiles, |_| Error::not_found("Profile not found"))?;
        allow::volatile_keys(view, &old.project, &new, &old.config)?;
        allow::changed_instance(view, &old.project, &new)
    })
}

/// The instance as it is to be, expanded.
pub(super) fn planned(app: &App, old: &Instance, put: &InstancePut) -> Result<Instance> {
    let mut new = Instance {
        description: put.description.clone(),
        architecture: if put.architecture.is_empty() { old.architecture.clone() } else { put.architecture.clone() },
        ephemeral: put.ephemeral,
        config: put.config.clone(),
        devices: put.devices.clone(),
        profiles: put.profiles.clone(),
        ..old.clone()
    };
    if architecture::id(&new.architecture).is_none() {
        return Err(Error::invalid(format!("Architecture {:?} isn't supported", new.architecture)));
    }
    new.config.retain(|_, value| !value.is_empty());
    let (config, devices) = app.view(|view| {
        let holder = profile_project(view, &new.project)?;
        let profiles = profiles_in_order(view, &holder, &new.profiles, |_| Error::not_found("Profile not found"))?;
        Ok(expand(&new.config, &new.devices, profiles.iter()))
    })?;
    (new.expanded_config, new.expanded_devices) = (config, devices);
    new.expanded_config.retain(|_, value| !value.is_empty());
    if old.get("raw.lxc") != new.get("raw.lxc") {
        raw_lxc::check(new.get("raw.lxc"))?;
    }
    must_keep_ids(old, &new)?;
    must_keep_root(old, &new)?;
    attach::check(app, &new)?;
    let is_new = |name: &&String| old.expanded_devices.get(*name) != new.expanded_devices.get(*name);
    devices::validate(app, &new, new.expanded_devices.keys().filter(is_new))?;
    add_addresses(&mut new)?;
    if cloud_init::needs_new_id(old, &new) {
        let id = volatile::new_uuid()?;
        for config in [&mut new.config, &mut new.expanded_config] {
            config.insert(volatile::INSTANCE_ID.to_string(), id.clone());
        }
    }
    ids::follow(app, old, &mut new)?;
    Ok(new)
}

/// Keys without which the files of an instance would be of unknown owners.
const KEPT: [&str; 4] = [volatile::IDMAP_BASE, volatile::IDMAP_CURRENT, volatile::IDMAP_NEXT, volatile::IDMAP_ON_DISK];

/// The request, but for what the instance's files are shifted by: that is as it is, and a client that refreshes a copy says
/// how it is at the source.
fn with_own_ids(old: &Instance, put: &InstancePut) -> InstancePut {
    let mut put = put.clone();
    if let (Some(asked), Some(own)) =
        (put.config.get_mut(volatile::IDMAP_ON_DISK), old.config.get(volatile::IDMAP_ON_DISK))
    {
        asked.clone_from(own);
    }
    put
}

fn must_keep_ids(old: &Instance, new: &Instance) -> Result<()> {
    if KEPT.iter().any(|key| old.config.contains_key(*key) && !new.config.contains_key(*key)) {
        return Err(Error::invalid("Volatile idmap keys can't be deleted by the user"));
    }
    Ok(())
}

fn must_keep_root(old: &Instance, new: &Instance) -> Result<()> {
    only_root_disk(&new.expanded_devices)
        .map_err(|error| error.context("Invalid devices: Failed detecting root disk device"))?;
    match (old.pool(), new.pool()) {
        (Some(before), Some(after)) if before != after => {
            Err(Error::invalid(format!("Cannot update root disk device pool name to {after:?}")))
        }
        _ => Ok(()),
    }
}

/// Gives new interfaces an address and a name, and forgets those of interfaces that are gone.
fn add_addresses(new: &mut Instance) -> Result<()> {
    let keys = nic::new_keys(new)?;
    new.config.extend(keys.clone());
    new.expanded_config.extend(keys);
    let gone: Vec<String> = new.config.keys().filter(|key| nic::is_left_over(new, key)).cloned().collect();
    for key in gone {
        new.config.remove(&key);
        new.expanded_config.remove(&key);
    }
    Ok(())
}

/// Writes the instance, keeping the volatile keys that devices have changed meanwhile.
pub(super) fn remember(app: &Arc<App>, new: &Instance) -> Result<()> {
    let number = architecture::id(&new.architecture).unwrap_or_default();
    app.write(|tx| {
        let holder = profile_project(tx, &new.project)?;
        allow::changed_instance(tx, &new.project, &allow::member_of(new))?;
        let now = instances::by_id(tx, new.id)?.ok_or_else(|| Error::not_found("Instance not found"))?;
        let mut config = new.config.clone();
        let of_devices = now.config.iter().filter(|(key, _)| is_of_device(key, &new.expanded_devices));
        config.retain(|key, _| !is_of_device(key, &new.expanded_devices));
        config.extend(of_devices.map(|(key, value)| (key.clone(), value.clone())));
        let row = instances::Update {
            description: &new.description,
            architecture: number,
            ephemeral: new.ephemeral,
            config: &config,
            devices: &new.devices,
            profiles: &new.profiles,
            profile_project: &holder,
        };
        instances::update(tx, new.id, &row)?;
        Ok(())
    })
}

/// Keys that the start of a device writes, such as `volatile.eth0.host_name`.
fn is_of_device(key: &str, devices: &Devices) -> bool {
    let Some((device, name)) = key.strip_prefix("volatile.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    name != "hwaddr" && name != "name" && devices.contains_key(device)
}
