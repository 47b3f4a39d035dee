//! `lxc network peer`: networks that reach each other directly.

use std::collections::BTreeMap;

use corten_api::error::{Context, Error, Result};
use corten_api::network_peer::{NetworkPeer, NetworkPeerPut, NetworkPeersPost};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset, say};
use crate::session::Session;
use crate::{entity_commands, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "peer",
    about: "Manage network peerings",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &LIST, &SET, &SHOW, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<network> <peer_name> <[target project/]target_network> [key=value...]",
    about: "Create new network peering",
    words: (3, None),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<network> <peer_name>",
    about: "Delete network peerings",
    words: (2, Some(2)),
    run: run!(entity::delete::<OfPeer>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]<network>",
    about: "List available network peers",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<network> <peer name>",
    about: "Show network peer configurations",
    words: (2, Some(2)),
    run: run!(entity::show::<OfPeer>),
    ..Command::EMPTY
};

entity_commands!(OfPeer, "network peer", "network peer", "[<remote>:]<network> <peer_name>", 2, &[], &[]);

struct OfPeer;

impl Entity for OfPeer {
    type Whole = NetworkPeer;
    type Writable = NetworkPeerPut;

    const NOUN: &'static str = "Network peer";
    const EDIT_HEADER: &'static str = "\
### A network peering, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### It looks like this:
### description: To the network of the other team
### name: mypeer
### target_network: mynetwork2
### config: {}
###
### Only the description and the configuration can be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        let missing = ["Missing network name", "Missing peer name"];
        entity::named_below(session, arguments, ["networks", "peers"], missing).await
    }

    fn writable(whole: &NetworkPeer) -> NetworkPeerPut {
        whole.writable()
    }

    fn read(text: &str) -> Result<NetworkPeerPut> {
        entity::read_strictly::<OfPeer>(text)
    }
}

impl Configured for OfPeer {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkPeerPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfPeer::place(session, arguments).await?;
    let target = arguments.word(2);
    if target.is_empty() {
        return Err(Error::invalid("Missing target network"));
    }
    let (project, network) = target.split_once('/').unwrap_or(("", target));
    let peer = entity::wanted::<OfPeer>(arguments, 3)?;
    let request = NetworkPeersPost {
        name: place.name.clone(),
        target_project: project.to_owned(),
        target_network: network.to_owned(),
        config: peer.config,
        description: peer.description,
    };
    place.server.post(place.collection(), &request).await?;
    if session.quiet {
        return Ok(());
    }
    let name = &place.name;
    let made: NetworkPeer = place.server.get(&place.path).await.context("Failed getting peer's status")?;
    say(
        session,
        &match made.status.as_str() {
            "Created" => format!("Network peer {name} created"),
            "Pending" => {
                format!("Network peer {name} pending (please complete mutual peering on peer network)")
            }
            status => format!("Network peer {name} is in unexpected state {status:?}"),
        },
    );
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let network = entity::named(session, arguments, "networks", "Missing network name").await?;
    let peers: Vec<NetworkPeer> = network.server.get(&format!("{}/peers?recursion=1", network.path)).await?;
    let rows: Vec<Vec<String>> = peers
        .iter()
        .map(|peer| {
            let target = match (peer.target_project.as_str(), peer.target_network.as_str()) {
                ("", _) | (_, "") => "Unknown".to_owned(),
                (project, network) => format!("{project}/{network}"),
            };
            vec![peer.name.clone(), peer.description.clone(), target, peer.status.to_uppercase()]
        })
        .collect();
    table::print(arguments, &["NAME", "DESCRIPTION", "PEER", "STATE"], &rows, &peers)
}
