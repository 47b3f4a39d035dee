//! Notes of what is meant while a change of several parts is under way: written down first, so that the next daemon can take
//! back what a killed one has begun, or end it.
//!
//! A note is a link `.intent-NAME` whose target says what is meant. A link is there whole or not at all, also after a power
//! failure, and no wait for the disk is needed. What is too long for one is a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Result};
use corten_host::undo::Undo;
use corten_instance::step::pass;

const PREFIX: &str = ".intent-";

/// Up to how many bytes a note is a link.
const LONGEST: usize = 4000;

/// Where the note on something of this name is.
pub fn place(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{PREFIX}{name}"))
}

/// Writes a note. The way back takes it away, when all else could be taken back; an older note, which is of something that
/// could not be ended yet, is there again then.
///
/// # Errors
/// What the kernel says.
pub fn note(path: PathBuf, text: &str, undo: &mut Undo) -> Result<()> {
    let older = read(&path);
    pass("write down what is meant")?;
    write(&path, text)?;
    undo.push_if_clean("write down what is meant", move || {
        let back = older.map_or_else(|| remove(&path), |older| write(&path, &older));
        back.map_err(|error| error.message)
    });
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    remove(path)?;
    let written = if text.len() > LONGEST {
        corten_host::file::replace_in_time(path, text, 0o600).map_err(|error| error.source)
    } else {
        std::os::unix::fs::symlink(text, path)
    };
    written.with_context(|| format!("Failed to write {}", path.display()))
}

fn read(path: &Path) -> Option<String> {
    let text = std::fs::read_link(path).ok().and_then(|text| text.into_os_string().into_string().ok());
    text.or_else(|| std::fs::read_to_string(path).ok())
}

/// Takes a note away; that it is not there is fine.
///
/// # Errors
/// What the kernel says.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("Failed to remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// What notes there are in a folder, as `parse` understands them; others are told of and stay.
///
/// # Errors
/// When the folder cannot be read.
pub fn found<T>(folder: &Path, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        entries => entries.with_context(|| format!("Failed to read {}", folder.display()))?,
    };
    for entry in entries {
        let path = entry.with_context(|| format!("Failed to read {}", folder.display()))?.path();
        if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes())) {
            continue;
        }
        match read(&path).as_deref().and_then(&parse) {
            Some(one) => found.push(one),
            None => tracing::warn!(note = %path.display(), "A note of something unknown was left"),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_any_length_are_found_and_go() {
        let folder = std::env::temp_dir().join(format!("notes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("it is ours");
        std::fs::write(folder.join("other"), "not a note").expect("it is ours");
        let texts = ["short".to_string(), "long".repeat(LONGEST)];
        let mut undo = Undo::default();
        for (number, text) in texts.iter().enumerate() {
            note(place(&folder, &number.to_string()), text, &mut undo).expect("written");
        }
        let mut there = found(&folder, |text| Some(text.to_string())).expect("it is there");
        there.sort_by_key(String::len);
        assert_eq!(there, texts);
        drop(undo);
        assert!(found(&folder, |text| Some(text.to_string())).expect("it is there").is_empty());
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }
}
