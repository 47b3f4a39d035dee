//! Managed networks as the daemon holds them.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_db::table::networks;
use corten_instance::instance::Config;
use corten_network::network::Network;

use super::App;

/// Options that a NIC takes over from the managed network that it names.
///
/// # Errors
/// When there is no such network.
pub fn nic_options(app: &App, project: &str, options: &Config) -> Result<Config> {
    let Some(name) = options.get("network").filter(|name| !name.is_empty()) else { return Ok(options.clone()) };
    let row = app.view(|view| Ok(networks::get(view, project, name)?))?;
    let row = row.ok_or_else(|| Error::not_found(format!("Failed loading network config for {name:?}: Network not found")))?;
    let mut options = options.clone();
    options.insert("nictype".to_string(), "bridged".to_string());
    options.insert("parent".to_string(), name.clone());
    if let Some(mtu) = row.config.get("bridge.mtu") {
        options.entry("mtu".to_string()).or_insert_with(|| mtu.clone());
    }
    Ok(options)
}

/// The managed network whose interface is `parent`.
pub fn managed(_app: &App, _parent: &str) -> Option<Arc<dyn Network>> {
    None
}
