//! `lxc cluster group`: sets of members that instances can be placed on.

use corten_api::cluster::{ClusterGroup, ClusterGroupPut, ClusterGroupsPost};
use corten_api::error::{Error, Result};
use corten_api::url;

use super::{OfMember, change, require_cluster};
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::{self, Entity, Place, say};
use crate::session::Session;
use crate::{run, table};

/// The group of commands.
pub static COMMAND: Command = Command {
    name: "group",
    about: "Manage cluster groups",
    children: &[&ASSIGN, &CREATE, &DELETE, &EDIT, &LIST, &REMOVE, &RENAME, &SHOW],
    ..Command::EMPTY
};

static ASSIGN: Command = Command {
    name: "assign",
    aliases: &["apply"],
    usage: "[<remote>:]<member> <group>",
    about: "Assign sets of groups to cluster members",
    examples: "lxc cluster group assign m1 default,fast\n    Puts m1 into these two groups and no others.",
    words: (2, Some(2)),
    run: run!(assign),
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<group>",
    about: "Create a cluster group",
    words: (1, Some(1)),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<group>",
    about: "Delete a cluster group",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfGroup>),
    ..Command::EMPTY
};

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:]<group>",
    about: "Edit a cluster group",
    words: (1, Some(1)),
    run: run!(entity::edit::<OfGroup>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List all the cluster groups",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<member> <group>",
    about: "Remove member from group",
    words: (2, Some(2)),
    run: run!(remove),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<group> <new-name>",
    about: "Rename a cluster group",
    words: (2, Some(2)),
    run: run!(entity::rename::<OfGroup>),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<group>",
    about: "Show cluster group configurations",
    words: (1, Some(1)),
    run: run!(entity::show::<OfGroup>),
    ..Command::EMPTY
};

struct OfGroup;

impl Entity for OfGroup {
    type Whole = ClusterGroup;
    type Writable = ClusterGroupPut;

    const NOUN: &'static str = "Cluster group";
    const EDIT_HEADER: &'static str = "\
### A cluster group, as YAML.
### Lines that begin with a '#' are comments and are left out.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        let found = session.resource(arguments.word(0)).await?;
        if found.name.is_empty() {
            return Err(Error::invalid("Missing cluster group name"));
        }
        let path = url::path(["cluster", "groups", &found.name]);
        Ok(Place { server: found.server, path, name: found.name, words: 1 })
    }

    fn writable(whole: &ClusterGroup) -> ClusterGroupPut {
        whole.writable()
    }
}

async fn assign(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let groups = arguments.word(1);
    change(&place, |member| {
        member.groups = groups.split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect();
        Ok(())
    })
    .await?;
    let shown = if groups.is_empty() { "(none)" } else { groups };
    say(session, &format!("Cluster member {} added to cluster groups {shown}", place.name));
    Ok(())
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfGroup::place(session, arguments).await?;
    let request = ClusterGroupsPost { name: place.name.clone(), ..ClusterGroupsPost::default() };
    place.server.post("/1.0/cluster/groups", &request).await?;
    say(session, &format!("Cluster group {} created", place.name));
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    require_cluster(&found.server).await?;
    let groups: Vec<ClusterGroup> = found.server.get("/1.0/cluster/groups?recursion=1").await?;
    let mut rows: Vec<Vec<String>> = groups
        .iter()
        .map(|group| vec![group.name.clone(), group.description.clone(), group.members.len().to_string()])
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "DESCRIPTION", "MEMBERS"], &rows, &groups)
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    let group = arguments.word(1);
    change(&place, |member| {
        if !member.groups.iter().any(|had| had == group) {
            return Err(Error::not_found(format!("Cluster group {group} isn't currently applied to {}", place.name)));
        }
        member.groups.retain(|had| had != group);
        Ok(())
    })
    .await?;
    say(session, &format!("Cluster member {} removed from group {group}", place.name));
    Ok(())
}
