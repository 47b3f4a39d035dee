//! `lxc storage`: storage pools.

use std::collections::BTreeMap;

use corten_api::error::Result;
use corten_api::resource::ResourcesStoragePool;
use corten_api::storage_pool::{StoragePool, StoragePoolPut, StoragePoolsPost};
use corten_api::{url, yaml};

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{self, Configured, Entity, Place, Unset, say};
use crate::session::Session;
use crate::{byte_size, entity_commands, key_value, printer, run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "storage",
    about: "Manage storage pools and volumes",
    children: &[&CREATE, &DELETE, &EDIT, &GET, &INFO, &LIST, &SET, &SHOW, &UNSET, &super::storage_volume::COMMAND],
    ..Command::EMPTY
};

static CREATE: Command = Command {
    name: "create",
    usage: "[<remote>:]<pool> <driver> [key=value...]",
    about: "Create storage pools",
    flags: &[entity::TARGET],
    words: (2, None),
    run: run!(create),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<pool>",
    about: "Delete storage pools",
    words: (1, Some(1)),
    run: run!(entity::delete::<OfPool>),
    ..Command::EMPTY
};

static INFO: Command = Command {
    name: "info",
    usage: "[<remote>:]<pool>",
    about: "Show useful information about storage pools",
    flags: &[Flag::switch("bytes", "Show the used and free space in bytes"), entity::TARGET],
    words: (1, Some(1)),
    run: run!(info),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List available storage pools",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<pool>",
    about: "Show storage pool configurations and resources",
    flags: &[Flag::switch("resources", "Show the resources available to the storage pool"), entity::TARGET],
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

entity_commands!(OfPool, "storage pool", "storage", "[<remote>:]<pool>", 1, &[entity::TARGET], &[]);

struct OfPool;

impl Entity for OfPool {
    type Whole = StoragePool;
    type Writable = StoragePoolPut;

    const NOUN: &'static str = "Storage pool";
    const EDIT_HEADER: &'static str = "\
### The configuration of a storage pool, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### A storage pool has configuration keys, like this:
### name: default
### driver: zfs
### used_by: []
### config:
###   size: \"61203283968\"
###   source: /var/lib/lxd/disks/default.img
###   zfs.pool_name: default";

    async fn place(session: &Session, arguments: &Arguments) -> Result<Place> {
        entity::named(session, arguments, "storage-pools", "Missing pool name").await
    }

    fn writable(whole: &StoragePool) -> StoragePoolPut {
        whole.writable()
    }

    fn arrange(whole: &mut StoragePool) {
        whole.used_by.sort();
    }
}

impl Configured for OfPool {
    const UNSET: Unset = Unset::Nothing;

    fn config(writable: &mut StoragePoolPut) -> &mut BTreeMap<String, String> {
        &mut writable.config
    }
}

async fn create(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let config = key_value::all(arguments.rest(2), |word| format!("Bad key=value pair: [{word}]"))?;
    let pool = StoragePoolsPost {
        name: found.name.clone(),
        driver: arguments.word(1).to_owned(),
        config,
        ..StoragePoolsPost::default()
    };
    entity::at_target(found.server, arguments).post("/1.0/storage-pools", &pool).await?;
    let name = &found.name;
    say(
        session,
        &match arguments.text("target") {
            "" => format!("Storage pool {name} created"),
            target => format!("Storage pool {name} pending on member {target}"),
        },
    );
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let pools: Vec<StoragePool> = found.server.get("/1.0/storage-pools?recursion=1").await?;
    let clustered = entity::is_clustered(&found.server).await?;
    let mut header = vec!["NAME", "DRIVER", "SOURCE", "DESCRIPTION", "USED BY", "STATE"];
    let mut rows: Vec<Vec<String>> = pools
        .iter()
        .map(|pool| {
            vec![
                pool.name.clone(),
                pool.driver.clone(),
                pool.config.get("source").cloned().unwrap_or_default(),
                pool.description.clone(),
                pool.used_by.len().to_string(),
                pool.status.to_uppercase(),
            ]
        })
        .collect();
    if clustered {
        // Each member has a source of its own.
        header.remove(2);
        rows.iter_mut().for_each(|row| {
            row.remove(2);
        });
    }
    table::order::by_cells(&mut rows);
    table::print(arguments, &header, &rows, &pools)
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    if !arguments.is_set("resources") {
        return entity::show::<OfPool>(session, arguments).await;
    }
    let place = OfPool::place(session, arguments).await?;
    let resources: ResourcesStoragePool = place.server.get(&format!("{}/resources", place.path)).await?;
    printer::print(&yaml::to_string(&resources)?);
    Ok(())
}

async fn info(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfPool::place(session, arguments).await?;
    let server = entity::at_cluster_target(place.server, arguments).await?;
    let pool: StoragePool = server.get(&place.path).await?;
    let resources: ResourcesStoragePool = server.get(&format!("{}/resources", place.path)).await?;
    printer::print(&summary(&pool, &resources, arguments.is_set("bytes"))?);
    Ok(())
}

/// What `info` prints: facts about the pool, and who uses it.
fn summary(pool: &StoragePool, resources: &ResourcesStoragePool, exact: bool) -> Result<String> {
    let shown = |bytes: u64| match exact {
        true => bytes.to_string(),
        false => byte_size::binary(bytes.try_into().unwrap_or(i64::MAX)),
    };
    let facts = BTreeMap::from([
        ("name", pool.name.clone()),
        ("driver", pool.driver.clone()),
        ("description", pool.description.clone()),
        ("total space", shown(resources.space.total)),
        ("space used", shown(resources.space.used)),
    ]);
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for used_by in &pool.used_by {
        if let Some((kind, user)) = user(used_by) {
            users.entry(kind).or_default().push(user);
        }
    }
    Ok(yaml::to_string(&BTreeMap::from([("info", facts)]))? + &yaml::to_string(&BTreeMap::from([("used by", users)]))?)
}

/// The kind and name of a user of a pool, `/1.0/instances/c1?project=p` or
/// `/1.0/storage-pools/pool/volumes/custom/v`, with the project and cluster member it is in.
fn user(used_by: &str) -> Option<(String, String)> {
    let (path, query) = used_by.split_once('?').unwrap_or((used_by, ""));
    let fields: Vec<String> =
        path.strip_prefix("/1.0/")?.split('/').map(|part| url::unescape(part).unwrap_or_default()).collect();
    let (kind, name) = match fields.first()?.as_str() {
        "storage-pools" => ("volumes", fields.get(4)?),
        kind => (kind, fields.get(1)?),
    };
    let parameter = |key: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| url::unescape(&value.replace('+', " ")).unwrap_or_default())
    };
    let places: Vec<String> = ["project", "target"]
        .into_iter()
        .filter_map(|key| parameter(key).filter(|value| !value.is_empty()).map(|value| format!("{key} {value:?}")))
        .collect();
    let name = if places.is_empty() { name.clone() } else { format!("{name} ({})", places.join(", ")) };
    Some((kind.to_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_api::resource::ResourcesStoragePoolSpace;

    #[test]
    fn info_is_as_lxd_prints_it() {
        let pool = StoragePool {
            name: "store_lxd".to_owned(),
            driver: "dir".to_owned(),
            used_by: [
                "/1.0/instances/apollo",
                "/1.0/profiles/default?project=p",
                "/1.0/storage-pools/s/volumes/custom/v1",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..StoragePool::default()
        };
        let space = ResourcesStoragePoolSpace { used: 1 << 30, total: 5 << 30 };
        let resources = ResourcesStoragePool { space, ..ResourcesStoragePool::default() };
        let expected = "\
info:
  description: \"\"
  driver: dir
  name: store_lxd
  space used: 1.00GiB
  total space: 5.00GiB
used by:
  instances:
  - apollo
  profiles:
  - default (project \"p\")
  volumes:
  - v1
";
        assert_eq!(summary(&pool, &resources, false).unwrap(), expected);
        assert!(summary(&pool, &resources, true).unwrap().contains("space used: \"1073741824\""));
    }
}
