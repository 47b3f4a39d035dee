//! `lxc network zone`: DNS zones made from the names of instances.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::network_zone::{NetworkZone, NetworkZonePut};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset};
use crate::session::Session;
use crate::{entity_commands, run, table};

mod record;

/// The group.
pub static COMMAND: Command = Command {
    name: "zone",
    about: "Manage network zones",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &LIST, &record::COMMAND, &SET, &SHOW, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<Zone> [key=value...]",
    about: "Create new network zones",
    words: (1, None),
    run: run!(entity::create::<OfZone>),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<Zone>",
    about: "Delete network zones",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfZone>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List available network zones",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<Zone>",
    about: "Show network zone configurations",
    words: (1, Some(1)),
    run: run!(entity::show::<OfZone>),
    ..Command::EMPTY
};

entity_commands!(OfZone, "network zone", "network zone", "[<remote>:]<Zone>", 1, &[], &[]);

struct OfZone;

impl Entity for OfZone {
    type Whole = NetworkZone;
    type Writable = NetworkZonePut;

    const NOUN: &'static str = "Network Zone";
    const EDIT_HEADER: &'static str = "\
### A network zone, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### It looks like this:
### name: example.net
### description: Names of our machines
### config:
###   user.foo: bar
###
### Only the description and the configuration can be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "network-zones", "Missing network zone name").await
    }

    fn writable(whole: &NetworkZone) -> NetworkZonePut {
        whole.writable()
    }

    fn read(text: &str) -> Result<NetworkZonePut> {
        entity::read_strictly::<OfZone>(text)
    }

    fn arrange(whole: &mut NetworkZone) {
        whole.used_by.sort();
    }
}

impl Configured for OfZone {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkZonePut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if !found.name.is_empty() {
        return Err(Error::invalid("Filtering isn't supported yet"));
    }
    let zones: Vec<NetworkZone> = found.server.get("/1.0/network-zones?recursion=1").await?;
    let mut rows: Vec<Vec<String>> = zones
        .iter()
        .map(|zone| vec![zone.name.clone(), zone.description.clone(), zone.used_by.len().to_string()])
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "DESCRIPTION", "USED BY"], &rows, &zones)
}
