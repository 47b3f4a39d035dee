//! `lxc config template`: the templates that files in an instance are made from.

use corten_api::error::{Error, Result};
use corten_api::url;
use corten_client::http::Ask;
use corten_client::server::Server;
use hyper::Method;

use super::config_metadata::instance;
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::{Resource, Session};
use crate::{editor, entity, printer, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "template",
    about: "Manage instance file templates",
    children: &[&CREATE, &DELETE, &EDIT, &LIST, &SHOW],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<instance> <template>",
    about: "Create new instance file templates",
    words: (2, Some(2)),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<instance> <template>",
    about: "Delete instance file templates",
    words: (2, Some(2)),
    run: run!(delete),
    ..Command::EMPTY
};

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:]<instance> <template>",
    about: "Edit instance file templates",
    words: (2, Some(2)),
    run: run!(edit),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]<instance>",
    about: "List instance file templates",
    flags: &[table::FORMAT],
    words: (1, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<instance> <template>",
    about: "Show content of instance file templates",
    words: (2, Some(2)),
    run: run!(show),
    ..Command::EMPTY
};

fn templates(found: &Resource) -> String {
    url::path(["instances", &found.name, "metadata", "templates"])
}

fn template(found: &Resource, arguments: &Arguments) -> String {
    format!("{}?path={}", templates(found), url::escape_query(arguments.word(1)))
}

async fn upload(server: &Server, path: &str, text: Vec<u8>) -> Result<()> {
    server.ask(Ask::new(Method::POST, path).body("application/octet-stream", text)).await.map(|_| ())
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    upload(&found.server, &template(&found, arguments), Vec::new()).await
}

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    found.server.delete(&template(&found, arguments)).await
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let path = template(&found, arguments);
    if let Some(text) = editor::from_stdin()? {
        return upload(&found.server, &path, text.into_bytes()).await;
    }
    let text = String::from_utf8(entity::download(&found.server, Ask::new(Method::GET, &path)).await?)
        .map_err(|_| Error::invalid(format!("The template {} is no text", arguments.word(1))))?;
    editor::until_taken(text, async |text| upload(&found.server, &path, text.as_bytes().to_vec()).await).await
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let names: Vec<String> = found.server.get(&templates(&found)).await?;
    let mut rows: Vec<Vec<String>> = names.iter().map(|name| vec![name.clone()]).collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["FILENAME"], &rows, &names)
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    printer::print_bytes(&entity::download(&found.server, Ask::new(Method::GET, template(&found, arguments))).await?);
    Ok(())
}
