//! Managed networks as the daemon holds them.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_db::table::networks;
use corten_instance::instance::Config;
use corten_network::network::{Network, Place};
use corten_network::registry;

use super::App;

/// The managed network that a NIC's `network` names, or that its `parent` happens to be.
///
/// # Errors
/// When it names one that is not there.
pub fn of_nic(app: &App, project: &str, options: &Config) -> Result<Option<Arc<dyn Network>>> {
    let get = |option: &str| options.get(option).map_or("", String::as_str);
    match (get("network"), get("parent")) {
        ("", "") => Ok(None),
        ("", parent) => find(app, project, parent),
        (name, _) => match find(app, project, name)? {
            Some(network) => Ok(Some(network)),
            None => Err(Error::not_found(format!("Failed to load network {name:?}: Network not found"))),
        },
    }
}

/// The managed network of this name, when there is one; instances of all projects use those of the default one.
fn find(app: &App, project: &str, name: &str) -> Result<Option<Arc<dyn Network>>> {
    let row = app.view(|view| match networks::get(view, project, name)? {
        Some(row) => Ok(Some(row)),
        None => Ok(networks::get(view, corten_api::url::DEFAULT_PROJECT, name)?),
    })?;
    row.map(|row| open(app, &row)).transpose()
}

/// The network of a row.
///
/// # Errors
/// When its type is not to be had here.
pub fn open(app: &App, row: &networks::Network) -> Result<Arc<dyn Network>> {
    let kind = row.kind.parse::<registry::Kind>()?;
    let place = Place {
        dir: app.dirs.var.join("networks").join(&row.name),
        mac_seed: format!("{}.{}", app.identity.fingerprint()?, row.id),
        debug: false,
    };
    Ok(Arc::from(registry::open(kind, &row.name, &row.config, place)))
}

/// The type of the managed network `name`, for the check of devices.
///
/// # Errors
/// When there is none.
pub fn kind(app: &App, name: &str) -> Result<String> {
    let row = app.view(|view| Ok(networks::get(view, corten_api::url::DEFAULT_PROJECT, name)?))?;
    row.map(|row| row.kind).ok_or_else(|| Error::not_found("Network not found"))
}
