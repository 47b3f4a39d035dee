//! Questions, answered by lines, as scripts feed them.

use corten_api::error::{Error, Result};
use rustix::termios::{LocalModes, OptionalActions, isatty, tcgetattr, tcsetattr};
use std::io::{BufRead, Write};

/// One who asks on `output`, reads from `input`, and complains on `errors`.
pub struct Asker<I, O, E> {
    input: I,
    output: O,
    errors: E,
}

impl<I: BufRead, O: Write, E: Write> Asker<I, O, E> {
    /// Asks there.
    pub fn new(input: I, output: O, errors: E) -> Self {
        Asker { input, output, errors }
    }

    /// Prints something that is no question.
    ///
    /// # Errors
    /// When nobody can read it.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        written.map_err(|error| Error::internal(format!("Failed to write: {error}")))
    }

    fn complain(&mut self, text: &str) {
        // Who cannot read complaints still gets the question again.
        let _ = write!(self.errors, "{text}\n\n");
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            // An answer without a line's end is one that was cut off.
            Ok(_) if !line.ends_with('\n') => Err(Error::invalid("EOF")),
            Ok(_) => Ok(line.trim().to_string()),
            Err(error) => Err(Error::internal(format!("Failed to read the answer: {error}"))),
        }
    }

    fn question(&mut self, question: &str, default: &str) -> Result<String> {
        self.say(question)?;
        let answer = self.line()?;
        Ok(if answer.is_empty() { default.to_string() } else { answer })
    }

    /// Asks for yes or no.
    ///
    /// # Errors
    /// When the input ends.
    pub fn yes(&mut self, question: &str, default: &str) -> Result<bool> {
        loop {
            match self.question(question, default)?.to_lowercase().as_str() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                _ => self.complain("Invalid input, try again."),
            }
        }
    }

    /// Asks for one of some words.
    ///
    /// # Errors
    /// When the input ends.
    pub fn choice(&mut self, question: &str, choices: &[String], default: &str) -> Result<String> {
        loop {
            let answer = self.question(question, default)?;
            if choices.contains(&answer) {
                return Ok(answer);
            }
            self.complain("Invalid input, try again.");
        }
    }

    /// Asks for a text that is not empty.
    ///
    /// # Errors
    /// When the input ends.
    pub fn text(&mut self, question: &str, default: &str) -> Result<String> {
        loop {
            let answer = self.question(question, default)?;
            if !answer.is_empty() {
                return Ok(answer);
            }
            self.complain("Invalid input, try again.");
        }
    }

    /// Asks for a text until `check` has nothing against it.
    ///
    /// # Errors
    /// When the input ends.
    pub fn checked(
        &mut self,
        question: &str,
        default: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String> {
        loop {
            let answer = self.question(question, default)?;
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(reason) => self.complain(&format!("Invalid input: {reason}")),
            }
        }
    }

    /// Asks for a secret twice, without showing it on a terminal.
    ///
    /// # Errors
    /// When the input ends.
    pub fn password(&mut self, question: &str) -> Result<String> {
        loop {
            let first = self.secret(question)?;
            let second = self.secret("Again: ")?;
            if !first.is_empty() && first == second {
                return Ok(first);
            }
            self.complain("Invalid input, try again.");
        }
    }

    fn secret(&mut self, question: &str) -> Result<String> {
        self.say(question)?;
        let terminal = std::io::stdin();
        let shown = if isatty(&terminal) { tcgetattr(&terminal).ok() } else { None };
        if let Some(mut hidden) = shown.clone() {
            hidden.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&terminal, OptionalActions::Now, &hidden);
        }
        let answer = self.line();
        if let Some(shown) = shown {
            let _ = tcsetattr(&terminal, OptionalActions::Now, &shown);
        }
        self.say("\n")?;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_answers_are_asked_again() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut asker = Asker::new(&b"maybe\nY\n\nred\nblue\n"[..], &mut out, &mut err);
        assert!(asker.yes("Sure? ", "no").expect("answered"));
        assert!(!asker.yes("Really? ", "no").expect("answered"));
        let colours = ["blue".to_string(), "green".to_string()];
        assert_eq!(asker.choice("Colour? ", &colours, "green").expect("answered"), "blue");
        assert_eq!(asker.text("More? ", "").expect_err("the end").message, "EOF");
        assert_eq!(String::from_utf8(out).expect("text"), "Sure? Sure? Really? Colour? Colour? More? ");
        assert_eq!(String::from_utf8(err).expect("text"), "Invalid input, try again.\n\n".repeat(2));
    }
}
