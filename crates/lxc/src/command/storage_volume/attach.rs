//! `lxc storage volume attach` and `detach`: volumes as disks of instances and profiles.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::StorageVolume;

use super::{CUSTOM, Named, path, pool};
use crate::arguments::Arguments;
use crate::command::config_device;
use crate::commands::Command;
use crate::run;
use crate::session::{Resource, Session};

/// `attach`.
pub static ATTACH: Command = Command {
    name: "attach",
    usage: "[<remote>:]<pool> <volume> <instance> [<device name>] [<path>]",
    about: "Attach new storage volumes to instances",
    words: (3, Some(5)),
    run: run!(attach),
    ..Command::EMPTY
};

/// `attach-profile`.
pub static ATTACH_PROFILE: Command = Command {
    name: "attach-profile",
    usage: "[<remote:>]<pool> <volume> <profile> [<device name>] [<path>]",
    about: "Attach new storage volumes to profiles",
    words: (3, Some(5)),
    run: run!(attach_profile),
    ..Command::EMPTY
};

/// `detach`.
pub static DETACH: Command = Command {
    name: "detach",
    usage: "[<remote>:]<pool> <volume> <instance> [<device name>]",
    about: "Detach storage volumes from instances",
    words: (3, Some(4)),
    run: run!(detach),
    ..Command::EMPTY
};

/// `detach-profile`.
pub static DETACH_PROFILE: Command = Command {
    name: "detach-profile",
    usage: "[<remote:>]<pool> <volume> <profile> [<device name>]",
    about: "Detach storage volumes from profiles",
    words: (3, Some(4)),
    run: run!(detach_profile),
    ..Command::EMPTY
};

/// Name of the device and path in the instance: of two last words, or one that is the path.
fn device_and_path(arguments: &Arguments) -> (&str, &str) {
    match arguments.rest(3) {
        [path] => (arguments.word(1), path),
        [device, path, ..] => (device, path),
        [] => (arguments.word(1), ""),
    }
}

fn custom_volume(arguments: &Arguments) -> Result<&str> {
    let named = Named::parse(arguments.word(1));
    if named.kind != CUSTOM {
        return Err(Error::invalid("Only \"custom\" volumes can be attached to instances"));
    }
    Ok(named.name)
}

fn disk(pool: &str, source: &str, path: Option<&str>) -> BTreeMap<String, String> {
    let mut disk = BTreeMap::from([("type", "disk"), ("pool", pool), ("source", source)]);
    disk.extend(path.map(|path| ("path", path)));
    disk.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The instance or profile that the third word names.
fn owner(pool: &Resource, arguments: &Arguments) -> Resource {
    Resource { name: arguments.word(2).to_owned(), ..pool.clone() }
}

async fn attach(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let (device, path) = device_and_path(arguments);
    let disk = disk(&pool.name, custom_volume(arguments)?, Some(path));
    config_device::attach_to_instance(&owner(&pool, arguments), device, disk).await
}

async fn attach_profile(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let (device, in_instance) = device_and_path(arguments);
    let volume: StorageVolume = pool.server.get(&path(&pool.name, CUSTOM, custom_volume(arguments)?, None)).await?;
    let disk = disk(&pool.name, &volume.name, (volume.content_type != "block").then_some(in_instance));
    config_device::attach_to_profile(&owner(&pool, arguments), device, disk).await
}

async fn detach(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    config_device::detach_from_instance(&owner(&pool, arguments), |devices| {
        choose(devices, &pool.name, arguments.word(1), arguments.word(3))
    })
    .await
}

async fn detach_profile(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    config_device::detach_from_profile(&owner(&pool, arguments), |devices| {
        choose(devices, &pool.name, arguments.word(1), arguments.word(3))
    })
    .await
}

/// The device of that name, or the only one with the volume.
fn choose(
    devices: &BTreeMap<String, BTreeMap<String, String>>,
    pool: &str,
    volume: &str,
    name: &str,
) -> Result<String> {
    let is =
        |device: &BTreeMap<String, String>, key: &str, value: &str| device.get(key).is_some_and(|set| set == value);
    if name.is_empty() {
        let mut found = devices.iter().filter(|(_, device)| {
            is(device, "type", "disk") && is(device, "pool", pool) && is(device, "source", volume)
        });
        return match (found.next(), found.next()) {
            (None, _) => Err(Error::invalid("No device found for this storage volume")),
            (Some((name, _)), None) => Ok(name.clone()),
            (Some(_), Some(_)) => Err(Error::invalid("More than one device matches, specify the device name")),
        };
    }
    if devices.contains_key(name) {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid("The specified device doesn't exist"))
    }
}
