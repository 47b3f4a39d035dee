//! `lxc file create`: an empty file, a folder or a link in an instance. LXD's client has it since 5.17.

use corten_api::error::{Error, Result};
use corten_client::file::{self, Attributes};

use super::{CREATE_DIRS, clean, folders, push};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "create",
    usage: "[<remote>:]<instance>/<path> [<symlink target path>]",
    about: "Create files and directories in instances",
    examples: "lxc file create foo/bar\n   To create an empty file /bar in the instance foo.\n\n\
               lxc file create --type=symlink foo/bar baz\n   To create the link /bar to baz in the instance foo.",
    flags: &[
        CREATE_DIRS,
        Flag::switch("force", "Replace what is there already").short('f'),
        Flag::int("uid", "-1", "Set the file's uid on create"),
        Flag::int("gid", "-1", "Set the file's gid on create"),
        Flag::text("mode", "Set the file's perms on create"),
        Flag::text("type", "The type to create (file, symlink, or directory)"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let inside = super::inside(session, arguments.word(0), "path").await?;
    let (server, instance) = (&inside.resource.server, inside.resource.name.as_str());
    let target = arguments.words.get(1);
    let kind = kind(arguments.text("type"), &inside.path, target.is_some())?;
    let path = clean(&inside.path);
    let (uid, gid) = (arguments.int("uid", -1), arguments.int("gid", -1));
    if arguments.is_set("create-dirs") {
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let made = Attributes { uid, gid, mode: 0o755, kind: "directory".to_owned() };
        folders(server, instance, folder, &made).await?;
    }
    if file::get(server, instance, &path).await.is_ok() {
        if !arguments.is_set("force") {
            return Err(Error::invalid(format!("{path} already exists, use --force to replace it")));
        }
        file::delete(server, instance, &path).await?;
    }
    let usual = if kind == "directory" { 0o755 } else { 0o644 };
    let mode = push::mode(arguments.text("mode"))?.unwrap_or(usual) & 0o777;
    let content = target.cloned().unwrap_or_default().into_bytes();
    file::put(server, instance, &path, &Attributes { uid, gid, mode, kind: kind.to_owned() }, content).await
}

/// What is to be made: as `--type` says, or as the path looks.
fn kind(asked: &str, path: &str, has_target: bool) -> Result<&'static str> {
    let kind = match asked {
        "" if path.ends_with('/') => "directory",
        "" if has_target => "symlink",
        "" | "file" => "file",
        "directory" => "directory",
        "symlink" => "symlink",
        _ => return Err(Error::invalid(format!("Invalid type {asked:?}, it must be file, symlink or directory"))),
    };
    match (kind, has_target) {
        ("symlink", false) => Err(Error::invalid("A link needs a target path")),
        ("symlink", true) | (_, false) => Ok(kind),
        _ => Err(Error::invalid("Only links have a target path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_said_or_seen() {
        for (asked, path, has_target, want) in [
            ("", "/a", false, Ok("file")),
            ("", "/a/", false, Ok("directory")),
            ("", "/a", true, Ok("symlink")),
            ("directory", "/a", false, Ok("directory")),
            ("file", "/a", true, Err("Only links have a target path")),
            ("symlink", "/a", false, Err("A link needs a target path")),
            ("fifo", "/a", false, Err("Invalid type \"fifo\", it must be file, symlink or directory")),
        ] {
            let made = kind(asked, path, has_target).map_err(|error| error.message);
            assert_eq!(made, want.map_err(str::to_owned), "{asked:?} {path}");
        }
    }
}
