//! `lxc image alias`: names of images.

use corten_api::error::{Context, Error, Result};
use corten_api::image::{ImageAliasesEntry, ImageAliasesEntryPost};
use corten_api::url::path;
use corten_client::server::Server;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::{Resource, Session};
use crate::{printer, remote, run, table};

pub static COMMAND: Command = Command {
    name: "alias",
    about: "Manage image aliases",
    children: &[&CREATE, &DELETE, &LIST, &RENAME],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<alias> <fingerprint>",
    about: "Create aliases for existing images",
    words: (2, Some(2)),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<alias>",
    about: "Delete image aliases",
    words: (1, Some(1)),
    run: run!(delete),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:] [<filters>...]",
    about: "List image aliases",
    long: "List image aliases\n\nA filter is a part of a name or of a fingerprint; one of several is enough.",
    flags: &[Flag::text("format", "Format (csv|json|table|yaml|compact)").short('f').or("table")],
    run: run!(list),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "[<remote>:]<alias> <new-name>",
    about: "Rename aliases",
    words: (2, Some(2)),
    run: run!(rename),
    ..Command::EMPTY
};

async fn named(session: &Session, arguments: &Arguments) -> Result<Resource> {
    let resource = session.resource(arguments.word(0)).await?;
    if resource.name.is_empty() {
        return Err(Error::invalid("Alias name missing"));
    }
    Ok(resource)
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = named(session, arguments).await?;
    resource.server.create_image_alias(&resource.name, arguments.word(1)).await
}

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = named(session, arguments).await?;
    resource.server.delete_image_alias(&resource.name).await
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = named(session, arguments).await?;
    let post = ImageAliasesEntryPost { name: arguments.word(1).to_owned() };
    resource.server.post(&path(["images", "aliases", &resource.name]), &post).await
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let source = remote::image_source(&session.config.borrow(), &remote, session.project.as_deref())?;
    let mut filters: Vec<&str> = arguments.rest(1).iter().map(String::as_str).collect();
    if !name.is_empty() {
        filters.push(&name);
    }
    let aliases = source.aliases().await?;
    printer::print(&render(arguments.text_or("format", "table"), &aliases, &filters)?);
    Ok(())
}

fn render(format: &str, aliases: &[ImageAliasesEntry], filters: &[&str]) -> Result<String> {
    let shown = |alias: &&ImageAliasesEntry| {
        filters.is_empty() || filters.iter().any(|filter| alias.name.contains(filter) || alias.target.contains(filter))
    };
    let row = |alias: &ImageAliasesEntry| {
        let kind = if alias.r#type.is_empty() { "CONTAINER".to_owned() } else { alias.r#type.to_uppercase() };
        vec![alias.name.clone(), alias.target.chars().take(12).collect(), kind, alias.description.clone()]
    };
    let mut rows: Vec<Vec<String>> = aliases.iter().filter(shown).map(row).collect();
    table::order::by_cells(&mut rows);
    // LXD's client shows all of them in JSON and YAML, whatever the filters.
    table::render(format, &["ALIAS", "FINGERPRINT", "TYPE", "DESCRIPTION"], &rows, aliases)
}

/// Gives an image these names; an image that has one of them loses it.
///
/// # Errors
/// The server's own error.
pub async fn ensure(server: &Server, names: &[String], fingerprint: &str) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let present = server.image_aliases().await?;
    for alias in present.iter().filter(|alias| names.contains(&alias.name)) {
        let removed = server.delete_image_alias(&alias.name).await;
        removed.with_context(|| format!("Failed to remove alias {}", alias.name))?;
    }
    for name in names {
        let created = server.create_image_alias(name, fingerprint).await;
        created.with_context(|| format!("Failed to create alias {name}"))?;
    }
    Ok(())
}
