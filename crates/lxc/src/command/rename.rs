//! `lxc rename`: another name on the same server.

use corten_api::error::{Error, Result};

use super::move_;
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "rename",
    usage: "[<remote>:]<instance>[/<snapshot>] <instance>[/<snapshot>]",
    about: "Rename instances and snapshots",
    words: (2, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, _) = session.parse_remote(arguments.word(0))?;
    let (other, name) = session.parse_remote(arguments.word(1))?;
    if remote != other && arguments.word(1).contains(':') {
        return Err(Error::invalid("Can't specify a different remote for rename"));
    }
    move_::rename(session, arguments.word(0), &name).await
}
