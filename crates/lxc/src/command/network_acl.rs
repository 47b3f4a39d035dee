//! `lxc network acl`: rules of who may talk to whom.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::network_acl::{NetworkACL, NetworkACLPut};
use corten_client::http::Ask;
use hyper::Method;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset};
use crate::session::Session;
use crate::{entity_commands, printer, run, table};

mod rule;

/// The group.
pub static COMMAND: Command = Command {
    name: "acl",
    about: "Manage network ACLs",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &LIST, &RENAME, &rule::COMMAND, &SET, &SHOW, &SHOW_LOG, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<ACL> [key=value...]",
    about: "Create new network ACLs",
    words: (1, None),
    run: run!(entity::create::<OfAcl>),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<ACL>",
    about: "Delete network ACLs",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfAcl>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List available network ACLS",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<ACL> <new-name>",
    about: "Rename network ACLs",
    words: (2, Some(2)),
    run: run!(entity::rename::<OfAcl>),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<ACL>",
    about: "Show network ACL configurations",
    words: (1, Some(1)),
    run: run!(entity::show::<OfAcl>),
    ..Command::EMPTY
};

static SHOW_LOG: Command = Command {
    name: "show-log",
    usage: "[<remote>:]<ACL>",
    about: "Show network ACL log",
    words: (1, Some(1)),
    run: run!(show_log),
    ..Command::EMPTY
};

entity_commands!(OfAcl, "network ACL", "network acl", "[<remote>:]<ACL>", 1, &[], &[]);

struct OfAcl;

impl Entity for OfAcl {
    type Whole = NetworkACL;
    type Writable = NetworkACLPut;

    const NOUN: &'static str = "Network ACL";
    const EDIT_HEADER: &'static str = "\
### A network ACL, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### An ACL has rules and configuration keys, like this:
### name: allow-all-inbound
### description: What comes in may come in
### egress: []
### ingress:
### - action: allow
###   state: enabled
### config:
###   user.foo: bar
###
### Only the rules, the description and the configuration can be changed.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "network-acls", "Missing network ACL name").await
    }

    fn writable(whole: &NetworkACL) -> NetworkACLPut {
        whole.writable()
    }

    fn read(text: &str) -> Result<NetworkACLPut> {
        entity::read_strictly::<OfAcl>(text)
    }

    fn arrange(whole: &mut NetworkACL) {
        whole.used_by.sort();
    }
}

impl Configured for OfAcl {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut NetworkACLPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if !found.name.is_empty() {
        return Err(Error::invalid("Filtering isn't supported yet"));
    }
    let acls: Vec<NetworkACL> = found.server.get("/1.0/network-acls?recursion=1").await?;
    let mut rows: Vec<Vec<String>> =
        acls.iter().map(|acl| vec![acl.name.clone(), acl.description.clone(), acl.used_by.len().to_string()]).collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "DESCRIPTION", "USED BY"], &rows, &acls)
}

async fn show_log(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfAcl::place(session, arguments).await?;
    let bytes = entity::download(&place.server, Ask::new(Method::GET, format!("{}/log", place.path))).await?;
    printer::print_bytes(&bytes);
    Ok(())
}
