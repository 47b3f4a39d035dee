//! Changing a thing as YAML: from standard input, or in the user's editor until the server takes it.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use corten_api::error::{Context, Error, Result};

use crate::printer;

/// The YAML that a script hands over on standard input; nothing when that is a terminal.
///
/// # Errors
/// When standard input cannot be read, or is no text.
pub fn from_stdin() -> Result<Option<String>> {
    if std::io::stdin().is_terminal() {
        return Ok(None);
    }
    all_of_stdin().map(Some)
}

/// Everything on standard input.
///
/// # Errors
/// When it cannot be read, or is no text.
pub fn all_of_stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("Can't read from stdin")?;
    Ok(text)
}

/// Opens the editor on `text` and hands the result to `apply`. When that fails, says why and, after Enter, opens the
/// editor again on what the user wrote.
///
/// # Errors
/// When no editor can be run, or standard input ends.
pub async fn until_taken(text: String, mut apply: impl AsyncFnMut(&str) -> Result<()>) -> Result<()> {
    let mut text = edit(&text)?;
    while let Err(error) = apply(&text).await {
        printer::warn_line(&format!("Config parsing error: {error}"));
        printer::print_line("Press enter to open the editor again or ctrl+c to abort change");
        let mut key = [0];
        if std::io::stdin().read(&mut key).context("Can't read from stdin")? == 0 {
            return Err(Error::invalid("EOF"));
        }
        text = edit(&text)?;
    }
    Ok(())
}

/// One round in the editor.
fn edit(text: &str) -> Result<String> {
    let words = editor()?;
    let file = Scratch::new(text)?;
    let status = Command::new(&words[0])
        .args(&words[1..])
        .arg(&file.0)
        .status()
        .with_context(|| format!("Failed to run the editor {:?}", words[0]))?;
    if !status.success() {
        return Err(Error::invalid(match status.code() {
            Some(code) => format!("exit status {code}"),
            None => format!("The editor {:?} was killed", words[0]),
        }));
    }
    std::fs::read_to_string(&file.0).with_context(|| format!("Failed to read {}", file.0.display()))
}

/// The words of `$VISUAL` or `$EDITOR`, else the first editor that is there.
fn editor() -> Result<Vec<String>> {
    let chosen = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let words: Vec<String> = match chosen {
        Some(line) => line.split_whitespace().map(str::to_owned).collect(),
        None => ["editor", "vi", "emacs", "nano"]
            .into_iter()
            .find(|name| is_in_path(name))
            .map(str::to_owned)
            .into_iter()
            .collect(),
    };
    if words.is_empty() {
        return Err(Error::invalid("No text editor found, please set the EDITOR environment variable"));
    }
    Ok(words)
}

fn is_in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// A file for the editor that only we may read, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(text: &str) -> Result<Scratch> {
        for attempt in 0..100 {
            let name = format!("lxd_editor_{}_{attempt}.yaml", std::process::id());
            let path = std::env::temp_dir().join(name);
            // `create_new` follows no link and takes no file that somebody else has put there.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    let scratch = Scratch(path);
                    file.write_all(text.as_bytes()).with_context(|| wrote(&scratch.0))?;
                    return Ok(scratch);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| wrote(&path)),
            }
        }
        Err(Error::internal(format!("No free file name for the editor below {}", std::env::temp_dir().display())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn wrote(path: &Path) -> String {
    format!("Failed to write {}", path.display())
}
