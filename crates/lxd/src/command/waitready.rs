//! `lxd waitready`.

use super::local::Local;
use clap::{Arg, ArgMatches, Command, value_parser};
use corten_api::error::{Error, Result};
use std::time::{Duration, Instant};

const LONG: &str = "Wait for LXD to be ready to process requests

This command will block until LXD is reachable over its REST API and
is done with early start tasks like re-starting previously started
containers.";

/// How often a daemon that is not there yet is looked for: nothing tells when a socket appears in a folder that
/// itself may not be there.
const PAUSE: Duration = Duration::from_millis(50);

/// Its place on the command line.
pub fn describe() -> Command {
    let timeout = Arg::new("timeout").short('t').long("timeout").value_name("").value_parser(value_parser!(u64));
    Command::new("waitready")
        .about("Wait for LXD to be ready to process requests")
        .long_about(LONG)
        .arg(timeout.default_value("0").hide_default_value(true).help("Number of seconds to wait before giving up"))
}

/// Waits; a timeout of 0 is none.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let seconds = matches.get_one::<u64>("timeout").copied().unwrap_or(0);
    let started = Instant::now();
    loop {
        let asked = Local::connect().and_then(|mut local| local.get::<serde_json::Value>("/internal/ready"));
        let Err(error) = asked else { return Ok(()) };
        if seconds > 0 && started.elapsed() >= Duration::from_secs(seconds) {
            return Err(Error::internal(format!("LXD still not running after {seconds}s timeout ({error})")));
        }
        std::thread::sleep(PAUSE);
    }
}
