//! What is wrong with a request for an instance and is said at once, before an operation begins.

use corten_api::error::{Error, Result};
use corten_api::instance::InstancesPost;
use corten_db::table::architecture;

use crate::app::App;
use crate::app::instances::find::{profile_project, profiles_in_order};

/// Refuses what is no request for a container, before anything is looked up.
///
/// # Errors
/// 400 with the part that is wrong.
pub fn check(post: &InstancesPost, target: &str) -> Result<()> {
    if !target.is_empty() {
        return Err(Error::invalid("Target only allowed when clustered"));
    }
    match post.r#type.as_str() {
        "" | "container" => Ok(()),
        "virtual-machine" => Err(Error::invalid("Instance type \"virtual-machine\" is not supported on this server")),
        other => Err(Error::invalid(format!("Invalid instance type {other:?}"))),
    }
}

/// Refuses a project that is not there.
///
/// # Errors
/// 404.
pub fn check_project(app: &App, project: &str) -> Result<()> {
    app.project(project).map(drop).map_err(|error| error.context("Failed loading project"))
}

/// Refuses profiles that are not there.
///
/// # Errors
/// 500 (so does LXD) with the name.
pub fn check_profiles(app: &App, project: &str, post: &InstancesPost) -> Result<()> {
    let Some(names) = &post.profiles else { return Ok(()) };
    app.view(|view| profiles_in_order(view, &profile_project(view, project)?, names, no_such_profile).map(drop))
}

/// What is said of a profile that is asked for and is not there: 500, as LXD.
pub fn no_such_profile(name: &str) -> Error {
    Error::internal(format!("Requested profile {name:?} doesn't exist"))
}

/// Refuses names that no instance may have, and architectures that nobody knows.
///
/// # Errors
/// 400 for the name, 500 (so does LXD) for the architecture.
pub fn check_name(post: &InstancesPost) -> Result<()> {
    corten_config::name::check_instance(&post.name)?;
    match post.architecture.as_str() {
        // An image says it itself, and pylxd sends a number.
        _ if post.source.r#type == "image" => Ok(()),
        known if known.is_empty() || architecture::id(known).is_some() => Ok(()),
        other => Err(Error::internal(format!("Architecture isn't supported: {other}"))),
    }
}
