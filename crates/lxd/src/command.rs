//! The command line of `lxd`.

pub mod activateifneeded;
pub mod benchmark;
pub mod daemon;
pub mod fuidshift;
pub mod init;
pub mod local;
pub mod recover;
pub mod shutdown;
pub mod sql;
pub mod waitready;

use clap::{Arg, ArgAction, ArgMatches, Command};
use corten_api::error::Result;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// What a subcommand's file brings: its place on the command line, and what it does.
struct Entry {
    describe: fn() -> Command,
    run: fn(&ArgMatches) -> Result<()>,
}

/// All subcommands.
const COMMANDS: &[Entry] = &[
    Entry { describe: activateifneeded::describe, run: activateifneeded::run },
    Entry { describe: benchmark::describe, run: benchmark::run },
    Entry { describe: fuidshift::describe, run: fuidshift::run },
    Entry { describe: init::describe, run: init::run },
    Entry { describe: recover::describe, run: recover::run },
    Entry { describe: shutdown::describe, run: shutdown::run },
    Entry { describe: sql::describe, run: sql::run },
    Entry { describe: version, run: print_version },
    Entry { describe: waitready::describe, run: waitready::run },
];

fn version() -> Command {
    Command::new("version").about("Show the server version")
}

fn print_version(_: &ArgMatches) -> Result<()> {
    println!("{}", env!("CARGO_PKG_VERSION"));
    Ok(())
}

/// The whole command line.
pub fn describe() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).global(true)
    };
    daemon::describe()
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .subcommands(COMMANDS.iter().map(|entry| (entry.describe)()))
        .arg(Arg::new("logfile").long("logfile").help("Path to the log file").value_name("").global(true))
        .arg(flag("syslog", "Log to syslog"))
        .arg(
            Arg::new("trace")
                .long("trace")
                .help("Log tracing targets")
                .value_name("")
                .action(ArgAction::Append)
                .global(true),
        )
        .arg(flag("debug", "Show all debug messages").short('d'))
        .arg(flag("verbose", "Show all information messages").short('v'))
        .arg(flag("version", "Print version number"))
}

/// Subcommands that are programs of their own in LXD: a link of that name to `lxd` is one here.
const PROGRAMS: &[&str] = &[fuidshift::NAME, benchmark::NAME];

/// The words of the command line; a program's name that is a subcommand's stands for it.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let called = words.first().and_then(|word| Path::new(word).file_name()).unwrap_or_default();
    if let Some(program) = PROGRAMS.iter().find(|program| *program == &called) {
        words.insert(1, program.into());
    }
    words
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let matches = describe().get_matches_from(words());
    if matches.get_flag("version") {
        println!("{}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let outcome = match matches.subcommand() {
        None => daemon::run(&matches),
        Some((name, inner)) => {
            let entry = COMMANDS.iter().find(|entry| (entry.describe)().get_name() == name);
            entry.map_or(Ok(()), |entry| (entry.run)(inner))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::describe().debug_assert();
    }
}
