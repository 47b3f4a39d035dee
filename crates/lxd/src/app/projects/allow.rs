//! Whether a project lets something be made or changed: read and decided in the same transaction that writes it.

use corten_api::error::{Error, Result};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{Config, Devices, networks};
use corten_instance::instance::Instance;
use corten_network::config::list;

use super::holdings::{Guest, Holdings, Member, is_restricted};
use super::limits::{self, Sum, Unset};
use super::{Scope, restrictions, scope_in};

/// Refuses what, if remembered, would break limits or restrictions.
fn decide(held: &Holdings) -> Result<()> {
    let members = held.expanded();
    limits::sums(held, &members)?;
    if is_restricted(&held.project.config) {
        restrictions::check(held, &members, &held.project.config)?;
    }
    Ok(())
}

/// Refuses a new instance that the project has no room for, or that breaks its restrictions.
///
/// # Errors
/// In LXD's words.
pub fn new_instance(view: &View<'_>, project: &str, new: &Member) -> Result<(), Abort> {
    let Some(mut held) = Holdings::read_if_bound(view, project)? else { return Ok(()) };
    limits::room_for(&held, new.guest)?;
    held.instances.push(new.clone());
    Ok(decide(&held).map_err(|error| error.context("Failed checking if instance creation allowed"))?)
}

/// Refuses volatile keys that a client may not give to a new instance.
///
/// # Errors
/// In LXD's words.
pub fn volatile_keys(view: &View<'_>, project: &str, new: &Member, current: &Config) -> Result<(), Abort> {
    let scope = scope_in(view, project)?;
    let config = &scope.0.config;
    if is_restricted(config) { Ok(restrictions::check_volatile(project, config, new, current)?) } else { Ok(()) }
}

/// Whether a copy into this project loses the volatile keys that [`volatile_keys`] refuses.
///
/// # Errors
/// 404, or the database's.
pub fn strips_volatile_keys(view: &View<'_>, project: &str, guest: Guest) -> Result<bool, Abort> {
    let config = scope_in(view, project)?.0.config;
    Ok(is_restricted(&config) && !restrictions::allows_low_level(&config, guest))
}

/// Refuses a change of an instance that breaks limits or restrictions.
///
/// # Errors
/// In LXD's words.
pub fn changed_instance(view: &View<'_>, project: &str, new: &Member) -> Result<(), Abort> {
    let Some(mut held) = Holdings::read_if_bound(view, project)? else { return Ok(()) };
    for member in held.instances.iter_mut().filter(|member| member.name == new.name) {
        *member = new.clone();
    }
    Ok(decide(&held).map_err(|error| error.context("Failed checking if instance update allowed"))?)
}

/// Refuses a new profile, or a change of one, that breaks limits or restrictions.
///
/// # Errors
/// In LXD's words.
pub fn profile(view: &View<'_>, project: &str, name: &str, config: &Config, devices: &Devices) -> Result<(), Abort> {
    let Some(mut held) = Holdings::read_if_bound(view, project)? else { return Ok(()) };
    match held.profiles.iter_mut().find(|profile| profile.name == name) {
        Some(profile) => {
            profile.config.clone_from(config);
            profile.devices.clone_from(devices);
        }
        None => held.profiles.push(corten_db::table::profiles::Profile {
            id: 0,
            project: project.to_string(),
            name: name.to_string(),
            description: String::new(),
            config: config.clone(),
            devices: devices.clone(),
        }),
    }
    Ok(decide(&held).map_err(|error| error.context("Failed checking if profile update allowed"))?)
}

/// Refuses a new custom volume, or a change of one, that the project has no room for.
///
/// # Errors
/// In LXD's words.
pub fn volume(view: &View<'_>, project: &str, name: &str, config: &Config) -> Result<(), Abort> {
    let Some(mut held) = Holdings::read_if_bound(view, project)? else { return Ok(()) };
    if Sum::Disk.limit(&held.project.config)?.is_none() {
        return Ok(());
    }
    let verb = match held.volumes.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => {
            known.clone_from(config);
            "update"
        }
        None => {
            held.volumes.push((name.to_string(), config.clone()));
            "creation"
        }
    };
    Ok(decide(&held).map_err(|error| error.context(format!("Failed checking if volume {verb} allowed")))?)
}

/// Refuses new keys of a project that do not go with what it holds.
///
/// # Errors
/// In LXD's words.
pub fn project(view: &View<'_>, name: &str, config: &Config) -> Result<(), Abort> {
    Ok(new_keys(&Holdings::read(view, name)?, config)?)
}

fn new_keys(held: &Holdings, config: &Config) -> Result<()> {
    let (old, name) = (&held.project.config, &held.project.name);
    let members = held.expanded();
    let mut keys: Vec<&String> =
        old.keys().chain(config.keys()).filter(|key| old.get(*key) != config.get(*key)).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        if key.starts_with("restricted.") {
            restrictions::check(held, &members, config).map_err(|error| {
                error.context(format!("Conflict detected when changing {key:?} in project {name:?}"))
            })?;
        }
        limits::new_value(held, &members, key, config)?;
    }
    Ok(())
}

/// How many bytes the project may still fill with images and backups that are sent to it; `None` for any number.
///
/// # Errors
/// In LXD's words when an instance or volume has no limit of its own.
pub fn space(view: &View<'_>, project: &str) -> Result<Option<u64>, Abort> {
    let Some(held) = Holdings::read_if_bound(view, project)? else { return Ok(None) };
    let Some(limit) = Sum::Disk.limit(&held.project.config)? else { return Ok(None) };
    let total = Sum::Disk.total(&held, &held.expanded(), Unset::Refuse)?;
    Ok(Some(u64::try_from(limit.saturating_sub(total)).unwrap_or(0)))
}

/// As [`space`], for images: a project that uses the default one's has all the room in the world.
///
/// # Errors
/// As [`space`].
pub fn image_space(view: &View<'_>, project: &str) -> Result<Option<u64>, Abort> {
    let shares = scope_in(view, project)?.images() != project;
    if shares { Ok(None) } else { space(view, project) }
}

/// Refuses snapshots where the project does not have them.
///
/// # Errors
/// In LXD's words.
pub fn snapshot(scope: &Scope) -> Result<()> {
    not_blocked(scope, "restricted.snapshots", "snapshot")
}

/// Refuses backups where the project does not have them.
///
/// # Errors
/// In LXD's words.
pub fn backup(scope: &Scope) -> Result<()> {
    not_blocked(scope, "restricted.backups", "backup")
}

fn not_blocked(scope: &Scope, key: &str, what: &str) -> Result<()> {
    let (name, config) = (scope.name(), &scope.0.config);
    if is_restricted(config) && restrictions::word(config, key) == "block" {
        return Err(Error::internal(format!("Project {name:?} doesn't allow for {what} creation")));
    }
    Ok(())
}

/// Whether the project's instances may be on a network (`managed`) or interface of the host. One that they may not be on
/// is not shown either.
pub fn network(scope: &Scope, name: &str, managed: bool) -> bool {
    !is_restricted(&scope.0.config) || restrictions::devices::network_in_list(&scope.0.config, name, managed)
}

/// Refuses one network more than the project may have of its own.
///
/// # Errors
/// 400, in LXD's words.
pub fn another_network(view: &View<'_>, scope: &Scope) -> Result<(), Abort> {
    let project = scope.networks();
    let limit = limits::count(&scope.0.config, "limits.networks")?;
    if project == DEFAULT_PROJECT {
        return Ok(());
    }
    let there = i64::try_from(networks::list(view, Some(project))?.len()).unwrap_or(i64::MAX);
    if limit.is_some_and(|limit| there >= limit) {
        return Err(Error::invalid("Networks limit has been reached for project").into());
    }
    Ok(())
}

/// Refuses a DNS zone that the project that asks, or the one that is to have it, may not make.
///
/// # Errors
/// 403, in LXD's words.
pub fn zone(view: &View<'_>, scope: &Scope, name: &str) -> Result<(), Abort> {
    let holder = scope_in(view, scope.networks())?;
    for config in [&scope.0.config, &holder.0.config].into_iter().filter(|config| is_restricted(config)) {
        let allowed = config.get("restricted.networks.zones").map_or("", String::as_str);
        if !list(allowed).any(|entry| name == entry || name.ends_with(&format!(".{entry}"))) {
            return Err(Error::forbidden("Project isn't allowed to use this DNS zone").into());
        }
    }
    Ok(())
}

/// The instance as limits and restrictions look at it.
pub fn member(name: &str, profiles: &[String], config: &Config, devices: &Devices) -> Member {
    Member {
        name: name.to_string(),
        guest: Guest::Container,
        profiles: profiles.to_vec(),
        config: config.clone(),
        devices: devices.clone(),
    }
}

/// As [`member`], of an instance at hand.
pub fn member_of(instance: &Instance) -> Member {
    member(&instance.name, &instance.profiles, &instance.config, &instance.devices)
}

#[cfg(test)]
mod tests;
