//! After a profile has changed: the instances that use it become what it says now.

use std::path::PathBuf;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::instance::InstancePut;
use corten_db::table::profiles::Profile;
use corten_host::undo::Undo;
use corten_instance::instance::{Config, Devices, Instance, host_name};
use corten_instance::lifecycle::admission::Action;
use serde::{Deserialize, Serialize};

use super::claims::Taken;
use super::find::{expand, profile_project, profiles_in_order};
use super::update::{bring_about, planned};
use super::{key, observe, settle, tell};
use crate::app::{App, notes};

/// What a profile was before a change that instances follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Before {
    /// The project that holds it.
    pub holder: String,
    /// Its name.
    pub name: String,
    /// Its keys.
    pub config: Config,
    /// Its devices.
    pub devices: Devices,
}

impl Before {
    /// What the profile is now.
    pub fn of(profile: &Profile) -> Before {
        let Profile { project: holder, name, config, devices, .. } = profile.clone();
        Before { holder, name, config, devices }
    }

    fn place(&self, app: &App) -> PathBuf {
        notes::place(&app.dirs.var, &format!("profile-{}", host_name(&self.holder, &self.name)))
    }

    /// Writes it down, before the profile is changed.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn note(&self, app: &App, undo: &mut Undo) -> Result<()> {
        notes::note(self.place(app), &serde_json::to_string(self).unwrap_or_default(), undo)
    }

    /// All instances have followed.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn done(&self, app: &App) -> Result<()> {
        notes::remove(&self.place(app))
    }
}

/// Brings the instances that run to their profiles, where the last daemon was ended while they followed one, or one of them
/// could not follow.
///
/// # Errors
/// When the notes cannot be read; what cannot be dealt with is logged.
pub fn recover(app: &Arc<App>) -> Result<()> {
    for before in notes::found(&app.dirs.var, |text| serde_json::from_str::<Before>(text).ok())? {
        tracing::info!(profile = before.name, "The last daemon did not bring all instances to their profile");
        let followed = app.profile_users(&before.holder, &before.name).and_then(|users| {
            users.iter().try_for_each(|now| settle::follow(app, &as_it_was(app, now, &before)?, now))
        });
        if let Err(error) = followed.and_then(|()| before.done(app)) {
            tracing::error!(profile = before.name, %error, "Failed to bring an instance to its profile");
        }
    }
    Ok(())
}

/// An instance with one of its profiles as that was.
fn as_it_was(app: &App, now: &Instance, before: &Before) -> Result<Instance> {
    let (expanded_config, expanded_devices) = app.view(|view| {
        let holder = profile_project(view, &now.project)?;
        let mut profiles = profiles_in_order(view, &holder, &now.profiles, |_| Error::not_found("Profile not found"))?;
        for profile in profiles.iter_mut().filter(|profile| profile.name == before.name) {
            (profile.config, profile.devices) = (before.config.clone(), before.devices.clone());
        }
        Ok(expand(&now.config, &now.devices, profiles.iter()))
    })?;
    Ok(Instance { expanded_config, expanded_devices, ..now.clone() })
}

/// Brings every instance to its profiles; each of `olds` is as it was before the change.
///
/// # Errors
/// Which instances could not follow, and why, in LXD's words; the profile stays changed.
pub fn all(app: &Arc<App>, olds: &[Instance]) -> Result<()> {
    let failures: Vec<String> = olds
        .iter()
        .filter_map(|old| {
            let error = one(app, old).err()?;
            Some(format!(" - Project: {}, Instance: {}: {error}\n", old.project, old.name))
        })
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    let list = failures.concat();
    Err(Error::internal(format!("The following instances failed to update (profile change still saved):\n{list}")))
}

fn one(app: &Arc<App>, old: &Instance) -> Result<()> {
    let key = key(old);
    let Taken::Go(claim) = app.instances.claims.take(&key, Action::Update, || observe(app, &key))? else {
        return Ok(());
    };
    let same = InstancePut {
        architecture: old.architecture.clone(),
        config: old.config.clone(),
        devices: old.devices.clone(),
        ephemeral: old.ephemeral,
        profiles: old.profiles.clone(),
        description: old.description.clone(),
        ..InstancePut::default()
    };
    let outcome = planned(app, old, &same).and_then(|new| {
        bring_about(app, old, &new, true)?;
        tell(app, &new, "instance-updated", None);
        Ok(())
    });
    claim.end(outcome)
}
