//! `lxd`: the daemon itself.

use crate::boot::{self, Options, logging};
use crate::rest::events::Events;
use clap::{Arg, ArgMatches, Command};
use corten_api::error::{Error, Result};
use std::path::Path;
use std::sync::Arc;

const ABOUT: &str = "The LXD container manager (daemon)";
const LONG: &str = "The LXD container manager (daemon)

This is the LXD daemon command line. It's typically started directly by your
init system and interacted with through a tool like `lxc`.

There are however a number of subcommands that let you interact directly with
the local LXD daemon and which may not be performed through the REST API alone.";

/// Its place on the command line.
pub fn describe() -> Command {
    let group = Arg::new("group").long("group").value_name("");
    let word = Arg::new("daemon").hide(true);
    Command::new("lxd")
        .about(ABOUT)
        .long_about(LONG)
        .arg(word)
        .arg(group.help("The group of users that will be allowed to talk to LXD"))
}

/// Runs the daemon until it is told to end.
pub fn run(matches: &ArgMatches) -> Result<()> {
    // An unknown word is not taken for the daemon; `daemon` and nothing are.
    if let Some(word) = matches.get_one::<String>("daemon").filter(|word| !matches!(word.as_str(), "" | "daemon")) {
        return Err(Error::invalid(format!("unknown command \"{word}\" for \"lxd\"")));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::forbidden("This must be run as root"));
    }
    let events = Arc::new(Events::default());
    let logfile = matches.get_one::<String>("logfile").filter(|path| !path.is_empty());
    let (verbose, debug) = (matches.get_flag("verbose"), matches.get_flag("debug"));
    let syslog = matches.get_flag("syslog");
    logging::start(verbose, debug, syslog, logfile.map(Path::new), events.clone())?;
    let outcome = boot::run(&Options { group: matches.get_one("group").cloned() }, events);
    tracing::info!("Daemon stopped");
    outcome
}
