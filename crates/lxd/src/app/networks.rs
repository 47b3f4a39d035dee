//! Managed networks as the daemon holds them: found by name, opened from their rows, brought up at boot.

pub mod change;
pub mod conflicts;
pub mod create;
pub mod forwards;
pub mod hosts;
mod parent;
pub mod view;

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::table::{State, networks};
use corten_instance::instance::Config;
use corten_network::network::{Network, Place};
use corten_network::registry;

use super::{App, network_acls};

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

/// The managed network of this name, when there is one; instances of all projects may use those of the default one.
fn find(app: &App, project: &str, name: &str) -> Result<Option<Arc<dyn Network>>> {
    let row = app.view(|view| match networks::get(view, project, name)? {
        Some(row) => Ok(Some(row)),
        None => Ok(networks::get(view, DEFAULT_PROJECT, name)?),
    })?;
    row.map(|row| open(app, &row)).transpose()
}

/// The row of the network `name`.
///
/// # Errors
/// 404 when there is none.
pub fn row(app: &App, project: &str, name: &str) -> Result<networks::Network> {
    let row = app.view(|view| Ok(networks::get(view, project, name)?))?;
    row.ok_or_else(|| Error::not_found("Failed loading network: Network not found"))
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
    let row = app.view(|view| Ok(networks::get(view, DEFAULT_PROJECT, name)?))?;
    row.map(|row| row.kind).ok_or_else(|| Error::not_found("Network not found"))
}

/// Brings every network up, or takes over those that are. One that cannot be had is told of and left out, so that the
/// others work.
///
/// # Errors
/// The database's.
pub fn up_all(app: &App) -> Result<()> {
    change::recover(app)?;
    for row in app.view(|view| Ok(networks::list(view, None)?))? {
        let outcome = match row.state {
            State::Created => up(app, &row),
            // It was being made when the daemon ended.
            State::Pending | State::Errored => forget(app, &row),
        };
        if let Err(error) = outcome {
            tracing::error!(network = row.name, "Failed to bring up the network: {error}");
        }
    }
    Ok(())
}

fn up(app: &App, row: &networks::Network) -> Result<()> {
    let changed = open(app, row)?.up(&hosts::of(app, row)?)?;
    remember(app, row, &changed)?;
    network_acls::apply_if_any(app, row)?;
    forwards::apply_if_any(app, row)
}

fn forget(app: &App, row: &networks::Network) -> Result<()> {
    open(app, row)?.delete()?;
    app.take_away(|tx| Ok(networks::delete(tx, row.id)?))
}

/// Keeps keys that a network has asked to remember.
fn remember(app: &App, row: &networks::Network, changed: &Config) -> Result<()> {
    if changed.iter().all(|(key, value)| row.config.get(key) == Some(value)) {
        return Ok(());
    }
    let mut config = row.config.clone();
    config.extend(changed.clone());
    config.retain(|_, value| !value.is_empty());
    app.write(|tx| Ok(networks::update(tx, row.id, &row.description, &config)?))
}
