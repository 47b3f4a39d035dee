//! Finding instances: a row with its profiles becomes an [`Instance`] with everything expanded.

use std::collections::{BTreeSet, HashMap};

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_db::View;
use corten_db::error::{Abort, DbError};
use corten_db::table::{architecture, instances, profiles, projects};
use corten_instance::instance::{Config, Devices, Instance};
use jiff::Timestamp;

use super::Instances;
use crate::app::App;

/// Profiles of the projects at hand, by project and name.
pub type Profiles = HashMap<(String, String), profiles::Profile>;

/// The project that holds the profiles of `project`: itself, or the default one when it shares those.
///
/// # Errors
/// Those of the database.
pub fn profile_project(view: &View<'_>, project: &str) -> Result<String, DbError> {
    let own = projects::get(view, project)?.is_none_or(|project| has_feature(&project.config, "features.profiles"));
    Ok(if own { project.to_string() } else { projects::DEFAULT.to_string() })
}

/// The profiles of these names, in this order, of the project that holds them.
///
/// # Errors
/// 500 (so does LXD) for a name that is there twice, `missing` for one that is not there.
pub fn profiles_in_order(
    view: &View<'_>,
    holder: &str,
    names: &[String],
    missing: impl Fn(&str) -> Error,
) -> Result<Vec<profiles::Profile>, Abort> {
    let mut found = profiles::named(view, holder, names)?;
    let mut ordered = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        if names[..place].contains(name) {
            return Err(Error::internal("Duplicate profile found in request").into());
        }
        match found.iter().position(|profile| profile.name == *name) {
            Some(at) => ordered.push(found.swap_remove(at)),
            None => return Err(missing(name).into()),
        }
    }
    Ok(ordered)
}

fn has_feature(config: &Config, feature: &str) -> bool {
    config.get(feature).is_some_and(|value| corten_instance::instance::is_true(value))
}

impl Instances {
    /// The instance `name` of `project`.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn find(app: &App, project: &str, name: &str) -> Result<Instance> {
        let found = app.view(|view| {
            let Some(row) = instances::get(view, project, name)? else { return Ok(None) };
            let holder = profile_project(view, project)?;
            let named = profiles::named(view, &holder, &row.profiles)?;
            let profiles = named.into_iter().map(|profile| ((project.to_string(), profile.name.clone()), profile));
            Ok(Some(assemble(row, &profiles.collect())))
        })?;
        found.ok_or_else(|| Error::not_found("Instance not found"))
    }

    /// All instances of a project, or of all projects, by project and name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn all(app: &App, project: Option<&str>) -> Result<Vec<Instance>> {
        app.view(|view| {
            let rows = instances::list(view, project)?;
            let known = known_profiles(view, rows.iter().map(|row| row.project.as_str()))?;
            Ok(rows.into_iter().map(|row| assemble(row, &known)).collect())
        })
    }
}

/// All profiles that these projects see; each project is read once.
///
/// # Errors
/// Those of the database.
pub fn known_profiles<'a>(view: &View<'_>, projects: impl Iterator<Item = &'a str>) -> Result<Profiles, DbError> {
    let mut known = Profiles::new();
    for project in projects.collect::<BTreeSet<_>>() {
        let holder = profile_project(view, project)?;
        for profile in profiles::list(view, Some(&holder))? {
            known.insert((project.to_string(), profile.name.clone()), profile);
        }
    }
    Ok(known)
}

fn assemble(row: instances::Instance, known: &Profiles) -> Instance {
    let (expanded_config, expanded_devices) =
        expand_by_name(&row.config, &row.devices, known, &row.project, &row.profiles);
    Instance {
        id: row.id,
        project: row.project,
        name: row.name,
        architecture: architecture::name(row.architecture).unwrap_or_default().to_string(),
        ephemeral: row.ephemeral,
        stateful: row.stateful,
        description: row.description,
        created: Time::from(row.created),
        // LXD shows the beginning of 1970 for one that was never started.
        last_used: row.last_used.map_or_else(|| Time::from(Timestamp::UNIX_EPOCH), Time::from),
        config: row.config,
        devices: row.devices,
        profiles: row.profiles,
        expanded_config,
        expanded_devices,
    }
}

/// As [`expand`], with the profiles of these names.
pub fn expand_by_name(
    config: &Config,
    devices: &Devices,
    known: &Profiles,
    project: &str,
    names: &[String],
) -> (Config, Devices) {
    let applied = names.iter().filter_map(|name| known.get(&(project.to_string(), name.clone())));
    let applied: Vec<&profiles::Profile> = applied.collect();
    expand(config, devices, applied.iter().copied())
}

/// Keys and devices of the profiles in their order, then the instance's own, which win.
pub fn expand<'a>(
    own_config: &'a Config,
    own_devices: &'a Devices,
    profiles: impl Iterator<Item = &'a profiles::Profile> + Clone,
) -> (Config, Devices) {
    let config = corten_config::expand::config(profiles.clone().map(|profile| &profile.config), own_config);
    let devices = corten_config::expand::devices(profiles.map(|profile| &profile.devices), own_devices);
    (config, devices)
}
