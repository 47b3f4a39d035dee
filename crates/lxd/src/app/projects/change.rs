//! Changes to projects: made, altered, renamed, removed.

use super::holdings::in_context;
use super::{Feature, allow, scope_in};
use crate::app::App;
use crate::app::check;
use crate::app::profiles::{self as profile, user_url};
use crate::app::settings::is_true;
use corten_api::error::{Error, Result};
use corten_api::project::{Project, ProjectPut, ProjectsPost};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::error::{Abort, DbError};
use corten_db::table::used_by::{User, project_users};
use corten_db::table::{Config, Devices, images, profiles, projects};
use corten_db::{Tx, View};

/// Refuses names that no project may have.
///
/// # Errors
/// 400, in LXD's words.
pub fn check_name(name: &str) -> Result<()> {
    let refuse = |reason: &str| Err(Error::invalid(reason));
    match name {
        "" => refuse("No name provided"),
        name if name.contains('/') => refuse("Project names may not contain slashes"),
        name if name.contains(' ') => refuse("Project names may not contain spaces"),
        name if name.contains('_') => refuse("Project names may not contain underscores"),
        name if name.contains(['\'', '"']) => refuse("Project names may not contain quotes"),
        "*" => refuse("Reserved project name"),
        "." | ".." => refuse(&format!("Invalid project name {name:?}")),
        _ => Ok(()),
    }
}

fn shown(view: &View<'_>, row: projects::Project) -> Result<Project, DbError> {
    let users = project_users(view, &row.name)?;
    let used_by = users.iter().map(user_url).collect();
    Ok(Project { config: row.config, description: row.description, name: row.name, used_by })
}

/// Whether a project holds nothing but its default profile.
fn is_empty(view: &View<'_>, name: &str) -> Result<bool, DbError> {
    let users = project_users(view, name)?;
    let counts = |user: &User| !matches!(user, User::Profile { name, .. } if name == profile::DEFAULT);
    Ok(!users.iter().any(counts))
}

fn add_default_profile(tx: &mut Tx<'_>, project: &str) -> Result<(), DbError> {
    let description = format!("Default LXD profile for project {project}");
    profiles::insert(tx, project, profile::DEFAULT, &description, &Config::new(), &Devices::new()).map(drop)
}

impl App {
    /// All projects.
    ///
    /// # Errors
    /// The database's.
    pub fn list_projects(&self) -> Result<Vec<Project>> {
        self.view(|view| {
            let rows = projects::list(view)?;
            Ok(rows.into_iter().map(|row| shown(view, row)).collect::<Result<_, DbError>>()?)
        })
    }

    /// One project.
    ///
    /// # Errors
    /// 404.
    pub fn find_project(&self, name: &str) -> Result<Project> {
        self.view(|view| Ok(shown(view, scope_in(view, name)?.0)?))
    }

    /// Adds a project, with the features that it does not name as they are by default.
    ///
    /// # Errors
    /// 400 for what is not right, 409 when the name is taken.
    pub fn create_project(&self, new: &ProjectsPost) -> Result<()> {
        let mut config = new.config.clone();
        for feature in Feature::ALL.into_iter().filter(|feature| feature.is_default()) {
            config.entry(feature.key().to_string()).or_insert_with(|| "true".to_string());
        }
        check_name(&new.name)?;
        check::project(&config)?;
        let added = self.write(|tx| {
            let there: Result<_, DbError> = projects::id(tx, &new.name);
            if there?.is_some() {
                return Err(
                    Error::conflict("Failed adding database record: This \"projects\" entry already exists").into()
                );
            }
            projects::insert(tx, &new.name, &new.description, &config)?;
            if has(&config, Feature::Profiles) {
                add_default_profile(tx, &new.name)?;
                if !has(&config, Feature::Images) {
                    images::share_with(tx, &new.name)?;
                }
            }
            Ok(())
        });
        added.map_err(|error| error.context(format!("Failed creating project {:?}", new.name)))
    }

    /// Replaces what may be changed of a project.
    ///
    /// # Errors
    /// 400 for what is not right, or would take things away that are used.
    pub fn update_project(&self, old: &Project, new: &ProjectPut) -> Result<()> {
        check::project(&new.config)?;
        let config: Config =
            new.config.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
        self.write(|tx| {
            let current = scope_in(tx, &old.name)?.0;
            check_features(tx, &current, &config)?;
            allow::project(tx, &old.name, &config)?;
            projects::update(tx, current.id, &new.description, &config)?;
            match (has(&current.config, Feature::Profiles), has(&config, Feature::Profiles)) {
                (false, true) => add_default_profile(tx, &old.name)?,
                (true, false) => drop(profiles::delete(tx, &old.name, profile::DEFAULT)?),
                _ => (),
            }
            let shares = |config: &Config| has(config, Feature::Profiles) && !has(config, Feature::Images);
            if shares(&config) && !shares(&current.config) {
                images::share_with(tx, &old.name)?;
            }
            Ok(())
        })
    }

    /// Renames an empty project.
    ///
    /// # Errors
    /// 400 for a bad name or a project that holds things, 404, 409 when the name is taken.
    pub fn rename_project(&self, old: &str, new: &str) -> Result<()> {
        self.write(|tx| {
            let there: Result<_, DbError> = projects::id(tx, new);
            if there?.is_some() {
                return Err(Error::conflict(format!("A project named {new:?} already exists")).into());
            }
            scope_in(tx, old).map_err(|abort| in_context(abort, &format!("Failed loading project {old:?}")))?;
            if !is_empty(tx, old)? {
                return Err(Error::invalid("Only empty projects can be renamed").into());
            }
            check_name(new)?;
            projects::rename(tx, old, new)?;
            Ok(())
        })
    }

    /// Removes an empty project.
    ///
    /// # Errors
    /// 400 for a project that holds things, 404.
    pub fn delete_project(&self, name: &str) -> Result<()> {
        self.take_away(|tx| {
            scope_in(tx, name).map_err(|abort| in_context(abort, &format!("Fetch project {name:?}")))?;
            if !is_empty(tx, name)? {
                return Err(Error::invalid("Only empty projects can be removed").into());
            }
            projects::delete(tx, name)?;
            Ok(())
        })
    }
}

fn has(config: &Config, feature: Feature) -> bool {
    config.get(feature.key()).is_some_and(|value| is_true(value))
}

/// Features of a project that holds things stay as they are.
fn check_features(view: &View<'_>, current: &projects::Project, config: &Config) -> Result<(), Abort> {
    let changed = Feature::ALL.into_iter().filter(|one| has(&current.config, *one) != has(config, *one));
    for feature in changed {
        if current.name == DEFAULT_PROJECT {
            return Err(Error::invalid("You can't change the features of the default project").into());
        }
        let empty: Result<_, DbError> = is_empty(view, &current.name);
        if !empty? {
            let verb = if has(config, feature) { "enabled" } else { "disabled" };
            let key = feature.key();
            return Err(
                Error::invalid(format!("Project feature {key:?} cannot be {verb} on non-empty projects")).into()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_or_refused() {
        for name in ["p", "a-b", "0"] {
            check_name(name).expect(name);
        }
        for name in ["", "a/b", "a b", "a_b", "a'b", "*", ".", ".."] {
            check_name(name).expect_err(name);
        }
    }
}
