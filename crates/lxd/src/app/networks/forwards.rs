//! Forwards of a network: rows, and the firewall's rules that follow from all rows of the network together.

pub mod check;

use std::net::IpAddr;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::network_forward::{NetworkForward, NetworkForwardPort, NetworkForwardPut, NetworkForwardsPost};
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{network_forwards as table, networks};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_network::firewall::forward::{self, Forward};
use corten_network::subnet::Subnet;

use crate::app::App;
use crate::app::check::stored;

fn shown(row: &table::Forward) -> Result<NetworkForward> {
    Ok(NetworkForward {
        description: row.description.clone(),
        config: row.config.clone(),
        ports: ports(row)?,
        listen_address: row.listen_address.clone(),
        location: "none".to_string(),
    })
}

fn ports(row: &table::Forward) -> Result<Vec<NetworkForwardPort>> {
    if row.ports.is_empty() {
        return Ok(Vec::new());
    }
    let ports: Option<Vec<NetworkForwardPort>> = serde_json::from_str(&row.ports)
        .map_err(|error| Error::internal(format!("Failed unmarshalling ports: {error}")))?;
    Ok(ports.unwrap_or_default())
}

/// The row of a forward that is to be.
fn row(network: &networks::Network, listen: IpAddr, put: &NetworkForwardPut) -> Result<table::Forward> {
    let ports = if put.ports.is_empty() { Ok(String::new()) } else { serde_json::to_string(&put.ports) };
    Ok(table::Forward {
        id: 0,
        network_id: network.id,
        listen_address: listen.to_string(),
        description: put.description.clone(),
        ports: ports.map_err(|error| Error::internal(format!("Failed marshalling ports: {error}")))?,
        config: stored(&put.config),
    })
}

/// Refuses networks that have no forwards.
///
/// # Errors
/// 400, in LXD's words.
pub fn must_support(network: &networks::Network) -> Result<()> {
    match network.kind.as_str() {
        "bridge" => Ok(()),
        kind => Err(Error::invalid(format!("Network driver {kind:?} does not support forwards"))),
    }
}

/// All forwards of a network.
///
/// # Errors
/// The database's.
pub fn list(app: &App, network: &networks::Network) -> Result<Vec<NetworkForward>> {
    let rows = app.view(|view| Ok(table::list(view, Some(network.id))?))?;
    rows.iter().map(shown).collect()
}

/// One forward.
///
/// # Errors
/// 404.
pub fn find(app: &App, network: &networks::Network, address: &str) -> Result<NetworkForward> {
    shown(&app.view(|view| get(view, network, address))?)
}

fn get(view: &View<'_>, network: &networks::Network, address: &str) -> Result<table::Forward, Abort> {
    // As it is stored, whatever form the client chose.
    let address = address.parse::<IpAddr>().map_or_else(|_| address.to_string(), |address| address.to_string());
    let row = table::get(view, network.id, &address)?;
    Ok(row.ok_or_else(|| Error::not_found("Network forward not found"))?)
}

/// Makes a forward.
///
/// # Errors
/// 409 when the address has one, or what is not right, in LXD's words; nothing is left then.
pub fn create(app: &Arc<App>, network: &networks::Network, post: &NetworkForwardsPost) -> Result<()> {
    let mut put = post.writable();
    check::normalise(&mut put);
    let listen = post.listen_address.trim();
    let listen: IpAddr = listen.parse().map_err(|_| {
        Error::internal(format!(
            "Failed parsing address forward listen address {listen:?}: Invalid IP address {listen:?}"
        ))
    })?;
    check::check(&network.config, listen, &put)?;
    let new = row(network, listen, &put)?;
    let mut undo = Undo::default();
    step(
        &mut undo,
        "remember the forward",
        || {
            app.write(|tx| {
                if table::get(tx, network.id, &new.listen_address)?.is_some() {
                    return Err(Error::conflict("A forward for that listen address already exists").into());
                }
                must_be_nobodys(tx, network, listen)?;
                Ok(table::insert(tx, &new)?)
            })
        },
        |id| {
            let (app, id) = (app.clone(), *id);
            move || app.take_away(|tx| Ok(table::delete(tx, id)?))
        },
    )?;
    put_in_force(app, network)?;
    undo.keep();
    Ok(())
}

/// Refuses an address that another network has, or that is forwarded already.
fn must_be_nobodys(view: &View<'_>, network: &networks::Network, listen: IpAddr) -> Result<(), Abort> {
    let refused = || {
        let bits = if listen.is_ipv4() { 32 } else { 128 };
        let told = format!("{listen}/{bits}");
        Error::internal(format!("Forward listen address {told:?} overlaps with another network or NIC"))
    };
    for other in networks::list(view, None)? {
        let keys =
            ["ipv4.address", "ipv6.address", "ipv4.nat.address", "ipv6.nat.address", "ipv4.routes", "ipv6.routes"];
        for value in keys.iter().filter_map(|key| other.config.get(*key)) {
            let holds = value.split(',').filter_map(|part| part.trim().parse::<Subnet>().ok());
            if other.id != network.id && holds.map(|subnet| subnet.network()).any(|subnet| subnet.contains(listen)) {
                return Err(refused().into());
            }
        }
    }
    if table::list(view, None)?.iter().any(|row| row.listen_address == listen.to_string()) {
        return Err(refused().into());
    }
    Ok(())
}

/// Replaces what may be changed of a forward.
///
/// # Errors
/// 404, or what is not right, in LXD's words; it is as before then.
pub fn update(app: &Arc<App>, network: &networks::Network, address: &str, put: &NetworkForwardPut) -> Result<()> {
    let mut put = put.clone();
    check::normalise(&mut put);
    let old = app.view(|view| get(view, network, address))?;
    let listen: IpAddr = old.listen_address.parse().map_err(|_| Error::internal("Invalid listen address"))?;
    check::check(&network.config, listen, &put)?;
    let new = table::Forward { id: old.id, ..row(network, listen, &put)? };
    if new == old {
        return Ok(());
    }
    let mut undo = Undo::default();
    step(
        &mut undo,
        "remember the forward",
        || app.write(|tx| Ok(table::update(tx, &new)?)),
        |()| {
            let (app, old) = (app.clone(), old.clone());
            move || app.take_away(|tx| Ok(table::update(tx, &old)?))
        },
    )?;
    put_in_force(app, network)?;
    undo.keep();
    Ok(())
}

/// Removes a forward.
///
/// # Errors
/// 404, or what the firewall says; it is as before then.
pub fn delete(app: &Arc<App>, network: &networks::Network, address: &str) -> Result<()> {
    let old = app.view(|view| get(view, network, address))?;
    let mut undo = Undo::default();
    step(
        &mut undo,
        "forget the forward",
        || app.take_away(|tx| Ok(table::delete(tx, old.id)?)),
        |()| {
            let (app, old) = (app.clone(), old.clone());
            move || app.take_away(|tx| Ok(table::insert(tx, &old).map(drop)?))
        },
    )?;
    put_in_force(app, network)?;
    undo.keep();
    Ok(())
}

/// Applies what is remembered now, as the last step: one transaction of the firewall, so that the rules are still those of
/// the rows before when it fails.
fn put_in_force(app: &App, network: &networks::Network) -> Result<()> {
    pass("put the forwards in force")?;
    apply(app, network)
}

/// Makes the firewall's rules those of the remembered forwards.
///
/// # Errors
/// When nft is missing or refuses.
pub fn apply(app: &App, network: &networks::Network) -> Result<()> {
    let rows = app.view(|view| Ok(table::list(view, Some(network.id))?))?;
    let mut rules = Vec::new();
    for row in &rows {
        rules.extend(of_row(row)?);
    }
    Ok(forward::set_network(&network.name, &rules)?)
}

/// Takes the rules of a network that has forwards away.
///
/// # Errors
/// When nft is missing or refuses.
pub fn clear(app: &App, network: &networks::Network) -> Result<()> {
    let any = !app.view(|view| Ok(table::list(view, Some(network.id))?))?.is_empty();
    if any { Ok(forward::set_network(&network.name, &[])?) } else { Ok(()) }
}

/// Applies the forwards of a network that has any; what has none has no rules.
///
/// # Errors
/// As [`apply`].
pub fn apply_if_any(app: &App, network: &networks::Network) -> Result<()> {
    let any = !app.view(|view| Ok(table::list(view, Some(network.id))?))?.is_empty();
    if any { apply(app, network) } else { Ok(()) }
}

fn of_row(row: &table::Forward) -> Result<Vec<Forward>> {
    let wrong = |what: &str| Error::internal(format!("The forward {} has no {what}", row.listen_address));
    let listen: IpAddr = row.listen_address.parse().map_err(|_| wrong("address"))?;
    let mut rules = Vec::new();
    if let Some(target) = row.config.get("target_address") {
        let target = target.parse().map_err(|_| wrong("target"))?;
        rules.push(Forward { protocol: None, listen, listen_ports: Vec::new(), target, target_ports: Vec::new() });
    }
    for port in ports(row)? {
        rules.push(Forward {
            protocol: Some(if port.protocol == "udp" { "udp" } else { "tcp" }),
            listen,
            listen_ports: check::ports(&port.listen_port).map_err(|_| wrong("ports"))?,
            target: port.target_address.parse().map_err(|_| wrong("target"))?,
            target_ports: check::ports(&port.target_port).map_err(|_| wrong("ports"))?,
        });
    }
    Ok(rules)
}
