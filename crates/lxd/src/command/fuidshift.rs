//! `fuidshift`: gives a tree of files other owners, as LXD's tool of that name.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use corten_api::error::{Context, Error, Result};
use corten_host::idmap::shift::{self, Change};
use corten_host::idmap::{Entry, IdMap, Kind};
use corten_host::xattr::IdShift;

/// The name it is called by, as a link to `lxd` or a word after it.
pub const NAME: &str = "fuidshift";

const LONG: &str = "UID/GID shifter

Moves a tree of files from one set of user and group ids to another, with the
ids in ACLs and file capabilities: to those of a container, or with --reverse
back to the host's.

A range is <u|b|g>:<first_container_id>:<first_host_id>:<size>, in which \"u\"
means users, \"g\" groups, and \"b\" both.";

/// Its place on the command line.
pub fn describe() -> Command {
    let flag =
        |name: &'static str, short, help| Arg::new(name).long(name).short(short).help(help).action(ArgAction::SetTrue);
    Command::new(NAME)
        .about("UID/GID shifter")
        .long_about(LONG)
        .after_help("Example:\n  fuidshift my-dir/ b:0:100000:65536 u:10000:1000:1")
        .hide(true)
        .arg(Arg::new("directory").required(true))
        .arg(Arg::new("range").required(true).num_args(1..))
        .arg(flag("test", 't', "Test mode (no change to files)"))
        .arg(flag("reverse", 'r', "Perform a reverse mapping"))
}

/// Shifts, or says what would be shifted.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let word = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let mut map = IdMap::default();
    for text in matches.get_many::<String>("range").into_iter().flatten() {
        let entry = range(text)?;
        if map.entries.iter().any(|old| old.overlaps(&entry)) {
            return Err(Error::invalid("Conflicting id mapping"));
        }
        map.entries.push(entry);
    }
    let directory = word("directory");
    let trimmed = Path::new(directory.trim_end_matches('/'));
    if fs::symlink_metadata(trimmed).is_err() {
        return Err(Error::not_found(format!("No such file or directory: {directory:?}")));
    }
    let root = real(trimmed)?;
    let none = IdMap::default();
    let change = if matches.get_flag("reverse") { Change::new(&map, &none) } else { Change::new(&none, &map) };
    if matches.get_flag("test") {
        return show(&root, &change, &mut HashSet::new());
    }
    shift::tree(&root, &change).map(drop).map_err(|error| Error::internal(error.to_string()))
}

/// The path with the links above its last part followed.
fn real(path: &Path) -> Result<std::path::PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("Failed to find {}", path.display()))?;
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::invalid("The root of the file system cannot be shifted"));
    };
    let parent = parent.canonicalize().with_context(|| format!("Failed expanding symlinks of {}", parent.display()))?;
    Ok(parent.join(name))
}

/// `b:0:100000:65536`, with LXD's words for what is wrong.
fn range(text: &str) -> Result<Entry> {
    let words: Vec<&str> = text.split(':').collect();
    let [kind, ns, host, count] = words[..] else { return Err(Error::invalid(format!("Bad idmap: {text:?}"))) };
    let kind = match kind {
        "u" => Kind::Uid,
        "g" => Kind::Gid,
        "b" => Kind::Both,
        _ => return Err(Error::invalid(format!("Bad idmap type in {text:?}"))),
    };
    let number =
        |word: &str| word.parse::<u32>().map_err(|_| Error::invalid(format!("Bad number {word:?} in {text:?}")));
    let entry = Entry { kind, ns: number(ns)?, host: number(host)?, count: number(count)? };
    entry.checked().ok_or_else(|| Error::invalid("Bad mapping: id wraparound"))
}

/// Prints what would be done; an id that is in no range is shown as -1, and would stay.
fn show(path: &Path, change: &Change, seen: &mut HashSet<(u64, u64)>) -> Result<()> {
    let failed = || format!("Failed to read {}", path.display());
    let stat = fs::symlink_metadata(path).with_context(failed)?;
    if !stat.is_dir() && stat.nlink() > 1 && !seen.insert((stat.dev(), stat.ino())) {
        return Ok(());
    }
    let id = |id: Option<u32>| id.map_or(-1, i64::from);
    let (uid, gid) = (id(change.uid(stat.uid())), id(change.gid(stat.gid())));
    writeln!(io::stdout(), "I would shift {:?} to {uid} {gid}", path.display().to_string())
        .context("Failed to print")?;
    if !stat.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(failed)?.collect::<io::Result<Vec<_>>>().with_context(failed)?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    paths.iter().try_for_each(|path| show(path, change, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_lxd_reads_them() {
        let entry = range("b:0:100000:65536").expect("a range");
        assert_eq!((entry.kind, entry.ns, entry.host, entry.count), (Kind::Both, 0, 100_000, 65_536));
        for (text, message) in [
            ("b:0", "Bad idmap: \"b:0\""),
            ("x:0:0:0", "Bad idmap type in \"x:0:0:0\""),
            ("u:0:4294967295:2", "Bad mapping: id wraparound"),
            ("u:-1:0:1", "Bad number \"-1\" in \"u:-1:0:1\""),
        ] {
            assert_eq!(range(text).expect_err(text).message, message);
        }
    }
}
