//! `lxc file pull`: files of instances onto this host.

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_client::file::{self, Attributes, Fetched, announced_length, each_piece};
use corten_client::http::Reply;
use corten_client::server::Server;

use super::{CREATE_DIRS, RECURSIVE, clean, last_part, sources_and_target};
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::printer;
use crate::progress::Transfer;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "pull",
    usage: "[<remote>:]<instance>/<path> [[<remote>:]<instance>/<path>...] <target path>",
    about: "Pull files from instances",
    examples: "lxc file pull foo/etc/hosts .\n   To pull /etc/hosts from the instance and write it to the current directory.",
    flags: &[CREATE_DIRS, RECURSIVE],
    words: (2, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// Permissions of folders that are made on the way.
const FOLDER_MODE: u32 = 0o755;

/// How many links are followed before they are taken for a circle.
const MOST_LINKS: usize = 255;

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (sources, target) = sources_and_target(arguments);
    let recursive = arguments.is_set("recursive");
    let mut into_folder = prepare(target, sources.len(), arguments.is_set("create-dirs"))?;
    for source in sources {
        let inside = super::inside(session, source, "source").await?;
        let pull = Pull { server: &inside.resource.server, instance: &inside.resource.name, quiet: session.quiet };
        match file::get(pull.server, pull.instance, &inside.path).await? {
            Fetched::Folder(..) if !recursive => {
                return Err(Error::invalid("Can't pull a directory without --recursive"));
            }
            Fetched::Folder(attributes, names) => {
                if !Path::new(target).exists() {
                    make_folders(Path::new(target))?;
                    into_folder = true;
                }
                pull.folder(&inside.path, &attributes, names, Path::new(target)).await?;
            }
            Fetched::Content(attributes, reply) => {
                let place =
                    if into_folder { Path::new(target).join(last_part(&inside.path)) } else { PathBuf::from(target) };
                let follow = recursive || target == "-";
                if attributes.kind == "symlink" && !follow {
                    link(reply, &place).await?;
                    continue;
                }
                let (attributes, reply) = pull.follow(&inside.path, attributes, reply).await?;
                pull.content(&inside.path, &attributes, reply, &place).await?;
            }
        }
    }
    Ok(())
}

/// Looks at the target and makes folders that it needs; tells whether files go into it or become it.
fn prepare(target: &str, sources: usize, create: bool) -> Result<bool> {
    let path = Path::new(target);
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() && sources > 1 => {
            Err(Error::invalid("More than one file to download, but target is not a directory"))
        }
        Ok(found) => Ok(found.is_dir()),
        Err(_) if target.ends_with('/') || sources > 1 => make_folders(path).map(|()| true),
        Err(_) => {
            if let (true, Some(parent)) = (create, path.parent()) {
                make_folders(parent)?;
            }
            Ok(false)
        }
    }
}

fn make_folders(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        .with_context(|| format!("Failed to create the folder {}", path.display()))
}

/// Makes a link like one in an instance.
async fn link(reply: Reply, place: &Path) -> Result<()> {
    let target = text(reply).await?;
    symlink(target.trim(), place).with_context(|| format!("Failed to create the link {}", place.display()))
}

async fn text(reply: Reply) -> Result<String> {
    let mut bytes = Vec::new();
    each_piece(reply, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })
    .await?;
    String::from_utf8(bytes).map_err(|_| Error::invalid("A link in the instance leads to a name that is not text"))
}

/// Permissions that a file gets here: never those that would let it act for somebody else.
fn mode(attributes: &Attributes) -> u32 {
    u32::try_from(attributes.mode).unwrap_or(0o644) & 0o777
}

struct Pull<'a> {
    server: &'a Server,
    instance: &'a str,
    quiet: bool,
}

impl Pull<'_> {
    /// Goes along links in the instance until something else is found.
    async fn follow(&self, path: &str, mut attributes: Attributes, mut reply: Reply) -> Result<(Attributes, Reply)> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            if attributes.kind != "symlink" {
                return Ok((attributes, reply));
            }
            let target = text(reply).await?;
            let target = target.trim_end_matches('\n');
            path = match target.starts_with('/') {
                true => target.to_owned(),
                false => clean(&format!("{}/../{target}", path.trim_end_matches('/'))),
            };
            match file::get(self.server, self.instance, &path).await? {
                Fetched::Content(found, next) => (attributes, reply) = (found, next),
                Fetched::Folder(..) => return Err(Error::invalid(format!("{path} is a directory"))),
            }
        }
        Err(Error::invalid("Too many links"))
    }

    /// Writes a file, or standard output for `-`.
    async fn content(&self, path: &str, attributes: &Attributes, reply: Reply, place: &Path) -> Result<()> {
        let shown = place.display();
        let to_stdout = place == Path::new("-");
        let mut to: Box<dyn Write> = if to_stdout {
            Box::new(printer::Stdout)
        } else {
            let mode = mode(attributes);
            let file = File::options().write(true).create(true).truncate(true).mode(mode).open(place);
            let file = file.map_err(|error| Error::invalid(super::super::image::open_failed(place, &error)))?;
            // The file may have been there, or the umask may have taken something away.
            let set = file.set_permissions(std::fs::Permissions::from_mode(mode));
            set.with_context(|| format!("Failed to set the permissions of {shown}"))?;
            Box::new(file)
        };
        let transfer = Transfer::new(format!("Pulling {shown} from {path}: %s"), self.quiet || to_stdout);
        let (mut watch, expected) = (transfer.watcher(), announced_length(&reply).unwrap_or_default());
        let mut had = 0;
        let copied = each_piece(reply, |piece| {
            had += piece.len() as u64;
            watch(had, expected);
            to.write_all(piece).with_context(|| format!("Failed to write {shown}"))
        })
        .await;
        transfer.done("");
        copied.map(drop)
    }

    /// Writes a folder below another, with all that is in it.
    async fn folder(&self, path: &str, attributes: &Attributes, names: Vec<String>, into: &Path) -> Result<()> {
        // A list of what is still to be done instead of recursion: folders in instances may be deep.
        let mut waiting = vec![(path.to_owned(), attributes.clone(), names, into.to_owned())];
        while let Some((path, attributes, names, into)) = waiting.pop() {
            let folder = into.join(last_part(&path));
            DirBuilder::new()
                .mode(mode(&attributes))
                .create(&folder)
                .map_err(|error| Error::invalid(format!("mkdir {}: {}", folder.display(), plain(&error))))?;
            for name in names {
                if name.contains('/') || name == ".." {
                    return Err(Error::internal(format!("The server names a file {name:?} in {path}")));
                }
                let inside = format!("{}/{name}", path.trim_end_matches('/'));
                match file::get(self.server, self.instance, &inside).await? {
                    Fetched::Folder(attributes, names) => waiting.push((inside, attributes, names, folder.clone())),
                    Fetched::Content(attributes, reply) => match attributes.kind.as_str() {
                        "file" => self.content(&inside, &attributes, reply, &folder.join(&name)).await?,
                        "symlink" => link(reply, &folder.join(&name)).await?,
                        other => return Err(Error::invalid(format!("Unknown file type '{other}'"))),
                    },
                }
            }
        }
        Ok(())
    }
}

/// The words of the kernel alone, in small letters.
pub fn plain(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}
