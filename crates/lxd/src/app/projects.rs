//! Projects: which one holds what, and the changes to them.

pub mod allow;
pub mod change;
pub mod holdings;
pub mod limits;
pub mod quota;
pub mod restrictions;
pub mod state;

use super::App;
use super::settings::is_true;
use crate::app::Call;
use corten_api::error::{Error, Result};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::View;
use corten_db::error::{Abort, DbError};
use corten_db::table::projects::{self, Project};

/// What a project may have of its own; without the feature it uses the default project's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Images and their aliases.
    Images,
    /// Networks.
    Networks,
    /// Profiles.
    Profiles,
    /// Custom volumes.
    Volumes,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Feature; 4] = [Feature::Images, Feature::Networks, Feature::Profiles, Feature::Volumes];

    /// The project's key for it.
    pub fn key(self) -> &'static str {
        match self {
            Feature::Images => "features.images",
            Feature::Networks => "features.networks",
            Feature::Profiles => "features.profiles",
            Feature::Volumes => "features.storage.volumes",
        }
    }

    /// Whether a new project has it unless told otherwise.
    pub fn is_default(self) -> bool {
        self != Feature::Networks
    }
}

/// A project, and where its things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub Project);

impl Scope {
    /// The project that was asked for: the one that holds its instances.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The project that holds things of this kind.
    pub fn holder(&self, feature: Feature) -> &str {
        let own =
            self.0.name == DEFAULT_PROJECT || self.0.config.get(feature.key()).is_some_and(|value| is_true(value));
        if own { &self.0.name } else { DEFAULT_PROJECT }
    }

    /// The project that holds its images.
    pub fn images(&self) -> &str {
        self.holder(Feature::Images)
    }

    /// The project that holds its networks.
    pub fn networks(&self) -> &str {
        self.holder(Feature::Networks)
    }

    /// The project that holds its profiles.
    pub fn profiles(&self) -> &str {
        self.holder(Feature::Profiles)
    }

    /// The project that holds its custom volumes.
    pub fn volumes(&self) -> &str {
        self.holder(Feature::Volumes)
    }
}

/// A project's scope, inside of a decision or a view.
///
/// # Errors
/// 404 «Project not found», or the database's.
pub fn scope_in(view: &View<'_>, name: &str) -> Result<Scope, Abort> {
    let project: Result<_, DbError> = projects::get(view, name);
    Ok(Scope(project?.ok_or_else(|| Error::not_found("Project not found"))?))
}

impl App {
    /// A project by its name.
    ///
    /// # Errors
    /// 404 «Project not found».
    pub fn project(&self, name: &str) -> Result<Scope> {
        self.view(|view| scope_in(view, name))
    }

    /// The project that a call is about, and where its things are.
    ///
    /// # Errors
    /// 404, in LXD's words.
    pub fn scope(&self, call: &Call) -> Result<Scope> {
        let name = call.project();
        self.project(name).map_err(|error| error.context(format!("Failed loading project {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_feature_uses_the_default_ones() {
        let scope = |name: &str, config: &[(&str, &str)]| {
            let config = config.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
            Scope(Project { id: 2, name: name.to_string(), description: String::new(), config })
        };
        let own = scope("p", &[("features.images", "true"), ("features.profiles", "false")]);
        assert_eq!((own.images(), own.profiles(), own.networks()), ("p", "default", "default"));
        let default = scope("default", &[]);
        assert_eq!((default.name(), default.volumes()), ("default", "default"));
    }
}
