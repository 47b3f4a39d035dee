//! `lxc stop`: stops instances, cleanly unless forced.

use corten_api::error::Result;

use super::action;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "stop",
    usage: action::USAGE,
    about: "Stop instances",
    flags: &[
        action::ALL,
        action::CONSOLE,
        action::FORCE,
        action::TIMEOUT,
        Flag::switch("stateful", "Store the instance state"),
    ],
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    action::run(session, arguments, &COMMAND, "stop").await
}
