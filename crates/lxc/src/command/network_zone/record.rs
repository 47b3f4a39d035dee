//! `lxc network zone record`: entries of a zone beside those of instances.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::network_zone::{NetworkZoneRecord, NetworkZoneRecordEntry, NetworkZoneRecordPut};

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset};
use crate::session::Session;
use crate::{entity_commands, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "record",
    about: "Manage network zone records",
    children: &[&CREATE, &DELETE, &EDIT, &ENTRY, &GET, &LIST, &SET, &SHOW, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<zone> <record> [key=value...]",
    about: "Create new network zone record",
    words: (2, None),
    run: run!(entity::create::<OfRecord>),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<zone> <record>",
    about: "Delete network zone record",
    words: (2, Some(2)),
    run: run!(entity::delete::<OfRecord>),
    ..Command::EMPTY
};

static ENTRY: Command = Command {
    name: "entry",
    about: "Manage network zone record entries",
    children: &[&ENTRY_ADD, &ENTRY_REMOVE],
    ..Command::EMPTY
};

static ENTRY_ADD: Command = Command {
    name: "add",
    usage: "[<remote>:]<zone> <record> <type> <value>",
    about: "Add a network zone record entry",
    flags: &[Flag::uint("ttl", "0", "Entry TTL")],
    words: (4, Some(4)),
    run: run!(add_entry),
    ..Command::EMPTY
};

static ENTRY_REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<zone> <record> <type> <value>",
    about: "Remove a network zone record entry",
    words: (4, Some(4)),
    run: run!(remove_entry),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]<zone>",
    about: "List available network zone records",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<zone> <record>",
    about: "Show network zone record configuration",
    words: (2, Some(2)),
    run: run!(entity::show::<OfRecord>),
    ..Command::EMPTY
};

entity_commands!(OfRecord, "network zone record", "network zone record", "[<remote>:]<zone> <record>", 2, &[], &[]);

const MISSING: [&str; 2] = ["Missing network zone name", "Missing network zone record name"];

struct OfRecord;

impl Entity for OfRecord {
    type Whole = NetworkZoneRecord;
    type Writable = NetworkZoneRecordPut;

    const NOUN: &'static str = "Network zone record";
    const EDIT_HEADER: &'static str = "\
### A record of a network zone, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### It looks like this:
### name: www
### description: The web server
### entries:
### - type: TXT
###   ttl: 0
###   value: v=spf1 -all
### config:
###   user.foo: bar
###
### Only the entries, the description and the configuration can be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named_below(session, arguments, ["network-zones", "records"], MISSING).await
    }

    fn writable(whole: &NetworkZoneRecord) -> NetworkZoneRecordPut {
        whole.writable()
    }

    fn read(text: &str) -> Result<NetworkZoneRecordPut> {
        entity::read_strictly::<OfRecord>(text)
    }
}

impl Configured for OfRecord {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkZoneRecordPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let zone = entity::named(session, arguments, "network-zones", MISSING[0]).await?;
    let records: Vec<NetworkZoneRecord> = zone.server.get(&format!("{}/records?recursion=1", zone.path)).await?;
    let mut rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| {
            let entries: Vec<String> =
                record.entries.iter().map(|entry| format!("{} {}", entry.r#type, entry.value)).collect();
            vec![record.name.clone(), record.description.clone(), entries.join("\n")]
        })
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "DESCRIPTION", "ENTRIES"], &rows, &records)
}

/// Changes the entries of a record.
async fn change_entries(
    session: &Session,
    arguments: &Arguments,
    edit: impl FnOnce(&mut Vec<NetworkZoneRecordEntry>) -> Result<()>,
) -> Result<()> {
    let place = OfRecord::place(session, arguments).await?;
    let (mut record, etag): (NetworkZoneRecord, _) = place.server.get_with_etag(&place.path).await?;
    edit(&mut record.entries)?;
    place.server.put(&place.path, &record.writable(), &etag).await
}

async fn add_entry(session: &Session, arguments: &Arguments) -> Result<()> {
    let entry = NetworkZoneRecordEntry {
        r#type: arguments.word(2).to_owned(),
        value: arguments.word(3).to_owned(),
        ttl: arguments.text_or("ttl", "0").parse().unwrap_or_default(),
    };
    change_entries(session, arguments, |entries| {
        entries.push(entry);
        Ok(())
    })
    .await
}

async fn remove_entry(session: &Session, arguments: &Arguments) -> Result<()> {
    let (kind, value) = (arguments.word(2), arguments.word(3));
    change_entries(session, arguments, |entries| {
        match entries.iter().position(|entry| entry.r#type == kind && entry.value == value) {
            Some(place) => {
                entries.remove(place);
                Ok(())
            }
            None => Err(Error::not_found("Couldn't find a matching entry")),
        }
    })
    .await
}
