//! What may come next on a command line: commands and flags from the table, names from the server, keys from both.
//!
//! A shell asks the hidden command `lxc __complete -- WORDS…`, in which the last word is the unfinished one; `lxc
//! completion SHELL` prints what makes the shell ask. What a word stands for is read off the usage line of its command.

use corten_api::error::{Error, Result};

use crate::arguments::{Arguments, Flag, Takes};
use crate::commands::{Command, GLOBAL_FLAGS, ROOT};
use crate::session::Session;
use crate::{printer, run};

mod names;
mod usage;

/// `lxc completion`.
pub static COMPLETION: Command = Command {
    name: "completion",
    usage: "<shell>",
    about: "Print the completion script of a shell",
    long: "Print the completion script of a shell (bash, zsh or fish)",
    examples: "lxc completion bash > /usr/share/bash-completion/completions/lxc\n    Lets bash complete lxc's commands, flags and names.",
    words: (1, Some(1)),
    hidden: true,
    run: run!(script),
    ..Command::EMPTY
};

/// `lxc __complete`.
pub static COMPLETE: Command = Command {
    name: "__complete",
    usage: "[word...]",
    about: "Print what the last word may become",
    hidden: true,
    run: run!(complete),
    ..Command::EMPTY
};

/// The scripts, by shell.
const SCRIPTS: [(&str, &str); 3] = [
    ("bash", include_str!("complete/lxc.bash")),
    ("zsh", include_str!("complete/lxc.zsh")),
    ("fish", include_str!("complete/lxc.fish")),
];

async fn script(_: &Session, arguments: &Arguments) -> Result<()> {
    let shell = arguments.word(0);
    let Some((_, script)) = SCRIPTS.iter().find(|(name, _)| *name == shell) else {
        return Err(Error::invalid(format!(
            "No completion for the shell {shell:?}: one of bash, zsh or fish is meant"
        )));
    };
    printer::print(script);
    Ok(())
}

async fn complete(session: &Session, arguments: &Arguments) -> Result<()> {
    let Some((unfinished, before)) = arguments.words.split_last() else { return Ok(()) };
    let mut candidates = candidates(session, before, unfinished).await;
    candidates.retain(|candidate| candidate.starts_with(unfinished.as_str()));
    candidates.sort();
    candidates.dedup();
    for candidate in candidates {
        printer::print_line(&candidate);
    }
    Ok(())
}

/// A command line up to the unfinished word.
struct Line<'a> {
    path: Vec<&'static Command>,
    /// The words after the command.
    words: Vec<&'a str>,
    /// The flag whose value the unfinished word is.
    flag: Option<Flag>,
    /// `--` was given.
    flags_ended: bool,
}

impl<'a> Line<'a> {
    fn read(before: &'a [String]) -> Line<'a> {
        let mut line = Line { path: vec![&ROOT], words: Vec::new(), flag: None, flags_ended: false };
        for word in before {
            if line.flag.take().is_some() {
                continue;
            }
            if line.flags_ended {
                line.words.push(word);
            } else if word == "--" {
                line.flags_ended = true;
            } else if word.starts_with('-') && word.len() > 1 {
                let flag = line.flags().find(|flag| waits_for_value(flag, word));
                line.flag = flag;
            } else if let Some(child) = line.command().child(word).filter(|_| line.words.is_empty()) {
                line.path.push(child);
            } else {
                line.words.push(word);
            }
        }
        line
    }

    fn command(&self) -> &'static Command {
        self.path.last().copied().unwrap_or(&ROOT)
    }

    fn flags(&self) -> impl Iterator<Item = Flag> + use<> {
        self.command().flags.iter().chain(GLOBAL_FLAGS).copied()
    }
}

/// Whether `word` is this flag without the value that it takes.
fn waits_for_value(flag: &Flag, word: &str) -> bool {
    let named = match word.strip_prefix("--") {
        Some(long) => long == flag.long,
        None => flag.short.is_some_and(|letter| word[1..].ends_with(letter)),
    };
    named && !matches!(flag.takes, Takes::Nothing | Takes::TextOr(_))
}

async fn candidates(session: &Session, before: &[String], unfinished: &str) -> Vec<String> {
    let line = Line::read(before);
    if let Some(flag) = line.flag {
        return names::of_flag(session, flag.long).await;
    }
    if unfinished.starts_with('-') && !line.flags_ended {
        if let Some((flag, _)) = unfinished.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
            let values = names::of_flag(session, flag).await;
            return values.into_iter().map(|value| format!("--{flag}={value}")).collect();
        }
        return line.flags().map(|flag| format!("--{}", flag.long)).collect();
    }
    let command = line.command();
    if !command.children.is_empty() {
        let mut words: Vec<String> = Vec::new();
        for child in command.children.iter().filter(|child| !child.hidden) {
            words.push(child.name.to_owned());
        }
        if line.path.len() == 1 {
            words.extend(session.config.borrow().aliases.keys().cloned());
        }
        return words;
    }
    let places = usage::places(command.usage);
    match usage::at(&places, line.words.len()) {
        Some(place) => names::of_place(session, &line.path, place, &line.words, unfinished).await,
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_read_up_to_the_unfinished_word() {
        let before = words("--project p config device add -q apollo eth0");
        let line = Line::read(&before);
        assert_eq!(
            line.path.iter().map(|command| command.name).collect::<Vec<_>>(),
            ["lxc", "config", "device", "add"]
        );
        assert_eq!(line.words, ["apollo", "eth0"]);
        let before = words("profile list --format");
        assert_eq!(Line::read(&before).flag.map(|flag| flag.long), Some("format"));
        let before = words("profile list -f");
        assert_eq!(Line::read(&before).flag.map(|flag| flag.long), Some("format"));
        let before = words("profile list --format=csv");
        assert!(Line::read(&before).flag.is_none());
    }

    #[test]
    fn every_shell_asks_the_hidden_command() {
        for (shell, script) in SCRIPTS {
            assert!(script.contains("lxc __complete"), "{shell}");
        }
    }
}
