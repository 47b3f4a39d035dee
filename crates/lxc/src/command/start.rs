//! `lxc start`: starts instances, thaws frozen ones.

use corten_api::error::Result;

use super::action;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "start",
    usage: action::USAGE,
    about: "Start instances",
    flags: &[action::ALL, action::CONSOLE, Flag::switch("stateless", "Ignore the instance state")],
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    action::run(session, arguments, &COMMAND, "start").await
}
