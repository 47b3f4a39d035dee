//! `lxc cluster`: members of a cluster, their roles and groups.

use std::collections::BTreeMap;

use corten_api::cluster::{Cluster, ClusterMember, ClusterMemberPut};
use corten_api::error::{Error, Result};
use corten_api::{url, yaml};
use corten_client::server::Server;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, say};
use crate::session::Session;
use crate::{editor, printer, question, run, table};

mod group;
mod role;
mod server;
mod token;

/// The group.
pub static COMMAND: Command = Command {
    name: "cluster",
    about: "Manage cluster members",
    children: &[
        &token::ADD,
        &EDIT_MEMBER,
        &server::ENABLE,
        &server::EVACUATE,
        &GET_MEMBER,
        &group::COMMAND,
        &LIST,
        &token::LIST_TOKENS,
        &REMOVE,
        &RENAME,
        &server::RESTORE,
        &token::REVOKE_TOKEN,
        &role::COMMAND,
        &SET,
        &SHOW,
        &UNSET,
        &server::UPDATE_CERTIFICATE,
    ],
    ..Command::EMPTY
};

static EDIT_MEMBER: Command = Command {
    name: "edit",
    usage: "[<remote>:]<cluster member>",
    about: "Edit cluster member configurations as YAML",
    examples: "lxc cluster edit <cluster member> < member.yaml\n    Gives the member the configuration in member.yaml.",
    words: (1, Some(1)),
    run: run!(edit),
    ..Command::EMPTY
};

static GET_MEMBER: Command = Command {
    name: "get",
    usage: "[<remote>:]<member> <key>",
    about: "Get values for cluster member configuration keys",
    words: (2, Some(2)),
    run: run!(get),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List all the cluster members",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    aliases: &["rm"],
    usage: "[<remote>:]<member>",
    about: "Remove a member from the cluster",
    flags: &[
        Flag::switch("force", "Force removing a member, even if degraded").short('f'),
        Flag::switch("yes", "Don't require user confirmation for using --force"),
    ],
    words: (1, Some(1)),
    run: run!(remove),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<member> <new-name>",
    about: "Rename a cluster member",
    words: (2, Some(2)),
    run: run!(rename),
    ..Command::EMPTY
};

static SET: Command = Command {
    name: "set",
    usage: "[<remote>:]<member> <key>=<value>...",
    about: "Set a cluster member's configuration keys",
    words: (2, None),
    run: run!(entity::set::<OfMember>),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<member>",
    about: "Show details of a cluster member",
    words: (1, Some(1)),
    run: run!(entity::show::<OfMember>),
    ..Command::EMPTY
};

static UNSET: Command = Command {
    name: "unset",
    usage: "[<remote>:]<member> <key>",
    about: "Unset a cluster member's configuration keys",
    words: (2, Some(2)),
    run: run!(entity::unset::<OfMember>),
    ..Command::EMPTY
};

const MISSING: &str = "Missing cluster member name";

const EDIT_HEADER: &str = "\
### The configuration of a cluster member, as YAML.
### Lines that begin with a '#' are comments and are left out.";

struct OfMember;

impl Entity for OfMember {
    type Whole = ClusterMember;
    type Writable = ClusterMemberPut;

    const NOUN: &'static str = "Member";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        let found = session.resource(arguments.word(0)).await?;
        if found.name.is_empty() {
            return Err(Error::invalid(MISSING));
        }
        found.server.require_extension("clustering").await?;
        let path = url::path(["cluster", "members", &found.name]);
        Ok(Place { server: found.server, path, name: found.name, words: 1 })
    }

    fn writable(whole: &ClusterMember) -> ClusterMemberPut {
        whole.writable()
    }
}

impl Configured for OfMember {
    fn config(writable: &mut ClusterMemberPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

/// Refuses servers that are in no cluster.
async fn require_cluster(server: &Server) -> Result<()> {
    server.require_extension("clustering").await?;
    let cluster: Cluster = server.get("/1.0/cluster").await?;
    if cluster.enabled { Ok(()) } else { Err(Error::invalid("LXD server isn't part of a cluster")) }
}

/// Changes what may be changed of a member.
async fn change(place: &Place, edit: impl FnOnce(&mut ClusterMemberPut) -> Result<()>) -> Result<()> {
    let (member, etag): (ClusterMember, _) = place.server.get_with_etag(&place.path).await?;
    let mut writable = member.writable();
    edit(&mut writable)?;
    place.server.put(&place.path, &writable, &etag).await
}

async fn get(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let member: ClusterMember = place.server.get(&place.path).await?;
    let key = arguments.word(1);
    let Some(value) = member.config.get(key) else {
        return Err(Error::not_found(format!("The key {key:?} does not exist on cluster member {:?}", place.name)));
    };
    printer::print_line(value);
    Ok(())
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    if let Some(text) = editor::from_stdin()? {
        return place.server.put(&place.path, &OfMember::read(&text)?, "").await;
    }
    let (member, etag): (ClusterMember, _) = place.server.get_with_etag(&place.path).await?;
    let text = format!("{EDIT_HEADER}\n\n{}", yaml::to_string(&member.writable())?);
    editor::until_taken(text, async |text| place.server.put(&place.path, &OfMember::read(text)?, &etag).await).await
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    require_cluster(&found.server).await?;
    let members: Vec<ClusterMember> = found.server.get("/1.0/cluster/members?recursion=1").await?;
    let between_roles = if arguments.text("format") == "csv" { "," } else { "\n" };
    let mut rows: Vec<Vec<String>> = members
        .iter()
        .map(|member| {
            vec![
                member.server_name.clone(),
                member.url.clone(),
                member.roles.join(between_roles),
                member.architecture.clone(),
                member.failure_domain.clone(),
                member.description.clone(),
                member.status.to_uppercase(),
                member.message.clone(),
            ]
        })
        .collect();
    table::order::by_cells(&mut rows);
    let header = ["NAME", "URL", "ROLES", "ARCHITECTURE", "FAILURE DOMAIN", "DESCRIPTION", "STATE", "MESSAGE"];
    table::print(arguments, &header, &rows, &members)
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let force = arguments.is_set("force");
    if force && !arguments.is_set("yes") {
        let answer = question::line(&format!(
            "A server that is removed by force loses all that it holds, and must be set up anew before it can be used.\n\
             Only do this when it has died for good; otherwise move away what it has, and remove it without --force.\n\n\
             Are you really sure you want to force removing {}? (yes/no): ",
            place.name
        ))?;
        if answer.to_lowercase() != "yes" {
            return Err(Error::invalid("User aborted delete operation"));
        }
    }
    let query = if force { "?force=1" } else { "" };
    place.server.delete(&format!("{}{query}", place.path)).await?;
    say(session, &format!("Member {} removed", place.name));
    Ok(())
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let name = arguments.word(1);
    place.server.post(&place.path, &serde_json::json!({ "server_name": name })).await?;
    say(session, &format!("Member {} renamed to {name}", place.name));
    Ok(())
}
