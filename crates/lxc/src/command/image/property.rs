//! `lxc image get-property`, `set-property`, `unset-property`.

use corten_api::error::{Error, Result};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;
use crate::{printer, run};

pub static GET: Command = Command {
    name: "get-property",
    usage: "[<remote>:]<image> <key>",
    about: "Get image properties",
    words: (2, Some(2)),
    run: run!(get),
    ..Command::EMPTY
};

pub static SET: Command = Command {
    name: "set-property",
    usage: "[<remote>:]<image> <key> <value>",
    about: "Set image properties",
    words: (3, Some(3)),
    run: run!(set),
    ..Command::EMPTY
};

pub static UNSET: Command = Command {
    name: "unset-property",
    usage: "[<remote>:]<image> <key>",
    about: "Unset image properties",
    words: (2, Some(2)),
    run: run!(set),
    ..Command::EMPTY
};

async fn get(session: &Session, arguments: &Arguments) -> Result<()> {
    let (source, image) = super::source(session, arguments).await?;
    let image = source.image(&image).await?;
    match image.properties.get(arguments.word(1)) {
        Some(value) => printer::print_line(value),
        None => return Err(Error::not_found("Property not found")),
    }
    Ok(())
}

/// Without a third word the value is empty, and the server forgets the property.
async fn set(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = super::place(session, arguments).await?;
    let (image, etag) = place.server.image(&place.image).await?;
    let mut put = image.writable();
    put.properties.insert(arguments.word(1).to_owned(), arguments.word(2).to_owned());
    place.server.update_image(&place.image, &put, &etag).await
}
