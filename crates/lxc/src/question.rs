//! Questions on the terminal, answered by a line; scripts pipe the answers in.

use std::io::{BufRead, IsTerminal, Write};

use corten_api::error::{Context, Error, Result};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Asks until the answer is not empty.
///
/// # Errors
/// When standard input ends.
pub fn text(question: &str) -> Result<String> {
    loop {
        let answer = line(question)?;
        if !answer.is_empty() {
            return Ok(answer);
        }
        warn_again();
    }
}

/// Asks until the answer is one of `choices`.
///
/// # Errors
/// When standard input ends.
pub fn choice(question: &str, choices: &[String]) -> Result<String> {
    loop {
        let answer = line(question)?;
        if choices.contains(&answer) {
            return Ok(answer);
        }
        warn_again();
    }
}

/// Asks until the answer is yes or no; an empty answer means `default`.
///
/// # Errors
/// When standard input ends.
pub fn yes(question: &str, default: bool) -> Result<bool> {
    loop {
        match line(question)?.to_lowercase().as_str() {
            "" => return Ok(default),
            "yes" | "y" => return Ok(true),
            "no" | "n" => return Ok(false),
            _ => warn_again(),
        }
    }
}

fn warn_again() {
    let _ = writeln!(std::io::stderr(), "Invalid input, try again.\n");
}

/// Asks once; the answer may be empty.
///
/// # Errors
/// When standard input ends without an answer.
pub fn line(question: &str) -> Result<String> {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(question.as_bytes()).and_then(|()| out.flush());
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer).context("Can't read from stdin")? == 0 {
        return Err(Error::invalid("EOF"));
    }
    Ok(answer.trim_end_matches(['\n', '\r']).trim().to_owned())
}

/// Asks for a secret: on a terminal nothing is shown while it is typed.
///
/// # Errors
/// As [`line`].
pub fn secret(question: &str) -> Result<String> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        let answer = line(question);
        crate::printer::print("\n");
        return answer;
    }
    let before = tcgetattr(&input).context("Failed to read the terminal's settings")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &silent).context("Failed to silence the terminal")?;
    let answer = line(question);
    tcsetattr(&input, OptionalActions::Flush, &before).context("Failed to restore the terminal")?;
    crate::printer::print("\n");
    answer
}
