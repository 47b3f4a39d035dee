//! Network zones: rows, and what the DNS server says of the networks that name them in `dns.zone.*`.

pub mod check;
pub mod content;
pub mod records;
pub mod serve;

use corten_api::error::{Error, Result};
use corten_api::network_zone::{NetworkZone, NetworkZonePut, NetworkZonesPost};
use corten_api::url;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{network_zones as table, networks};
use corten_instance::instance::Config;
use corten_network::config::{get, list as parts};

use crate::app::App;
use crate::app::check::stored;
use crate::app::projects::{Scope, allow};

/// The keys of a network that name its zones.
const KEYS: [&str; 3] = ["dns.zone.forward", "dns.zone.reverse.ipv4", "dns.zone.reverse.ipv6"];

/// Whether a network uses a zone.
fn uses(network: &networks::Network, zone: &str) -> bool {
    KEYS.iter().any(|key| parts(get(&network.config, key)).any(|name| name == zone))
}

/// The networks, of whatever project, that use a zone.
fn users(networks: &[networks::Network], zone: &str) -> Vec<String> {
    let using = networks.iter().filter(|network| uses(network, zone));
    using.map(|network| url::path_in(&network.project, ["networks", &network.name])).collect()
}

fn shown(networks: &[networks::Network], row: table::Zone) -> NetworkZone {
    let used_by = users(networks, &row.name);
    NetworkZone { name: row.name, description: row.description, config: row.config, used_by }
}

/// All zones of a project.
///
/// # Errors
/// The database's.
pub fn list(app: &App, project: &str) -> Result<Vec<NetworkZone>> {
    let (zones, networks) = app.view(|view| Ok((table::list(view, Some(project))?, networks::list(view, None)?)))?;
    Ok(zones.into_iter().map(|row| shown(&networks, row)).collect())
}

/// One zone.
///
/// # Errors
/// 404.
pub fn find(app: &App, project: &str, name: &str) -> Result<NetworkZone> {
    let (zone, networks) = app.view(|view| Ok((row(view, project, name)?, networks::list(view, None)?)))?;
    Ok(shown(&networks, zone))
}

/// The row of a zone of a project.
fn row(view: &View<'_>, project: &str, name: &str) -> Result<table::Zone, Abort> {
    let found = table::get(view, name)?.filter(|zone| zone.project == project);
    Ok(found.ok_or_else(|| Error::not_found("Network zone not found"))?)
}

/// Makes a zone.
///
/// # Errors
/// 400 when there is one of that name in any project, 403 when the project may not have it; what is not right, in LXD's
/// words where it has some.
pub fn create(app: &App, scope: &Scope, post: &NetworkZonesPost) -> Result<()> {
    app.write(|tx| {
        if table::get(tx, &post.name)?.is_some() {
            return Err(Error::invalid("The network zone already exists").into());
        }
        check::name(&post.name)?;
        check::config(&post.config)?;
        allow::zone(tx, scope, &post.name)?;
        let row = table::Zone {
            id: 0,
            project: scope.networks().to_string(),
            name: post.name.clone(),
            description: post.description.clone(),
            config: stored(&post.config),
        };
        table::insert(tx, &row)?;
        Ok(())
    })
}

/// Replaces what may be changed of a zone.
///
/// # Errors
/// 404, or what is not right in LXD's words.
pub fn update(app: &App, project: &str, name: &str, put: &NetworkZonePut) -> Result<()> {
    check::config(&put.config)?;
    app.write(|tx| {
        let row = row(tx, project, name)?;
        Ok(table::update(tx, row.id, &put.description, &stored(&put.config))?)
    })
}

/// Removes an unused zone, and its records.
///
/// # Errors
/// 404, or when a network uses it.
pub fn delete(app: &App, project: &str, name: &str) -> Result<()> {
    app.write(|tx| {
        let row = row(tx, project, name)?;
        if !users(&networks::list(tx, None)?, name).is_empty() {
            return Err(Error::internal("Cannot delete a zone that is in use").into());
        }
        Ok(table::delete(tx, row.id)?)
    })
}

/// Refuses zones that a network names and that are not there. As in LXD, they may be of any project.
///
/// # Errors
/// 400 in LXD's words.
pub fn must_exist(view: &View<'_>, network: &str, config: &Config) -> Result<(), Abort> {
    for key in KEYS {
        let zone = get(config, key);
        if !zone.is_empty() && table::get(view, zone)?.is_none() {
            let message =
                format!("Invalid value for network {network:?} option {key:?}: Network zone {zone:?} doesn't exist");
            return Err(Error::invalid(message).into());
        }
    }
    Ok(())
}
