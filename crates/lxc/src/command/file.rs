//! `lxc file`: files of instances, also of stopped ones.

use corten_api::error::{Error, Result};
use corten_client::file::{self, Attributes, Fetched};
use corten_client::server::Server;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::{Resource, Session};

mod create;
mod delete;
mod edit;
mod mount;
mod pull;
mod push;

pub static COMMAND: Command = Command {
    name: "file",
    about: "Manage files in instances",
    children: &[&create::COMMAND, &delete::COMMAND, &edit::COMMAND, &mount::COMMAND, &pull::COMMAND, &push::COMMAND],
    ..Command::EMPTY
};

const RECURSIVE: Flag = Flag::switch("recursive", "Recursively transfer files").short('r');
const CREATE_DIRS: Flag = Flag::switch("create-dirs", "Create any directories necessary").short('p');

/// A path in an instance.
struct Inside {
    resource: Resource,
    /// Absolute, but otherwise as the user wrote it.
    path: String,
}

/// Reads `[<remote>:]<instance>/<path>`; `what` names it in the complaint when there is no slash.
async fn inside(session: &Session, word: &str, what: &str) -> Result<Inside> {
    let mut resource = session.resource(word).await?;
    let Some((instance, path)) = resource.name.split_once('/') else {
        return Err(Error::invalid(format!("Invalid {what} {}", resource.name)));
    };
    let path = format!("/{path}");
    resource.name = instance.to_owned();
    Ok(Inside { resource, path })
}

/// Makes those folders of a path in an instance that are not there.
async fn folders(server: &Server, instance: &str, path: &str, attributes: &Attributes) -> Result<()> {
    let path = clean(path);
    let mut missing = Vec::new();
    let mut current = path.as_str();
    while !current.is_empty() && current != "/" {
        match file::get(server, instance, current).await {
            Ok(Fetched::Folder(..)) => break,
            Ok(Fetched::Content(..)) => return Err(Error::invalid(format!("{current} is not a directory"))),
            Err(_) => missing.push(current),
        }
        current = current.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    for folder in missing.into_iter().rev() {
        file::put(server, instance, folder, attributes, Vec::new()).await?;
    }
    Ok(())
}

/// All words but the last, and the last.
fn sources_and_target(arguments: &Arguments) -> (&[String], &str) {
    let (target, sources) = arguments.words.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
    (sources, target)
}

/// Removes `.`, `..` and doubled slashes from an absolute path.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The last part of a path.
fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, want) in [("/a//b/./c", "/a/b/c"), ("/..", "/"), ("/a/../../b", "/b"), ("/", "/"), ("//x/", "/x")] {
            assert_eq!(clean(path), want, "{path}");
        }
        assert_eq!(last_part("/etc/hosts"), "hosts");
        assert_eq!(last_part("/etc/"), "etc");
    }
}
