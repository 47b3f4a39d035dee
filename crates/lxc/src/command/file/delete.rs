//! `lxc file delete`.

use corten_api::error::Result;
use corten_client::file;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<instance>/<path> [[<remote>:]<instance>/<path>...]",
    about: "Delete files in instances",
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    for word in &arguments.words {
        let inside = super::inside(session, word, "path").await?;
        file::delete(&inside.resource.server, &inside.resource.name, &inside.path).await?;
    }
    Ok(())
}
