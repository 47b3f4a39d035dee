//! `lxc config metadata`: what an instance's image said about itself.

use corten_api::error::{Error, Result};
use corten_api::image::ImageMetadata;
use corten_api::{url, yaml};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::{Resource, Session};
use crate::{editor, printer, run};

/// The group.
pub static COMMAND: Command =
    Command { name: "metadata", about: "Manage instance metadata files", children: &[&EDIT, &SHOW], ..Command::EMPTY };

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:]<instance>",
    about: "Edit instance metadata files",
    words: (1, Some(1)),
    run: run!(edit),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<instance>",
    about: "Show instance metadata files",
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

const EDIT_HEADER: &str = "\
### The metadata of an instance, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### It looks like this:
###
### architecture: x86_64
### creation_date: 1477146654
### expiry_date: 0
### properties:
###   architecture: x86_64
###   description: BusyBox x86_64
###   name: busybox-x86_64
###   os: BusyBox
### templates:
###   /etc/hostname:
###     when:
###     - create
###     create_only: false
###     template: hostname.tpl
###     properties: {}";

/// The instance that the first word names.
pub async fn instance(session: &Session, arguments: &Arguments) -> Result<Resource> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() { Err(Error::invalid("Missing instance name")) } else { Ok(found) }
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let metadata: ImageMetadata = found.server.get(&url::path(["instances", &found.name, "metadata"])).await?;
    printer::print(&yaml::to_string(&metadata)?);
    Ok(())
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = instance(session, arguments).await?;
    let path = url::path(["instances", &found.name, "metadata"]);
    if let Some(text) = editor::from_stdin()? {
        return found.server.put(&path, &yaml::from_str::<ImageMetadata>(&text)?, "").await;
    }
    let (metadata, etag): (ImageMetadata, _) = found.server.get_with_etag(&path).await?;
    let text = format!("{EDIT_HEADER}\n\n{}", yaml::to_string(&metadata)?);
    editor::until_taken(text, async |text| {
        found.server.put(&path, &yaml::from_str::<ImageMetadata>(text)?, &etag).await
    })
    .await
}
