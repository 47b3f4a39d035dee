//! `lxc restart`: stops and starts instances.

use corten_api::error::Result;

use super::action;
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "restart",
    usage: action::USAGE,
    about: "Restart instances",
    flags: &[action::ALL, action::CONSOLE, action::FORCE, action::TIMEOUT],
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    action::run(session, arguments, &COMMAND, "restart").await
}
