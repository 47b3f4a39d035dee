//! From a command line to the command that runs: aliases, the walk down the tree, help, configuration, run.

use std::os::unix::process::CommandExt;

use corten_api::error::{Context, Error, Result};

use crate::alias::{self, Expansion};
use crate::arguments::{self, Arguments, Flag};
use crate::commands::{Command, GLOBAL_FLAGS, ROOT};
use crate::config::{self, Config};
use crate::session::Session;
use crate::{help, printer};

/// How the program ends.
pub struct Ended {
    /// The exit status.
    pub status: u8,
    /// What to show after `Error: `.
    pub error: Option<Error>,
}

/// Runs a command line (without the program's name).
pub fn run(line: Vec<String>) -> Ended {
    match walk(line) {
        Ok(ended) => ended,
        Err(error) => Ended { status: 1, error: Some(error) },
    }
}

const GOOD: Ended = Ended { status: 0, error: None };

fn walk(line: Vec<String>) -> Result<Ended> {
    let loaded = config::load();
    let line = match &loaded {
        Ok(config) if std::env::var_os("LXC_ALIASES").is_none_or(|value| value != "1") => {
            match alias::expand(&config.aliases, &line)? {
                Expansion::None => line,
                Expansion::Line(line) => line,
                Expansion::Program(words) => return Err(become_program(&words)),
            }
        }
        _ => line,
    };
    let found = find(&line)?;
    if found.command.name == "help" && found.path.len() == 2 {
        return help::for_words(&found.rest, &line).map(|()| GOOD);
    }
    let arguments = arguments::parse(&found.rest, &[found.command.flags, GLOBAL_FLAGS], found.command.interspersed)?;
    if arguments.is_set("version") && found.path.len() == 1 {
        printer::print(concat!(env!("CARGO_PKG_VERSION"), "\n"));
        return Ok(GOOD);
    }
    let shown = help::Shown { all: arguments.is_set("all"), below: arguments.is_set("sub-commands") };
    if arguments.is_set("help") || (found.command.run.is_none() && found.path.len() == 1) {
        printer::print(&help::text(&found.path, shown));
        return Ok(GOOD);
    }
    let Some(run) = found.command.run else {
        printer::warn(&help::usage(&found.path, shown));
        return Ok(GOOD);
    };
    let config = config::first_use(loaded?, &arguments, found.command.name)?;
    let (least, most) = found.command.words;
    if arguments.len() < least || most.is_some_and(|most| arguments.len() > most) {
        printer::print(&help::text(&found.path, shown));
        return if arguments.is_empty() { Ok(GOOD) } else { Err(Error::invalid("Invalid number of arguments")) };
    }
    execute(run, config, &arguments)
}

fn execute(run: crate::commands::Run, config: Config, arguments: &Arguments) -> Result<Ended> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("Failed to start the event loop")?;
    let session = Session::new(config, arguments);
    let outcome = runtime.block_on(run(&session, arguments));
    // A thread may still be reading standard input for `exec`; nobody waits for it.
    runtime.shutdown_background();
    // A command that failed may have chosen its status, as `exec` does with 127.
    let status = session.status();
    Ok(match outcome {
        Ok(()) => Ended { status, error: None },
        Err(error) => Ended { status: status.max(1), error: Some(error) },
    })
}

/// A command found on a line.
struct Found {
    /// From the program down to the command.
    path: Vec<&'static Command>,
    command: &'static Command,
    /// The line without the words that led here.
    rest: Vec<String>,
}

/// Walks down the tree along the line's words; flags may stand anywhere between them.
fn find(line: &[String]) -> Result<Found> {
    let mut path: Vec<&'static Command> = vec![&ROOT];
    let mut rest = line.to_vec();
    let mut command: &'static Command = &ROOT;
    let mut flags: Vec<&[Flag]> = vec![GLOBAL_FLAGS, ROOT.flags];
    loop {
        let words = arguments::words_before_flags_end(&rest, &flags);
        let Some(&(place, word)) = words.first() else { break };
        if command.children.is_empty() {
            break;
        }
        let Some(child) = command.child(word) else {
            return Err(unknown(&path, word));
        };
        rest.remove(place);
        path.push(child);
        flags.push(child.flags);
        command = child;
    }
    Ok(Found { path, command, rest })
}

fn unknown(path: &[&'static Command], word: &str) -> Error {
    let names: Vec<&str> = path.iter().map(|command| command.name).collect();
    let mut text = format!("unknown command {word:?} for {:?}", names.join(" "));
    if let ([root], true) = (path, path.len() == 1) {
        let near: Vec<&str> = root
            .children
            .iter()
            .filter(|child| !child.hidden)
            .filter(|child| distance(word, child.name) <= 2 || child.name.starts_with(&word.to_lowercase()))
            .map(|child| child.name)
            .collect();
        if !near.is_empty() {
            text.push_str("\n\nDid you mean this?\n");
            for name in near {
                text.push_str(&format!("\t{name}\n"));
            }
        }
    }
    Error::invalid(text)
}

/// The number of letters to add, drop or change to make one word of the other, without regard to case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in right.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Replaces this process by the program that an alias names; comes back only when that fails.
fn become_program(words: &[String]) -> Error {
    let error = std::process::Command::new(&words[0]).args(&words[1..]).env("LXC_ALIASES", "1").exec();
    Error::invalid(format!("Processing aliases failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn flags_may_stand_before_the_command() {
        let found = find(&words("--project p --debug version -q x")).unwrap();
        assert_eq!(found.command.name, "version");
        assert_eq!(found.rest, words("--project p --debug -q x"));
    }

    #[test]
    fn unknown_commands_are_told_with_what_was_meant() {
        let text = find(&words("versoin")).err().unwrap().message;
        assert_eq!(text, "unknown command \"versoin\" for \"lxc\"\n\nDid you mean this?\n\tversion\n");
        assert_eq!(find(&words("qqqqqq")).err().unwrap().message, "unknown command \"qqqqqq\" for \"lxc\"");
    }

    #[test]
    fn distances() {
        for (left, right, want) in [("lst", "list", 1), ("", "abc", 3), ("Stop", "stop", 0), ("strat", "start", 2)] {
            assert_eq!(distance(left, right), want, "{left} {right}");
        }
    }
}
