//! `lxc profile`: configurations that instances share.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::profile::{Profile, ProfilePut, ProfilesPost};

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, say};
use crate::session::{Resource, Session};
use crate::{entity_commands, run, table};

/// The group.
pub static COMMAND: Command =
    Command { name: "profile", about: "Manage profiles", children: CHILDREN, ..Command::EMPTY };

/// As LXD's client still takes it below `config`.
pub static OF_CONFIG: Command =
    Command { name: "profile", about: "Manage profiles", hidden: true, children: CHILDREN, ..Command::EMPTY };

const CHILDREN: &[&Command] = &[
    &ADD,
    &ASSIGN,
    &COPY,
    &CREATE,
    &DELETE,
    &super::config_device::of_profile::COMMAND,
    &EDIT,
    &GET,
    &LIST,
    &REMOVE,
    &RENAME,
    &SET,
    &SHOW,
    &UNSET,
];

static ADD: Command = Command {
    name: "add",
    usage: "[<remote>:]<instance> <profile>",
    about: "Add profiles to instances",
    words: (2, Some(2)),
    run: run!(add),
    ..Command::EMPTY
};

static ASSIGN: Command = Command {
    name: "assign",
    aliases: &["apply"],
    usage: "[<remote>:]<instance> <profiles>",
    about: "Assign sets of profiles to instances",
    examples: "lxc profile assign c1 default,web\n    Gives c1 these two profiles and no others.\n\nlxc profile assign c1 ''\n    Takes all profiles from c1.",
    words: (2, Some(2)),
    run: run!(assign),
    ..Command::EMPTY
};

static COPY: Command = Command {
    name: "copy",
    aliases: &["cp"],
    usage: "[<remote>:]<profile> [<remote>:]<profile>",
    about: "Copy profiles",
    flags: &[Flag::text("target-project", "Copy to a project different from the source")],
    words: (2, Some(2)),
    run: run!(copy),
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<profile>",
    about: "Create profiles",
    words: (1, Some(1)),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<profile>",
    about: "Delete profiles",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfProfile>),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List profiles",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<instance> <profile>",
    about: "Remove profiles from instances",
    words: (2, Some(2)),
    run: run!(remove),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<profile> <new-name>",
    about: "Rename profiles",
    words: (2, Some(2)),
    run: run!(entity::rename::<OfProfile>),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<profile>",
    about: "Show profile configurations",
    words: (1, Some(1)),
    run: run!(entity::show::<OfProfile>),
    ..Command::EMPTY
};

entity_commands!(OfProfile, "profile", "profile", "[<remote>:]<profile>", 1, &[], &[]);

struct OfProfile;

impl Entity for OfProfile {
    type Whole = Profile;
    type Writable = ProfilePut;

    const NOUN: &'static str = "Profile";
    const EDIT_HEADER: &'static str = "\
### The configuration of a profile, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A profile has configuration keys and devices, like this:
### name: onenic
### config:
###   limits.memory: 1GiB
### devices:
###   eth0:
###     nictype: bridged
###     parent: lxdbr0
###     type: nic
###
### The name is only shown; to change it, rename the profile.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "profiles", "Missing profile name").await
    }

    fn writable(whole: &Profile) -> ProfilePut {
        whole.writable()
    }
}

impl Configured for OfProfile {
    fn config(writable: &mut ProfilePut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn instance(session: &Session, arguments: &Arguments) -> Result<Resource> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() { Err(Error::invalid("Missing instance name")) } else { Ok(found) }
}

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let profile = arguments.word(1);
    super::config::change_instance(&found, |instance| {
        instance.profiles.push(profile.to_owned());
        Ok(())
    })
    .await?;
    say(session, &format!("Profile {profile} added to {}", found.name));
    Ok(())
}

async fn assign(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let profiles = arguments.word(1);
    super::config::change_instance(&found, |instance| {
        instance.profiles = match profiles {
            "" => Vec::new(),
            list => list.split(',').map(str::to_owned).collect(),
        };
        Ok(())
    })
    .await?;
    let shown = if profiles.is_empty() { "(none)" } else { profiles };
    say(session, &format!("Profiles {shown} applied to {}", found.name));
    Ok(())
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let profile = arguments.word(1);
    super::config::change_instance(&found, |instance| {
        if !instance.profiles.iter().any(|name| name == profile) {
            return Err(Error::invalid(format!("Profile {profile} isn't currently applied to {}", found.name)));
        }
        instance.profiles.retain(|name| name != profile);
        Ok(())
    })
    .await?;
    say(session, &format!("Profile {profile} removed from {}", found.name));
    Ok(())
}

async fn copy(session: &Session, arguments: &Arguments) -> Result<()> {
    let source = session.resource(arguments.word(0)).await?;
    let mut target = session.resource(arguments.word(1)).await?;
    if source.name.is_empty() {
        return Err(Error::invalid("Missing source profile name"));
    }
    if target.name.is_empty() {
        target.name.clone_from(&source.name);
    }
    let project = arguments.text("target-project");
    if !project.is_empty() {
        target.server = target.server.in_project(project);
    }
    let profile: Profile = source.server.get(&corten_api::url::path(["profiles", &source.name])).await?;
    let ProfilePut { config, description, devices } = profile.writable();
    target.server.post("/1.0/profiles", &ProfilesPost { config, description, devices, name: target.name }).await
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        return Err(Error::invalid("Missing profile name"));
    }
    let profile = ProfilesPost { name: found.name.clone(), ..ProfilesPost::default() };
    found.server.post("/1.0/profiles", &profile).await?;
    say(session, &format!("Profile {} created", found.name));
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let profiles: Vec<Profile> = found.server.get("/1.0/profiles?recursion=1").await?;
    let mut rows: Vec<Vec<String>> = profiles
        .iter()
        .map(|profile| vec![profile.name.clone(), profile.description.clone(), profile.used_by.len().to_string()])
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "DESCRIPTION", "USED BY"], &rows, &profiles)
}
