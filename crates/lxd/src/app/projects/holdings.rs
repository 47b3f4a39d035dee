//! What a project holds, as far as its limits and restrictions look at it: facts, read in one view of the database.

use corten_api::error::Error;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::projects::Project;
use corten_db::table::storage_volumes::{self, CUSTOM};
use corten_db::table::{Config, Devices, instances, profiles};
use corten_instance::instance::is_true;

use super::{Feature, Scope, scope_in};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// A container.
    Container,
    /// A virtual machine.
    VirtualMachine,
}

impl Guest {
    /// LXD's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Guest::Container => "container",
            Guest::VirtualMachine => "virtual-machine",
        }
    }

    /// The key of a project that limits how many of it there may be.
    pub fn limit(self) -> &'static str {
        match self {
            Guest::Container => "limits.containers",
            Guest::VirtualMachine => "limits.virtual-machines",
        }
    }
}

/// An instance: what it says itself, not expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it is.
    pub guest: Guest,
    /// Names of its profiles in their order.
    pub profiles: Vec<String>,
    /// Its own keys.
    pub config: Config,
    /// Its own devices.
    pub devices: Devices,
}

/// What a project holds.
#[derive(Clone, Debug)]
pub struct Holdings {
    /// The project.
    pub project: Project,
    /// The profiles that its instances may have.
    pub profiles: Vec<profiles::Profile>,
    /// Its instances.
    pub instances: Vec<Member>,
    /// Its own custom volumes: name and keys.
    pub volumes: Vec<(String, Config)>,
}

/// Whether a project has limits or restrictions, so that it must be looked at what it holds.
pub fn is_bound(config: &Config) -> bool {
    is_restricted(config) || config.keys().any(|key| key.starts_with("limits."))
}

/// Whether the `restricted.*` keys of a project hold.
pub fn is_restricted(config: &Config) -> bool {
    config.get("restricted").is_some_and(|value| is_true(value))
}

impl Holdings {
    /// Reads what a project holds.
    ///
    /// # Errors
    /// 404 «Project not found», or the database's.
    pub fn read(view: &View<'_>, project: &str) -> Result<Holdings, Abort> {
        let found = scope_in(view, project);
        Holdings::of(view, found.map_err(|abort| in_context(abort, "Fetch project database object"))?)
    }

    /// As [`Holdings::read`], and `None` for a project without limits and restrictions.
    ///
    /// # Errors
    /// 404 «Project not found», or the database's.
    pub fn read_if_bound(view: &View<'_>, project: &str) -> Result<Option<Holdings>, Abort> {
        let found = scope_in(view, project);
        let scope = found.map_err(|abort| in_context(abort, "Fetch project database object"))?;
        if is_bound(&scope.0.config) { Holdings::of(view, scope).map(Some) } else { Ok(None) }
    }

    fn of(view: &View<'_>, scope: Scope) -> Result<Holdings, Abort> {
        let name = scope.name();
        let instances = instances::list(view, Some(name))?.into_iter().map(|row| Member {
            name: row.name,
            guest: if row.kind == instances::VIRTUAL_MACHINE { Guest::VirtualMachine } else { Guest::Container },
            profiles: row.profiles,
            config: row.config,
            devices: row.devices,
        });
        let volumes = storage_volumes::list(view, None, Some(name), Some(CUSTOM))?;
        Ok(Holdings {
            instances: instances.collect(),
            profiles: profiles::list(view, Some(scope.holder(Feature::Profiles)))?,
            volumes: volumes.into_iter().map(|volume| (volume.name, volume.config)).collect(),
            project: scope.0,
        })
    }

    /// The instances with what their profiles give them.
    pub fn expanded(&self) -> Vec<Member> {
        self.instances.iter().map(|member| self.expand(member)).collect()
    }

    fn expand(&self, member: &Member) -> Member {
        let named = |name: &String| self.profiles.iter().find(|profile| profile.name == *name);
        let profiles: Vec<&profiles::Profile> = member.profiles.iter().filter_map(named).collect();
        let config = corten_config::expand::config(profiles.iter().map(|profile| &profile.config), &member.config);
        let devices = corten_config::expand::devices(profiles.iter().map(|profile| &profile.devices), &member.devices);
        Member { config, devices, ..member.clone() }
    }
}

/// Puts `what` before a refusal of ours; the database's own failures stay as they are.
pub fn in_context(abort: Abort, what: &str) -> Abort {
    match abort.into_caller::<Error>() {
        Ok(error) => error.context(what).into(),
        Err(error) => Abort::Db(error),
    }
}
