//! `lxc network`: managed networks and the host's own interfaces.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::network::{Network, NetworkLease, NetworkPut, NetworksPost};

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset, say};
use crate::session::Session;
use crate::{entity_commands, key_value, run, table};

mod attach;
mod info;

/// The group.
pub static COMMAND: Command = Command {
    name: "network",
    about: "Manage and attach instances to networks",
    children: &[
        &super::network_acl::COMMAND,
        &attach::ATTACH,
        &attach::ATTACH_PROFILE,
        &CREATE,
        &DELETE,
        &attach::DETACH,
        &attach::DETACH_PROFILE,
        &EDIT,
        &super::network_forward::COMMAND,
        &GET,
        &info::INFO,
        &LIST,
        &LIST_LEASES,
        &super::network_peer::COMMAND,
        &RENAME,
        &SET,
        &SHOW,
        &UNSET,
        &super::network_zone::COMMAND,
    ],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<network> [key=value...]",
    about: "Create new networks",
    examples: "lxc network create lxdbr0\n    Makes a bridge with addresses of its own choice.\n\nlxc network create uplink --type=macvlan parent=eth0\n    Makes a network whose ports are beside the host's on eth0.",
    flags: &[entity::TARGET, Flag::text("type", "Network type").short('t')],
    words: (1, None),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<network>",
    about: "Delete networks",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfNetwork>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List available networks",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static LIST_LEASES: Command = Command {
    name: "list-leases",
    usage: "[<remote>:]<network>",
    about: "List DHCP leases",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(list_leases),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<network> <new-name>",
    about: "Rename networks",
    words: (2, Some(2)),
    run: run!(entity::rename::<OfNetwork>),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<network>",
    about: "Show network configurations",
    flags: &[entity::TARGET],
    words: (1, Some(1)),
    run: run!(entity::show::<OfNetwork>),
    ..Command::EMPTY
};

entity_commands!(OfNetwork, "network", "network", "[<remote>:]<network>", 1, &[entity::TARGET], &[]);

struct OfNetwork;

impl Entity for OfNetwork {
    type Whole = Network;
    type Writable = NetworkPut;

    const NOUN: &'static str = "Network";
    const EDIT_HEADER: &'static str = "\
### The configuration of a network, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A network has configuration keys, like this:
### name: lxdbr0
### config:
###   ipv4.address: 10.62.42.1/24
###   ipv4.nat: \"true\"
###   ipv6.address: fd00:56ad:9f7a:9800::1/64
###   ipv6.nat: \"true\"
### managed: true
### type: bridge
###
### Only the configuration and the description can be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "networks", "Missing network name").await
    }

    fn writable(whole: &Network) -> NetworkPut {
        whole.writable()
    }

    fn check_changeable(whole: &Network) -> Result<()> {
        if whole.managed { Ok(()) } else { Err(Error::invalid("Only managed networks can be modified")) }
    }

    fn arrange(whole: &mut Network) {
        whole.used_by.sort();
    }
}

impl Configured for OfNetwork {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let config = key_value::all(arguments.rest(1), |word| format!("Bad key/value pair: {word}"))?;
    let network = NetworksPost {
        name: found.name.clone(),
        r#type: arguments.text("type").to_owned(),
        config,
        ..NetworksPost::default()
    };
    entity::at_target(found.server, arguments).post("/1.0/networks", &network).await?;
    let name = &found.name;
    say(
        session,
        &match arguments.text("target") {
            "" => format!("Network {name} created"),
            target => format!("Network {name} pending on member {target}"),
        },
    );
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if !found.name.is_empty() {
        return Err(Error::invalid("Filtering isn't supported yet"));
    }
    let networks: Vec<Network> = found.server.get("/1.0/networks?recursion=1").await?;
    let mut rows: Vec<Vec<String>> = networks
        .iter()
        .filter(|network| !matches!(network.r#type.as_str(), "loopback" | "unknown"))
        .map(|network| {
            let key = |key: &str| network.config.get(key).cloned().unwrap_or_default();
            vec![
                network.name.clone(),
                network.r#type.clone(),
                if network.managed { "YES" } else { "NO" }.to_owned(),
                key("ipv4.address"),
                key("ipv6.address"),
                network.description.clone(),
                network.used_by.len().to_string(),
                network.status.to_uppercase(),
            ]
        })
        .collect();
    table::order::by_cells(&mut rows);
    let header = ["NAME", "TYPE", "MANAGED", "IPV4", "IPV6", "DESCRIPTION", "USED BY", "STATE"];
    table::print(arguments, &header, &rows, &networks)
}

async fn list_leases(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    let leases: Vec<NetworkLease> = place.server.get(&format!("{}/leases", place.path)).await?;
    let clustered = entity::is_clustered(&place.server).await?;
    let mut rows: Vec<Vec<String>> = leases
        .iter()
        .map(|lease| {
            let mut row =
                vec![lease.hostname.clone(), lease.hwaddr.clone(), lease.address.clone(), lease.r#type.to_uppercase()];
            row.extend(clustered.then(|| lease.location.clone()));
            row
        })
        .collect();
    table::order::by_cells(&mut rows);
    let mut header = vec!["HOSTNAME", "MAC ADDRESS", "IP ADDRESS", "TYPE"];
    header.extend(clustered.then_some("LOCATION"));
    table::print(arguments, &header, &rows, &leases)
}
