//! `lxc image`: the store of images.

use corten_api::error::{Error, Result};
use corten_client::image_source::ImageSource;
use corten_client::server::Server;

pub use import::open_failed;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::remote;
use crate::session::Session;

pub mod alias;
pub mod copy;
mod delete;
mod edit;
mod export;
mod import;
mod info;
mod list;
mod property;
mod refresh;

pub static COMMAND: Command = Command {
    name: "image",
    about: "Manage images",
    long: "Manage images\n\nInstances are made from images. Those of this server were made from instances\nby publishing them, imported from files, or fetched from image servers; the last\nkind is kept for a while and brought up to date by itself.\n\nAn image is named by its fingerprint (the start is enough) or an alias.",
    children: &[
        &alias::COMMAND,
        &copy::COMMAND,
        &delete::COMMAND,
        &edit::COMMAND,
        &export::COMMAND,
        &property::GET,
        &import::COMMAND,
        &info::COMMAND,
        &list::COMMAND,
        &refresh::COMMAND,
        &property::SET,
        &info::SHOW,
        &property::UNSET,
    ],
    ..Command::EMPTY
};

/// An image on a server that we may change things on.
struct Place {
    server: Server,
    /// Its fingerprint, or what stands for it.
    image: String,
}

/// The image that the first word names.
///
/// # Errors
/// When it names only a remote, or that cannot be reached.
async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
    let resource = session.resource(arguments.word(0)).await?;
    if resource.name.is_empty() {
        return Err(Error::invalid(format!("Image identifier missing: {}", arguments.word(0))));
    }
    let image = dereference(&ImageSource::Lxd(resource.server.clone()), "", &resource.name).await;
    Ok(Place { server: resource.server, image })
}

/// The source and the image there that a word names; sources may be public image servers.
///
/// # Errors
/// When the remote does not exist or cannot be used.
async fn source(session: &Session, arguments: &Arguments) -> Result<(ImageSource, String)> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let source = remote::image_source(&session.config.borrow(), &remote, session.project.as_deref())?;
    let image = dereference(&source, kind(arguments), &name).await;
    Ok((source, image))
}

/// `--vm` asks for images of machines.
fn kind(arguments: &Arguments) -> &'static str {
    if arguments.is_set("vm") { "virtual-machine" } else { "" }
}

/// The fingerprint behind an alias; a name that is no alias stands for itself.
async fn dereference(source: &ImageSource, kind: &str, name: &str) -> String {
    let name = if name.is_empty() { "default" } else { name };
    source.alias(kind, name).await.map_or_else(|_| name.to_owned(), |alias| alias.target)
}
