//! `lxd shutdown`.

use super::local::Local;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use corten_api::error::{Error, Result};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const LONG: &str = "Tell LXD to shutdown all containers and exit

This will tell LXD to start a clean shutdown of all containers,
followed by having itself shutdown and exit.

This can take quite a while as containers can take a long time to
shutdown, especially if a non-standard timeout was configured for them.";

/// Its place on the command line.
pub fn describe() -> Command {
    let timeout = Arg::new("timeout").short('t').long("timeout").value_name("").value_parser(value_parser!(u64));
    let force = Arg::new("force").short('f').long("force").action(ArgAction::SetTrue);
    Command::new("shutdown")
        .about("Tell LXD to shutdown all containers and exit")
        .long_about(LONG)
        .arg(force.help("Force shutdown instead of waiting for running operations to finish"))
        .arg(timeout.default_value("0").hide_default_value(true).help("Number of seconds to wait before giving up"))
}

/// Asks for the end and waits for it.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let force = matches.get_flag("force");
    let seconds = matches.get_one::<u64>("timeout").copied().unwrap_or(0);
    let mut local = Local::connect()?;
    let (sender, outcome) = channel();
    std::thread::spawn(move || {
        let path = format!("/internal/shutdown?force={force}");
        let _ = sender.send(local.tell("PUT", &path, None::<&()>));
    });
    let gone = || Error::internal("The connection to LXD was lost");
    if seconds == 0 {
        return outcome.recv().unwrap_or_else(|_| Err(gone()));
    }
    match outcome.recv_timeout(Duration::from_secs(seconds)) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Err(Error::internal(format!("LXD still running after {seconds}s timeout"))),
        Err(RecvTimeoutError::Disconnected) => Err(gone()),
    }
}
