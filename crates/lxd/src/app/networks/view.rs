//! Networks as the API shows them: managed ones, and the host's own interfaces beside them.

use corten_api::error::{Error, Result};
use corten_api::network::{Network as Shown, NetworkState};
use corten_api::url::DEFAULT_PROJECT;
use corten_db::table::networks;
use corten_db::table::used_by::{self, User};
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
    let mut shown = rows.iter().map(|row| managed(app, row)).collect::<Result<Vec<Shown>>>()?;
    if project == DEFAULT_PROJECT {
        for link in host_links()? {
            if !shown.iter().any(|one| one.name == link.name) {
                shown.push(unmanaged(app, &link)?);
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
        return managed(app, &row);
    }
    let link = if project == DEFAULT_PROJECT { host_links()?.into_iter().find(|link| link.name == name) } else { None };
    unmanaged(app, &link.ok_or_else(|| Error::not_found("Network not found"))?)
}

fn managed(app: &App, row: &networks::Network) -> Result<Shown> {
    Ok(Shown {
        config: row.config.clone(),
        description: row.description.clone(),
        name: row.name.clone(),
        r#type: row.kind.clone(),
        used_by: users(app, &row.name)?,
        managed: true,
        status: row.state.name().to_string(),
        locations: vec!["none".to_string()],
    })
}

fn unmanaged(app: &App, link: &corten_host::netlink::link::Link) -> Result<Shown> {
    let kind = interface::api_type(link);
    let used_by = if kind == "loopback" { Vec::new() } else { users(app, &link.name)? };
    Ok(Shown { name: link.name.clone(), r#type: kind.to_string(), used_by, ..Shown::default() })
}

/// Paths of the instances and profiles with a NIC on the network or interface, and of networks on top of it.
///
/// # Errors
/// Those of the database.
pub fn users(app: &App, name: &str) -> Result<Vec<String>> {
    let users: Vec<User> = app.view(|view| {
        let mut users = used_by::device_users(view, "nic", "network", name)?;
        users.extend(used_by::device_users(view, "nic", "parent", name)?);
        users.extend(used_by::parent_users(view, name)?);
        Ok(users)
    })?;
    let mut paths: Vec<String> = users.iter().map(user_url).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
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
