//! `lxc launch`: creates an instance and starts it.

use corten_api::error::Result;
use corten_api::instance_state::InstanceStatePut;

use super::{action, console, init};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::printer;
use crate::progress::{self, Progress};
use crate::session::Session;

const FLAGS: [Flag; 12] = {
    let mut flags = [Flag::text_or("console", "console", "Immediately attach to the console"); 12];
    let mut place = 0;
    while place < init::FLAGS.len() {
        flags[place] = init::FLAGS[place];
        place += 1;
    }
    flags
};

pub static COMMAND: Command = Command {
    name: "launch",
    usage: "[<remote>:]<image> [<remote>:][<name>]",
    about: "Create and start instances from images",
    examples: "lxc launch ubuntu:22.04 u1\n\nlxc launch ubuntu:22.04 u1 < config.yaml\n    Create and start a container with configuration from config.yaml\n\nlxc launch ubuntu:22.04 v1 --vm\n    Create and start a virtual machine",
    flags: &FLAGS,
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (server, name) = init::create(session, arguments).await?;
    if !session.quiet {
        printer::print_line(&format!("Starting {name}"));
    }
    let put = InstanceStatePut { action: "start".to_owned(), timeout: -1, ..InstanceStatePut::default() };
    let running = server.change_instance_state(&name, &put).await?;
    let mut progress = Progress::new("", session.quiet);
    if let Err(error) = progress::wait(&running, &mut progress).await {
        let (remote, _) = session.parse_remote(arguments.word(1))?;
        return Err(action::with_hint(error, &running, &format!("{remote}:{name}")).await);
    }
    progress.done("");
    match arguments.text("console") {
        "" => Ok(()),
        kind => console::attach(session, &server, &name, kind).await,
    }
}
