//! Profiles: rows, who uses them, and the changes to them.

mod root_disk;

use super::App;
use super::check::stored;
use super::instances::Instances;
use super::instances::follow_profile::{self, Before};
use super::projects::{Scope, allow};
use corten_api::error::{Error, Result};
use corten_api::profile::{Profile, ProfilePut, ProfilesPost};
use corten_api::url;
use corten_db::View;
use corten_db::error::{Abort, DbError};
use corten_db::table::used_by::{self, User};
use corten_db::table::{Devices, profiles};
use corten_host::undo::Undo;
use corten_instance::instance::Instance;
use std::sync::Arc;

/// The profile that every project has.
pub const DEFAULT: &str = "default";

/// Refuses names that no profile may have.
///
/// # Errors
/// 400, in LXD's words.
pub fn check_name(name: &str) -> Result<()> {
    match name {
        "" => Err(Error::invalid("No name provided")),
        name if name.contains('/') => Err(Error::invalid("Profile names may not contain slashes")),
        "." | ".." => Err(Error::invalid(format!("Invalid profile name {name:?}"))),
        _ => Ok(()),
    }
}

/// The path of who uses something.
pub fn user_url(user: &User) -> String {
    match user {
        User::Instance { project, name } => url::path_in(project, ["instances", name]),
        User::Profile { project, name } => url::path_in(project, ["profiles", name]),
        User::Image { project, fingerprint } => url::path_in(project, ["images", fingerprint]),
        User::Volume { pool, project, name, .. } => {
            url::path_in(project, ["storage-pools", pool, "volumes", "custom", name])
        }
        User::VolumeSnapshot { pool, project, volume, name, .. } => {
            url::path_in(project, ["storage-pools", pool, "volumes", "custom", volume, "snapshots", name])
        }
        User::Network { project, name } => url::path_in(project, ["networks", name]),
        User::NetworkAcl { project, name } => url::path_in(project, ["network-acls", name]),
    }
}

/// A profile as the API shows it.
pub fn shown(row: profiles::Profile, used_by: Vec<String>) -> Profile {
    Profile { config: row.config, description: row.description, devices: row.devices, name: row.name, used_by }
}

/// One profile of a project that holds profiles.
///
/// # Errors
/// 404, or the database's.
pub fn get_in(view: &View<'_>, project: &str, name: &str) -> Result<profiles::Profile, Abort> {
    let row: Result<_, DbError> = profiles::get(view, project, name);
    row?.ok_or_else(|| Error::not_found("Profile not found").into())
}

impl App {
    /// All profiles that a project sees.
    ///
    /// # Errors
    /// The database's.
    pub fn list_profiles(&self, scope: &Scope) -> Result<Vec<Profile>> {
        let holder = scope.profiles();
        self.view(|view| {
            let rows = profiles::list(view, Some(holder))?;
            let users = used_by::profiles_users(view, Some(holder))?;
            let of = |row: &profiles::Profile| {
                users.iter().filter(|((_, used), _)| *used == row.name).map(|(_, user)| user_url(user)).collect()
            };
            Ok(rows.into_iter().map(|row| (of(&row), row)).map(|(used_by, row)| shown(row, used_by)).collect())
        })
    }

    /// One profile that a project sees.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn find_profile(&self, scope: &Scope, name: &str) -> Result<Profile> {
        let holder = scope.profiles();
        self.view(|view| {
            let row = get_in(view, holder, name)?;
            let users = used_by::profile_users(view, holder, name)?;
            Ok(shown(row, users.iter().map(user_url).collect()))
        })
    }

    /// Adds a profile.
    ///
    /// # Errors
    /// 400 for what is not right, 500 (so does LXD) when the name is taken.
    pub fn create_profile(&self, scope: &Scope, new: &ProfilesPost) -> Result<()> {
        check_name(&new.name)?;
        self.check_profile(scope, &new.writable())?;
        let holder = scope.profiles();
        let (config, devices) = (stored(&new.config), &new.devices);
        let created = self.write(|tx| {
            let there: Result<_, DbError> = profiles::id(tx, holder, &new.name);
            if there?.is_some() {
                return Err(Error::internal("The profile already exists").into());
            }
            allow::profile(tx, holder, &new.name, &config, devices)?;
            profiles::insert(tx, holder, &new.name, &new.description, &config, devices)?;
            Ok(())
        });
        created.map_err(|error| error.context(format!("Error inserting {:?} into database", new.name)))
    }

    /// Replaces a profile's content and applies it to the instances that use it.
    ///
    /// # Errors
    /// 400 for what is not right, 500 (so does LXD) for a root disk that instances rely on, or what went wrong with an
    /// instance.
    pub fn update_profile(self: &Arc<Self>, scope: &Scope, name: &str, new: &ProfilePut) -> Result<()> {
        self.check_profile(scope, new)?;
        let holder = scope.profiles();
        // As they are before the change, since the difference is what has to be applied.
        let users = self.profile_users(holder, name)?;
        let all = self.view(|view| Ok(profiles::list(view, Some(holder))?))?;
        if root_disk::is_relied_on(name, &new.devices, &users, &all) {
            return Err(Error::internal("At least one instance relies on this profile's root disk device"));
        }
        let (config, devices) = (stored(&new.config), &new.devices);
        // What came of one change is known before the next begins.
        let _turn = self.instances.following.take(&format!("{holder}/{name}"));
        let before = self.view(|view| Ok(Before::of(&get_in(view, holder, name)?)))?;
        let mut undo = Undo::default();
        let runs = |user: &Instance| self.instances.running.get(&crate::app::instances::key(user)).is_some();
        let noted = users.iter().any(runs);
        if noted {
            before.note(self, &mut undo)?;
        }
        self.write(|tx| {
            let row = get_in(tx, holder, name)?;
            allow::profile(tx, holder, name, &config, devices)?;
            profiles::update(tx, row.id, &new.description, &config, devices)?;
            Ok(())
        })?;
        undo.keep();
        follow_profile::all(self, &users)?;
        // Where one could not follow (on a full disk nothing can be noted of it), the next daemon tries again.
        if noted {
            before.done(self)?;
        }
        Ok(())
    }

    /// The instances that use a profile.
    ///
    /// # Errors
    /// The database's.
    pub fn profile_users(&self, holder: &str, name: &str) -> Result<Vec<Instance>> {
        let users = self.view(|view| Ok(used_by::profile_users(view, holder, name)?))?;
        let instances = users.iter().filter_map(|user| match user {
            User::Instance { project, name } => Some(Instances::find(self, project, name)),
            _ => None,
        });
        instances.collect()
    }

    /// Renames a profile.
    ///
    /// # Errors
    /// 400 for a bad name, 403 for the default one, 404, 500 (so does LXD) when the new name is taken.
    pub fn rename_profile(&self, scope: &Scope, old: &str, new: &str) -> Result<()> {
        if old == DEFAULT {
            return Err(Error::forbidden("The \"default\" profile cannot be renamed"));
        }
        check_name(new)?;
        let holder = scope.profiles();
        self.write(|tx| {
            let there: Result<_, DbError> = profiles::id(tx, holder, new);
            if there?.is_some() {
                return Err(Error::internal(format!("Name {new:?} already in use")).into());
            }
            get_in(tx, holder, old)?;
            profiles::rename(tx, holder, old, new)?;
            Ok(())
        })
    }

    /// Removes a profile that nobody uses.
    ///
    /// # Errors
    /// 403 for the default one, 404, or 400 while it is used.
    pub fn delete_profile(&self, scope: &Scope, name: &str) -> Result<()> {
        if name == DEFAULT {
            return Err(Error::forbidden("The \"default\" profile cannot be deleted"));
        }
        let holder = scope.profiles();
        self.take_away(|tx| {
            get_in(tx, holder, name)?;
            let users: Result<_, DbError> = used_by::profile_users(tx, holder, name);
            if !users?.is_empty() {
                return Err(Error::invalid("Profile is currently in use").into());
            }
            profiles::delete(tx, holder, name)?;
            Ok(())
        })
    }
}

/// What a PATCH makes of a profile: maps gain the keys and devices that the body names.
pub fn merge(old: &Profile, body: &ProfilePut, has_description: bool) -> ProfilePut {
    let mut config = old.config.clone();
    config.extend(body.config.clone());
    let mut devices: Devices = old.devices.clone();
    devices.extend(body.devices.clone());
    let description = if has_description { body.description.clone() } else { old.description.clone() };
    ProfilePut { config, description, devices }
}
