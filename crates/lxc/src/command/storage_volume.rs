//! `lxc storage volume`: volumes on pools, and their snapshots.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::{StorageVolume, StorageVolumePut, StorageVolumesPost};
use corten_api::storage_pool_volume_snapshot::{StorageVolumeSnapshot, StorageVolumeSnapshotPut};
use corten_api::url;
use hyper::Method;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset, say};
use crate::session::{Resource, Session};
use crate::{key_value, printer, run};

mod attach;
mod backup;
mod copy;
mod info;
mod list;
mod snapshot;

/// The group.
pub static COMMAND: Command = Command {
    name: "volume",
    about: "Manage storage volumes",
    long: "Manage storage volumes\n\nA volume is of the type \"custom\" unless its name begins with another type, as\nin \"container/c1\".",
    children: &[
        &attach::ATTACH,
        &attach::ATTACH_PROFILE,
        &copy::COPY,
        &CREATE,
        &DELETE,
        &attach::DETACH,
        &attach::DETACH_PROFILE,
        &EDIT,
        &backup::EXPORT,
        &GET,
        &backup::IMPORT,
        &info::INFO,
        &list::LIST,
        &copy::MOVE,
        &RENAME,
        &snapshot::RESTORE,
        &SET,
        &SHOW,
        &snapshot::SNAPSHOT,
        &UNSET,
    ],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<pool> <volume> [key=value...]",
    about: "Create new custom storage volumes",
    flags: &[entity::TARGET, Flag::text("type", "Content type, block or filesystem").or("filesystem")],
    words: (2, None),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<pool> <volume>[/<snapshot>]",
    about: "Delete storage volumes",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(delete),
    ..Command::EMPTY
};

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:]<pool> <volume>[/<snapshot>]",
    about: "Edit storage volume configurations as YAML",
    examples: "lxc storage volume edit <pool> <volume> < volume.yaml\n    Gives the volume the content of volume.yaml.",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(edit),
    ..Command::EMPTY
};

static GET: Command = Command {
    name: "get",
    usage: "[<remote>:]<pool> <volume>[/<snapshot>] <key>",
    about: "Get values for storage volume configuration keys",
    examples: "lxc storage volume get default data size\n    Says how large the custom volume \"data\" of the pool \"default\" may become.",
    flags: &[entity::TARGET],
    words: (3, Some(3)),
    run: run!(get),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    usage: "[<remote>:]<pool> <old name>[/<old snapshot name>] <new name>[/<new snapshot name>]",
    about: "Rename storage volumes and storage volume snapshots",
    flags: &[entity::TARGET],
    words: (3, Some(3)),
    run: run!(rename),
    ..Command::EMPTY
};

static SET: Command = Command {
    name: "set",
    usage: "[<remote>:]<pool> <volume> <key>=<value>...",
    about: "Set storage volume configuration keys",
    long: "Set storage volume configuration keys\n\nThe older form takes one key:\n    lxc storage volume set [<remote>:]<pool> <volume> <key> <value>",
    flags: &[entity::TARGET],
    words: (3, None),
    run: run!(set),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<pool> <volume>[/<snapshot>]",
    about: "Show storage volume configurations",
    examples: "lxc storage volume show default data\n    Shows the custom volume \"data\" of the pool \"default\".\n\nlxc storage volume show default container/c1\n    Shows the root volume of the container \"c1\".",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(show),
    ..Command::EMPTY
};

static UNSET: Command = Command {
    name: "unset",
    usage: "[<remote>:]<pool> <volume> <key>",
    about: "Unset storage volume configuration keys",
    flags: &[entity::TARGET],
    words: (3, Some(3)),
    run: run!(unset),
    ..Command::EMPTY
};

const EDIT_HEADER: &str = "\
### The configuration of a storage volume, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A storage volume has configuration keys, like this:
### name: vol1
### type: custom
### used_by: []
### config:
###   size: \"61203283968\"";

const CUSTOM: &str = "custom";

/// A volume as a word names it: `data`, `data/snap`, `container/c1`.
#[derive(Debug, PartialEq)]
struct Named<'a> {
    kind: &'a str,
    /// The volume's name, with that of a snapshot if one is meant.
    name: &'a str,
}

impl<'a> Named<'a> {
    fn parse(word: &'a str) -> Named<'a> {
        match word.split_once('/') {
            Some((kind @ (CUSTOM | "image" | "container" | "virtual-machine"), name)) => Named { kind, name },
            _ => Named { kind: CUSTOM, name: word },
        }
    }

    /// The volume and the snapshot, of which there can be one.
    fn parts(&self) -> Result<(&'a str, Option<&'a str>)> {
        match self.name.split_once('/') {
            Some((_, snapshot)) if snapshot.contains('/') => Err(Error::invalid("Invalid snapshot name")),
            Some((volume, snapshot)) => Ok((volume, Some(snapshot))),
            None => Ok((self.name, None)),
        }
    }
}

/// The pool that the first word names, at the member that `--target` names.
async fn pool(session: &Session, arguments: &Arguments) -> Result<Resource> {
    let mut found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        return Err(Error::invalid("Missing pool name"));
    }
    found.server = entity::at_target(found.server, arguments);
    Ok(found)
}

/// The path of a volume, or of one of its snapshots.
fn path(pool: &str, kind: &str, volume: &str, snapshot: Option<&str>) -> String {
    let mut path = url::path(["storage-pools", pool, "volumes", kind, volume]);
    if let Some(snapshot) = snapshot {
        path = format!("{path}/snapshots/{}", url::escape(snapshot));
    }
    path
}

/// The volume or snapshot that the first two words name.
async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
    let pool = pool(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    let (volume, snapshot) = named.parts()?;
    let path = path(&pool.name, named.kind, volume, snapshot);
    Ok(Place { server: pool.server, path, name: arguments.word(1).to_owned(), words: 2 })
}

fn is_snapshot(arguments: &Arguments) -> bool {
    Named::parse(arguments.word(1)).name.contains('/')
}

struct OfVolume;

impl Entity for OfVolume {
    type Whole = StorageVolume;
    type Writable = StorageVolumePut;

    const NOUN: &'static str = "Storage volume";
    const EDIT_HEADER: &'static str = EDIT_HEADER;

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        place(session, arguments).await
    }

    fn writable(whole: &StorageVolume) -> StorageVolumePut {
        whole.writable()
    }

    fn arrange(whole: &mut StorageVolume) {
        whole.used_by.sort();
    }
}

impl Configured for OfVolume {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut StorageVolumePut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

struct OfSnapshot;

impl Entity for OfSnapshot {
    type Whole = StorageVolumeSnapshot;
    type Writable = StorageVolumeSnapshotPut;

    const NOUN: &'static str = "Storage volume";
    const EDIT_HEADER: &'static str = EDIT_HEADER;

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        place(session, arguments).await
    }

    fn writable(whole: &StorageVolumeSnapshot) -> StorageVolumeSnapshotPut {
        whole.writable()
    }
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    if is_snapshot(arguments) {
        entity::show::<OfSnapshot>(session, arguments).await
    } else {
        entity::show::<OfVolume>(session, arguments).await
    }
}

async fn get(session: &Session, arguments: &Arguments) -> Result<()> {
    if !is_snapshot(arguments) {
        return entity::get::<OfVolume>(session, arguments).await;
    }
    let place = place(session, arguments).await?;
    let snapshot: StorageVolumeSnapshot = place.server.get(&place.path).await?;
    if let Some(value) = snapshot.config.get(arguments.word(2)) {
        printer::print_line(value);
    }
    Ok(())
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    if is_snapshot(arguments) {
        entity::edit::<OfSnapshot>(session, arguments).await
    } else {
        entity::edit::<OfVolume>(session, arguments).await
    }
}

fn refuse_snapshots(arguments: &Arguments) -> Result<()> {
    Named::parse(arguments.word(1)).parts()?;
    if is_snapshot(arguments) {
        return Err(Error::invalid("Snapshots are read-only and can't have their configuration changed"));
    }
    Ok(())
}

async fn set(session: &Session, arguments: &Arguments) -> Result<()> {
    refuse_snapshots(arguments)?;
    entity::set::<OfVolume>(session, arguments).await
}

async fn unset(session: &Session, arguments: &Arguments) -> Result<()> {
    refuse_snapshots(arguments)?;
    entity::unset::<OfVolume>(session, arguments).await
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    let volume = StorageVolumesPost {
        name: named.name.to_owned(),
        r#type: named.kind.to_owned(),
        content_type: arguments.text_or("type", "filesystem").to_owned(),
        config: key_value::all(arguments.rest(2), |word| format!("Bad key=value pair: [{word}]"))?,
        ..StorageVolumesPost::default()
    };
    pool.server.post(&url::path(["storage-pools", &pool.name, "volumes", named.kind]), &volume).await?;
    say(session, &format!("Storage volume {} created", arguments.word(1)));
    Ok(())
}

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    if !is_snapshot(arguments) {
        return entity::delete::<OfVolume>(session, arguments).await;
    }
    let place = place(session, arguments).await?;
    place.server.start(Method::DELETE, &place.path, &(), "").await?.wait().await?;
    say(session, &format!("Storage volume {} deleted", place.name));
    Ok(())
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = place(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    let mut new = arguments.word(2);
    if let (volume, Some(_)) = named.parts()? {
        let (parent, snapshot) = new.split_once('/').unwrap_or((new, ""));
        if parent != volume {
            return Err(Error::invalid("Invalid new snapshot name, parent volume must be the same as source"));
        }
        if snapshot.is_empty() {
            return Err(Error::invalid("Invalid new snapshot name"));
        }
        new = snapshot;
        let body = serde_json::json!({ "name": new });
        place.server.start(Method::POST, &place.path, &body, "").await?.wait().await?;
    } else {
        place.server.post(&place.path, &serde_json::json!({ "name": new })).await?;
    }
    say(session, &format!("Renamed storage volume from \"{}\" to \"{new}\"", named.name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_custom_unless_they_say_otherwise() {
        for (word, kind, name) in [
            ("data", CUSTOM, "data"),
            ("data/snap0", CUSTOM, "data/snap0"),
            ("container/c1", "container", "c1"),
            ("virtual-machine/v1/s", "virtual-machine", "v1/s"),
            ("custom/data", CUSTOM, "data"),
        ] {
            assert_eq!(Named::parse(word), Named { kind, name });
        }
        assert_eq!(Named::parse("data/snap0").parts().unwrap(), ("data", Some("snap0")));
        assert_eq!(Named::parse("a/b/c").parts().unwrap_err().message, "Invalid snapshot name");
        assert_eq!(path("p", CUSTOM, "v 1", Some("s")), "/1.0/storage-pools/p/volumes/custom/v%201/snapshots/s");
    }
}
