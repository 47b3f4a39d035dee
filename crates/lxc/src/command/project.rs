//! `lxc project`: worlds of their own on one server.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::project::{Project, ProjectPut, ProjectState, ProjectsPost};
use corten_api::url;
use hyper::Method;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, say};
use crate::session::Session;
use crate::{byte_size, entity_commands, key_value, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "project",
    about: "Manage projects",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &INFO, &LIST, &RENAME, &SET, &SHOW, &SWITCH, &UNSET],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<project>",
    about: "Create projects",
    flags: &[Flag::texts("config", "Config key/value to apply to the new project").short('c')],
    words: (1, Some(1)),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<project>",
    about: "Delete projects",
    words: (1, Some(1)),
    run: run!(delete),
    ..Command::EMPTY
};

static INFO: Command = Command {
    name: "info",
    usage: "[<remote>:]<project>",
    about: "Get a summary of resource allocations",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(info),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List projects",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<project> <new-name>",
    about: "Rename projects",
    words: (2, Some(2)),
    run: run!(rename),
    ..Command::EMPTY
};

static SWITCH: Command = Command {
    name: "switch",
    usage: "[<remote>:]<project>",
    about: "Switch the current project",
    words: (1, Some(1)),
    run: run!(switch),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<project>",
    about: "Show project options",
    words: (1, Some(1)),
    run: run!(entity::show::<OfProject>),
    ..Command::EMPTY
};

entity_commands!(OfProject, "project", "project", "[<remote>:]<project>", 1, &[], &[]);

struct OfProject;

impl Entity for OfProject {
    type Whole = Project;
    type Writable = ProjectPut;

    const NOUN: &'static str = "Project";
    const EDIT_HEADER: &'static str = "\
### The configuration of a project, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A project has features, limits and a description, like this:
### name: my-project
### config:
###   features.images: \"true\"
###   features.profiles: \"true\"
### description: My own project
###
### The name is only shown; to change it, rename the project.";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "projects", "Missing project name").await
    }

    fn writable(whole: &Project) -> ProjectPut {
        whole.writable()
    }
}

impl Configured for OfProject {
    fn config(writable: &mut ProjectPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        return Err(Error::invalid("Missing project name"));
    }
    let config = key_value::all(&arguments.texts("config"), |word| format!("Bad key=value pair: {word}"))?;
    let project = ProjectsPost { name: found.name.clone(), config, ..ProjectsPost::default() };
    found.server.post("/1.0/projects", &project).await?;
    say(session, &format!("Project {} created", found.name));
    Ok(())
}

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    entity::delete::<OfProject>(session, arguments).await?;
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let mut config = session.config.borrow_mut();
    match config.remotes.get_mut(&remote) {
        Some(known) if known.project == name => {
            known.project.clear();
            config.save()
        }
        _ => Ok(()),
    }
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfProject::place(session, arguments).await?;
    let name = arguments.word(1);
    let body = serde_json::json!({ "name": name });
    place.server.start(Method::POST, &place.path, &body, "").await?.wait().await?;
    say(session, &format!("Project {} renamed to {name}", place.name));
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    const FEATURES: [&str; 4] =
        ["features.images", "features.profiles", "features.storage.volumes", "features.networks"];
    let found = session.resource(arguments.word(0)).await?;
    let projects: Vec<Project> = found.server.get("/1.0/projects?recursion=1").await?;
    let current = {
        let config = session.config.borrow();
        config.remotes.get(&found.remote).map_or_else(String::new, |remote| remote.project.clone())
    };
    let current = if current.is_empty() { url::DEFAULT_PROJECT } else { &current };
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(projects.len());
    for project in &projects {
        let name = &project.name;
        let mut row = vec![if name == current { format!("{name} (current)") } else { name.clone() }];
        row.extend(FEATURES.map(|key| {
            let value = project.config.get(key).map_or("", String::as_str).to_lowercase();
            if matches!(value.as_str(), "true" | "1" | "yes" | "on") { "YES" } else { "NO" }.to_owned()
        }));
        row.extend([project.description.clone(), project.used_by.len().to_string()]);
        rows.push(row);
    }
    table::order::by_cells(&mut rows);
    let header = ["NAME", "IMAGES", "PROFILES", "STORAGE VOLUMES", "NETWORKS", "DESCRIPTION", "USED BY"];
    table::print(arguments, &header, &rows, &projects)
}

async fn info(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfProject::place(session, arguments).await?;
    let state: ProjectState = place.server.get(&format!("{}/state", place.path)).await?;
    let mut rows: Vec<Vec<String>> = state
        .resources
        .iter()
        .map(|(name, resource)| {
            let shown = |amount: i64| match name.as_str() {
                "disk" | "memory" => byte_size::binary(amount),
                _ => amount.to_string(),
            };
            let limit = if resource.limit < 0 { "UNLIMITED".to_owned() } else { shown(resource.limit) };
            vec![name.to_uppercase(), limit, shown(resource.usage)]
        })
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["RESOURCE", "LIMIT", "USAGE"], &rows, &state)
}

async fn switch(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let server = session.server(&remote).await?;
    let _: Project = server.get(&url::path(["projects", &name])).await?;
    let mut config = session.config.borrow_mut();
    let Some(known) = config.remotes.get_mut(&remote) else {
        return Err(Error::not_found(format!("Remote {remote} doesn't exist")));
    };
    known.project = name;
    config.save()
}
