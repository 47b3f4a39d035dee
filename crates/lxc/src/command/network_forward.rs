//! `lxc network forward`: addresses outside that lead to instances.

use std::collections::BTreeMap;
use std::net::IpAddr;

use corten_api::error::{Error, Result};
use corten_api::network_forward::{NetworkForward, NetworkForwardPort, NetworkForwardPut, NetworkForwardsPost};

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset, say};
use crate::session::Session;
use crate::{entity_commands, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "forward",
    about: "Manage network forwards",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &LIST, &PORT, &SET, &SHOW, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<network> <listen_address> [key=value...]",
    about: "Create new network forwards",
    flags: &[entity::TARGET],
    words: (2, None),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<network> <listen_address>",
    about: "Delete network forwards",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(entity::delete::<OfForward>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]<network>",
    about: "List available network forwards",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static PORT: Command = Command {
    name: "port",
    about: "Manage network forward ports",
    children: &[&PORT_ADD, &PORT_REMOVE],
    ..Command::EMPTY
};

static PORT_ADD: Command = Command {
    name: "add",
    usage: "[<remote>:]<network> <listen_address> <protocol> <listen_port(s)> <target_address> [<target_port(s)>]",
    about: "Add ports to a forward",
    flags: &[entity::TARGET],
    words: (5, Some(6)),
    run: run!(add_port),
    ..Command::EMPTY
};

static PORT_REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<network> <listen_address> [<protocol>] [<listen_port(s)>]",
    about: "Remove ports from a forward",
    flags: &[Flag::switch("force", "Remove all ports that match"), entity::TARGET],
    words: (2, Some(4)),
    run: run!(remove_port),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<network> <listen_address>",
    about: "Show network forward configurations",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(entity::show::<OfForward>),
    ..Command::EMPTY
};

entity_commands!(
    OfForward,
    "network forward",
    "network forward",
    "[<remote>:]<network> <listen_address>",
    2,
    &[entity::TARGET],
    &[entity::TARGET]
);

struct OfForward;

impl Entity for OfForward {
    type Whole = NetworkForward;
    type Writable = NetworkForwardPut;

    const NOUN: &'static str = "Network forward";
    const EDIT_HEADER: &'static str = "\
### A network forward, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A forward has a default target and ports, like this:
### listen_address: 192.0.2.1
### config:
###   target_address: 198.51.100.2
### description: To the web server
### ports:
### - description: port forward
###   protocol: tcp
###   listen_port: 80,81,8080-8090
###   target_address: 198.51.100.3
###   target_port: 80,81,8080-8090
###
### The listen address and the location cannot be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        let missing = ["Missing network name", "Missing listen address"];
        entity::named_below(session, arguments, ["networks", "forwards"], missing).await
    }

    fn writable(whole: &NetworkForward) -> NetworkForwardPut {
        let mut writable = whole.writable();
        writable.ports.iter_mut().for_each(tidy);
        writable
    }

    fn read(text: &str) -> Result<NetworkForwardPut> {
        entity::read_strictly::<OfForward>(text)
    }
}

impl Configured for OfForward {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkForwardPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

/// Addresses in their usual form, everything without spaces around.
fn tidy(port: &mut NetworkForwardPort) {
    port.target_address = address(&port.target_address);
    for field in [&mut port.description, &mut port.protocol, &mut port.listen_port, &mut port.target_port] {
        *field = field.trim().to_owned();
    }
}

fn address(text: &str) -> String {
    text.trim().parse::<IpAddr>().map_or_else(|_| text.to_owned(), |address| address.to_string())
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfForward::place(session, arguments).await?;
    let NetworkForwardPut { description, config, mut ports } = entity::wanted::<OfForward>(arguments, 2)?;
    ports.iter_mut().for_each(tidy);
    let listen_address = address(&place.name);
    let request = NetworkForwardsPost { description, config, ports, listen_address: listen_address.clone() };
    place.server.post(place.collection(), &request).await?;
    say(session, &format!("Network forward {listen_address} created"));
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let network = entity::named(session, arguments, "networks", "Missing network name").await?;
    let forwards: Vec<NetworkForward> = network.server.get(&format!("{}/forwards?recursion=1", network.path)).await?;
    let clustered = entity::is_clustered(&network.server).await?;
    let mut rows: Vec<Vec<String>> = forwards
        .iter()
        .map(|forward| {
            let target = forward.config.get("target_address").cloned().unwrap_or_default();
            let ports = forward.ports.len().to_string();
            let mut row = vec![forward.listen_address.clone(), forward.description.clone(), target, ports];
            row.extend(clustered.then(|| forward.location.clone()));
            row
        })
        .collect();
    table::order::by_cells(&mut rows);
    let mut header = vec!["LISTEN ADDRESS", "DESCRIPTION", "DEFAULT TARGET ADDRESS", "PORTS"];
    header.extend(clustered.then_some("LOCATION"));
    table::print(arguments, &header, &rows, &forwards)
}

/// Changes the ports of a forward.
async fn change_ports(
    session: &Session,
    arguments: &Arguments,
    edit: impl FnOnce(&mut Vec<NetworkForwardPort>) -> Result<()>,
) -> Result<()> {
    let place = OfForward::place(session, arguments).await?;
    let (mut forward, etag): (NetworkForward, _) = place.server.get_with_etag(&place.path).await?;
    edit(&mut forward.ports)?;
    place.server.put(&place.path, &OfForward::writable(&forward), &etag).await
}

async fn add_port(session: &Session, arguments: &Arguments) -> Result<()> {
    let port = NetworkForwardPort {
        protocol: arguments.word(2).to_owned(),
        listen_port: arguments.word(3).to_owned(),
        target_address: arguments.word(4).to_owned(),
        target_port: arguments.word(5).to_owned(),
        ..NetworkForwardPort::default()
    };
    change_ports(session, arguments, |ports| {
        ports.push(port);
        Ok(())
    })
    .await
}

async fn remove_port(session: &Session, arguments: &Arguments) -> Result<()> {
    let (protocol, listen_port) = (arguments.words.get(2), arguments.words.get(3));
    let matches = |port: &NetworkForwardPort| {
        protocol.is_none_or(|protocol| port.protocol == *protocol)
            && listen_port.is_none_or(|listen_port| port.listen_port == *listen_port)
    };
    change_ports(session, arguments, |ports| match ports.iter().filter(|port| matches(port)).count() {
        0 => Err(Error::invalid("No matching port(s) found")),
        2.. if !arguments.is_set("force") => {
            Err(Error::invalid("Multiple ports match. Use --force to remove them all"))
        }
        _ => {
            ports.retain(|port| !matches(port));
            Ok(())
        }
    })
    .await
}
