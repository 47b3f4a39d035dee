//! Configuration that comes from clients, checked against the key tables before anything is done with it.

use super::App;
use super::instances::unprivileged;
use super::projects::Scope;
use super::settings::Keys;
use corten_api::error::{Error, Result};
use corten_api::profile::ProfilePut;
use corten_config::{Entity, check, device};
use corten_db::table::{Config, networks as table};

/// Keys that have a value: one without is not kept.
pub fn stored(config: &Config) -> Config {
    config.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl App {
    /// Checks the keys and devices of a profile, for instances of any type.
    ///
    /// # Errors
    /// 400, naming the key.
    pub fn check_profile(&self, scope: &Scope, profile: &ProfilePut) -> Result<()> {
        check(Entity::Profile, &profile.config)?;
        unprivileged::check(&profile.config)?;
        device::check_all(&profile.devices, None, &|network| self.network_type(scope, network))
    }

    /// The type of a network that a project's instances may use.
    fn network_type(&self, scope: &Scope, name: &str) -> Result<String> {
        let row = self.view(|view| Ok(table::get(view, scope.networks(), name)?))?;
        match row {
            Some(row) => Ok(row.kind),
            None => {
                let project = scope.networks();
                let failed = format!("Failed to load network {name:?} for project {project:?}");
                Err(Error::not_found("Network not found").context(failed))
            }
        }
    }
}

/// Checks the keys of a project.
///
/// # Errors
/// 400, naming the key.
pub fn project(config: &Config) -> Result<()> {
    check(Entity::Project, config)
}

/// Checks the keys of the server.
///
/// # Errors
/// 400, naming the key.
pub fn server(config: &Keys) -> Result<()> {
    check(Entity::Server, config)
}
