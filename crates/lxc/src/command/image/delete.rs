//! `lxc image delete`.

use corten_api::error::{Error, Result};
use corten_client::image_source::ImageSource;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<image> [[<remote>:]<image>...]",
    about: "Delete images",
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    for resource in session.resources(&arguments.words).await? {
        if resource.name.is_empty() {
            return Err(Error::invalid("Image identifier missing"));
        }
        let image = super::dereference(&ImageSource::Lxd(resource.server.clone()), "", &resource.name).await;
        resource.server.delete_image(&image).await?.wait().await?;
    }
    Ok(())
}
