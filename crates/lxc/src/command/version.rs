//! `lxc version`: our version and the server's.

use corten_api::error::Result;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::printer;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "version",
    usage: "[<remote>:]",
    about: "Show local and remote versions",
    words: (0, Some(1)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let server = match session.resource(arguments.word(0)).await {
        Ok(resource) => resource.server.info().await.map(|info| info.environment.server_version.clone()),
        Err(error) => Err(error),
    };
    printer::print_line(concat!("Client version: ", env!("CARGO_PKG_VERSION")));
    printer::print_line(&format!("Server version: {}", server.as_deref().unwrap_or("unreachable")));
    Ok(())
}
