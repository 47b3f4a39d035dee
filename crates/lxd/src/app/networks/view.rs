//! Networks as the API shows them: managed ones, and the host's own interfaces beside them.

use std::collections::HashMap;

use corten_api::error::{Error, Result};
use corten_api::network::{Network as Shown, NetworkState};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::table::networks;
use corten_db::table::used_by::network_users;
use corten_host::netlink::Socket;
use corten_network::interface;

use super::open;
use crate::app::App;
use crate::app::profiles::user_url;

/// All networks of a project; in the default one also the host's interfaces.
///
/// # Errors
/// Those of the database, or of the kernel.
pub fn list(app: &App, project: &str) -> Result<Vec<Shown>> {
    let rows = app.view(|view| Ok(networks::list(view, Some(project))?))?;
    let mut used = used_by(app, None)?;
    let mut shown: Vec<Shown> =
        rows.into_iter().map(|row| managed(used.remove(&row.name).unwrap_or_default(), row)).collect();
    if project == DEFAULT_PROJECT {
        for link in host_links()? {
            if !shown.iter().any(|one| one.name == link.name) {
                shown.push(unmanaged(used.remove(&link.name).unwrap_or_default(), &link));
            }
        }
    }
    Ok(shown)
}

/// The host's interfaces, but for the ends of instances' cables.
fn host_links() -> Result<Vec<corten_host::netlink::link::Link>> {
    let links = Socket::open().and_then(|socket| socket.links());
    let links = links.map_err(|error| Error::internal(format!("Failed to list the host's interfaces: {error}")))?;
    Ok(links.into_iter().filter(|link| !link.name.starts_with("veth")).collect())
}

/// One network.
///
/// # Errors
/// 404 when neither a managed network nor an interface has the name.
pub fn find(app: &App, project: &str, name: &str) -> Result<Shown> {
    if let Some(row) = app.view(|view| Ok(networks::get(view, project, name)?))? {
        return Ok(managed(users(app, &row.name)?, row));
    }
    let link = if project == DEFAULT_PROJECT { host_links()?.into_iter().find(|link| link.name == name) } else { None };
    let link = link.ok_or_else(|| Error::not_found("Network not found"))?;
    Ok(unmanaged(users(app, &link.name)?, &link))
}

fn managed(used_by: Vec<String>, row: networks::Network) -> Shown {
    Shown {
        config: row.config,
        description: row.description,
        name: row.name,
        r#type: row.kind,
        used_by,
        managed: true,
        status: row.state.name().to_string(),
        locations: vec!["none".to_string()],
    }
}

fn unmanaged(used_by: Vec<String>, link: &corten_host::netlink::link::Link) -> Shown {
    let kind = interface::api_type(link);
    let used_by = if kind == "loopback" { Vec::new() } else { used_by };
    Shown { name: link.name.clone(), r#type: kind.to_string(), used_by, ..Shown::default() }
}

/// Paths of the instances and profiles with a NIC on the network or interface, and of networks on top of it.
///
/// # Errors
/// Those of the database.
pub fn users(app: &App, name: &str) -> Result<Vec<String>> {
    Ok(used_by(app, Some(name))?.remove(name).unwrap_or_default())
}

/// The same for one of them or for all, by its name: as many questions for all as for one.
fn used_by(app: &App, name: Option<&str>) -> Result<HashMap<String, Vec<String>>> {
    let mut used: HashMap<String, Vec<String>> = HashMap::new();
    for (name, user) in app.view(|view| Ok(network_users(view, name)?))? {
        used.entry(name).or_default().push(user_url(&user));
    }
    for paths in used.values_mut() {
        paths.sort();
        paths.dedup();
    }
    Ok(used)
}

/// The interface of a network.
///
/// # Errors
/// 404 when there is no such network or interface.
pub fn state(app: &App, project: &str, name: &str) -> Result<NetworkState> {
    match app.view(|view| Ok(networks::get(view, project, name)?))? {
        Some(row) => Ok(open(app, &row)?.state()?),
        None if project == DEFAULT_PROJECT => Ok(corten_network::state::of(name)?),
        None => Err(Error::not_found("Network not found")),
    }
}
