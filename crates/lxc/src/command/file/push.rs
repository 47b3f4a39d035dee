//! `lxc file push`: files of this host into instances.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_client::body::Body;
use corten_client::file::{self, Attributes};
use corten_client::server::Server;

use super::{CREATE_DIRS, RECURSIVE, clean, folders, last_part, sources_and_target};
use crate::arguments::{Arguments, Flag};
use crate::command::image::open_failed;
use crate::commands::Command;
use crate::progress::Transfer;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "push",
    usage: "<source path>... [<remote>:]<instance>/<path>",
    about: "Push files into instances",
    examples: "lxc file push /etc/hosts foo/etc/hosts\n   To push /etc/hosts into the instance \"foo\".",
    flags: &[
        RECURSIVE,
        CREATE_DIRS,
        Flag::int("uid", "-1", "Set the file's uid on push"),
        Flag::int("gid", "-1", "Set the file's gid on push"),
        Flag::text("mode", "Set the file's perms on push"),
    ],
    words: (2, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (sources, word) = sources_and_target(arguments);
    let inside = super::inside(session, word, "target").await?;
    let target = clean(&inside.path);
    let into_folder = word.ends_with('/') || target == "/";
    let push = Push {
        server: &inside.resource.server,
        instance: &inside.resource.name,
        quiet: session.quiet,
        uid: arguments.int("uid", -1),
        gid: arguments.int("gid", -1),
        mode: mode(arguments.text("mode"))?,
    };
    let create = arguments.is_set("create-dirs");
    if arguments.is_set("recursive") {
        if push.uid != -1 || push.gid != -1 || push.mode.is_some() {
            return Err(Error::invalid("Can't supply uid/gid/mode in recursive mode"));
        }
        if create {
            let first = Path::new(&sources[0]);
            folders(push.server, push.instance, &target, &attributes(&look(first)?, "directory")).await?;
        }
        for source in sources {
            push.tree(Path::new(source), &target).await?;
        }
        return Ok(());
    }
    if sources.len() > 1 && !into_folder {
        return Err(Error::invalid("Missing target directory"));
    }
    // All must be readable before the first is sent.
    let sources: Result<Vec<_>> = sources.iter().map(|source| Ok((source.as_str(), open(source)?))).collect();
    for (name, file) in sources? {
        let path = match into_folder {
            true => format!("{}/{}", target.trim_end_matches('/'), last_part(name)),
            false => target.clone(),
        };
        push.one(name, file, &path, create).await?;
    }
    Ok(())
}

/// Reads `--mode`: octal digits, or a number as Go writes them (`0o644`, `0x1a4`).
pub(super) fn mode(text: &str) -> Result<Option<i64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let padded = if text.len() == 3 { format!("0{text}") } else { text.to_owned() };
    let number = match padded.as_bytes() {
        [b'0', b'x' | b'X', ..] => i64::from_str_radix(&padded[2..], 16),
        [b'0', b'o' | b'O', ..] => i64::from_str_radix(&padded[2..], 8),
        [b'0', ..] => i64::from_str_radix(&padded, 8),
        _ => padded.parse(),
    };
    let bad = |_| Error::invalid(format!("strconv.ParseInt: parsing {padded:?}: invalid syntax"));
    number.map(Some).map_err(bad)
}

/// A file to send; standard input for `-`.
fn open(name: &str) -> Result<File> {
    if name == "-" {
        let stdin = rustix::io::dup(std::io::stdin()).map_err(std::io::Error::from);
        return Ok(File::from(stdin.context("Failed to use standard input")?));
    }
    File::open(name).map_err(|error| Error::invalid(open_failed(Path::new(name), &error)))
}

fn look(path: &Path) -> Result<Metadata> {
    std::fs::symlink_metadata(path).map_err(|error| Error::invalid(open_failed(path, &error)))
}

fn attributes(found: &Metadata, kind: &str) -> Attributes {
    Attributes {
        uid: i64::from(found.uid()),
        gid: i64::from(found.gid()),
        mode: i64::from(found.mode() & 0o777),
        kind: kind.to_owned(),
    }
}

struct Push<'a> {
    server: &'a Server,
    instance: &'a str,
    quiet: bool,
    uid: i64,
    gid: i64,
    mode: Option<i64>,
}

impl Push<'_> {
    /// Sends one file with the owner and permissions that it has, or those that flags give it.
    async fn one(&self, name: &str, file: File, path: &str, create: bool) -> Result<()> {
        let found = file.metadata().with_context(|| format!("Failed to look at {name}"))?;
        if found.is_dir() {
            return Err(Error::invalid(format!("read {name}: is a directory")));
        }
        let mut attributes = attributes(&found, "file");
        if self.uid >= 0 {
            attributes.uid = self.uid;
        }
        if self.gid >= 0 {
            attributes.gid = self.gid;
        }
        if create {
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            let made = Attributes { mode: -1, kind: "directory".to_owned(), ..attributes.clone() };
            folders(self.server, self.instance, folder, &made).await?;
        }
        attributes.mode = self.mode.unwrap_or(attributes.mode) & 0o777;
        let length = found.is_file().then_some(found.len());
        self.content(name, Box::new(file), length, path, &attributes).await
    }

    async fn content(
        &self,
        name: &str,
        content: Box<dyn Read + Send>,
        length: Option<u64>,
        path: &str,
        attributes: &Attributes,
    ) -> Result<()> {
        let transfer = Transfer::new(format!("Pushing {name} to {path}: %s"), self.quiet);
        let mut watch = transfer.watcher();
        let body = Body::reader(content, length, move |sent| watch(sent, length.unwrap_or_default()));
        let sent = file::put(self.server, self.instance, path, attributes, body).await;
        transfer.done("");
        sent
    }

    /// Sends a file or a folder with all that is in it, below `target`.
    async fn tree(&self, source: &Path, target: &str) -> Result<()> {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut waiting: Vec<(PathBuf, String)> = vec![(source.to_owned(), clean(&format!("{target}/{name}")))];
        while let Some((from, to)) = waiting.pop() {
            let shown = from.display().to_string();
            let found = look(&from).with_context(|| format!("Failed to walk path for {shown}"))?;
            let kind = found.file_type();
            if kind.is_dir() {
                file::put(self.server, self.instance, &to, &attributes(&found, "directory"), Vec::new()).await?;
                let entries = std::fs::read_dir(&from).with_context(|| format!("Failed to walk path for {shown}"))?;
                for entry in entries {
                    let entry = entry.with_context(|| format!("Failed to walk path for {shown}"))?;
                    waiting.push((entry.path(), format!("{to}/{}", entry.file_name().to_string_lossy())));
                }
            } else if kind.is_symlink() {
                let link = std::fs::read_link(&from).with_context(|| format!("Failed to read the link {shown}"))?;
                let target = link.to_string_lossy().into_owned().into_bytes();
                file::put(self.server, self.instance, &to, &attributes(&found, "symlink"), target).await?;
            } else if kind.is_file() {
                let file = open(&shown)?;
                self.content(&shown, Box::new(file), Some(found.len()), &to, &attributes(&found, "file")).await?;
            } else {
                return Err(Error::invalid(format!("'{shown}' isn't a supported file type")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_where_gos_are() {
        for (text, want) in
            [("", None), ("644", Some(0o644)), ("0755", Some(0o755)), ("0o600", Some(0o600)), ("420", Some(0o420))]
        {
            assert_eq!(mode(text).unwrap(), want, "{text}");
        }
        assert!(mode("rwx").is_err());
    }
}
