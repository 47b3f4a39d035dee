//! `lxc pause`: freezes instances.

use corten_api::error::Result;

use super::action;
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "pause",
    usage: action::USAGE,
    about: "Pause instances",
    hidden: true,
    flags: &[action::ALL],
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    action::run(session, arguments, &COMMAND, "freeze").await
}
