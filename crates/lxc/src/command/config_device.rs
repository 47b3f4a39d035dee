//! `lxc config device` and `lxc profile device`: devices of instances and profiles.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::instance::Instance;
use corten_api::profile::Profile;
use corten_api::{url, yaml};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::say;
use crate::session::{Resource, Session};
use crate::{key_value, printer, run};

type Devices = BTreeMap<String, BTreeMap<String, String>>;

/// Declares the group for one kind of owner.
macro_rules! group {
    ($owner:ident, $word:literal, $line:literal, [$($more:expr),*]) => {
        /// The group.
        pub static COMMAND: Command = Command {
            name: "device",
            about: "Manage devices",
            children: &[&ADD, &GET, &LIST, $(&$more,)* &REMOVE, &SET, &SHOW, &UNSET],
            ..Command::EMPTY
        };

        static ADD: Command = Command {
            name: "add",
            usage: concat!("[<remote>:]<", $word, "> <device> <type> [key=value...]"),
            about: "Add instance devices",
            examples: concat!(
                "lxc ", $line, " device add ", $word, "1 data disk source=/share/data path=/opt\n",
                "    Shows the host's /share/data as /opt.\n\n",
                "lxc ", $line, " device add ", $word, "1 data disk pool=some-pool source=some-volume path=/opt\n",
                "    Shows the volume some-volume of the pool some-pool as /opt."
            ),
            words: (3, None),
            run: run!(add::<$owner>),
            ..Command::EMPTY
        };

        static GET: Command = Command {
            name: "get",
            usage: concat!("[<remote>:]<", $word, "> <device> <key>"),
            about: "Get values for device configuration keys",
            words: (3, Some(3)),
            run: run!(get::<$owner>),
            ..Command::EMPTY
        };

        static LIST: Command = Command {
            name: "list",
            aliases: &["ls"],
            usage: concat!("[<remote>:]<", $word, ">"),
            about: "List instance devices",
            words: (1, Some(1)),
            run: run!(list::<$owner>),
            ..Command::EMPTY
        };

        static REMOVE: Command = Command {
            name: "remove",
            aliases: &["rm"],
            usage: concat!("[<remote>:]<", $word, "> <name>..."),
            about: "Remove instance devices",
            words: (2, None),
            run: run!(remove::<$owner>),
            ..Command::EMPTY
        };

        static SET: Command = Command {
            name: "set",
            usage: concat!("[<remote>:]<", $word, "> <device> <key>=<value>..."),
            about: "Set device configuration keys",
            long: concat!(
                "Set device configuration keys\n\nThe older form takes one key:\n    lxc ", $line,
                " device set [<remote>:]<", $word, "> <device> <key> <value>"
            ),
            words: (3, None),
            run: run!(set::<$owner>),
            ..Command::EMPTY
        };

        static SHOW: Command = Command {
            name: "show",
            usage: concat!("[<remote>:]<", $word, ">"),
            about: "Show full device configuration",
            words: (1, Some(1)),
            run: run!(show::<$owner>),
            ..Command::EMPTY
        };

        static UNSET: Command = Command {
            name: "unset",
            usage: concat!("[<remote>:]<", $word, "> <device> <key>"),
            about: "Unset device configuration keys",
            words: (3, Some(3)),
            run: run!(unset::<$owner>),
            ..Command::EMPTY
        };
    };
}

group!(OfInstance, "instance", "config", [OVERRIDE]);

static OVERRIDE: Command = Command {
    name: "override",
    usage: "[<remote>:]<instance> <device> [key=value...]",
    about: "Copy profile inherited devices and override configuration keys",
    words: (2, None),
    run: run!(override_inherited),
    ..Command::EMPTY
};

/// `lxc profile device`.
pub mod of_profile {
    use super::*;

    group!(OfProfile, "profile", "profile", []);
}

/// What has devices of its own.
trait Owner {
    /// The devices it has itself, and those it has from elsewhere.
    async fn devices(found: &Resource) -> Result<(Devices, Devices)>;

    /// Changes the devices; `edit` sees its own and the inherited ones.
    async fn change(found: &Resource, edit: impl FnOnce(&mut Devices, &Devices) -> Result<()>) -> Result<()>;
}

struct OfInstance;

impl Owner for OfInstance {
    async fn devices(found: &Resource) -> Result<(Devices, Devices)> {
        let instance: Instance = found.server.get(&url::path(["instances", &found.name])).await?;
        Ok((instance.devices, instance.expanded_devices))
    }

    async fn change(found: &Resource, edit: impl FnOnce(&mut Devices, &Devices) -> Result<()>) -> Result<()> {
        super::config::change_instance(found, |instance| edit(&mut instance.devices, &instance.expanded_devices)).await
    }
}

struct OfProfile;

impl Owner for OfProfile {
    async fn devices(found: &Resource) -> Result<(Devices, Devices)> {
        let profile: Profile = found.server.get(&url::path(["profiles", &found.name])).await?;
        Ok((profile.devices, Devices::new()))
    }

    async fn change(found: &Resource, edit: impl FnOnce(&mut Devices, &Devices) -> Result<()>) -> Result<()> {
        let path = url::path(["profiles", &found.name]);
        let (mut profile, etag): (Profile, _) = found.server.get_with_etag(&path).await?;
        edit(&mut profile.devices, &Devices::new())?;
        found.server.put(&path, &profile.writable(), &etag).await
    }
}

async fn found(session: &Session, arguments: &Arguments) -> Result<Resource> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() { Err(Error::invalid("Missing name")) } else { Ok(found) }
}

/// Why a device cannot be used as one's own: it is inherited (`refusal` says what that means), or not there at all.
fn absent(inherited: &Devices, name: &str, refusal: &str) -> Error {
    Error::invalid(if inherited.contains_key(name) { refusal } else { "Device doesn't exist" })
}

fn properties(words: &[String]) -> Result<key_value::Pairs> {
    key_value::all(words, |word| format!("No value found in {word:?}"))
}

async fn add<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = found(session, arguments).await?;
    let name = arguments.word(1);
    let mut device = BTreeMap::from([("type".to_owned(), arguments.word(2).to_owned())]);
    device.extend(properties(arguments.rest(3))?);
    O::change(&found, |devices, _| {
        if devices.contains_key(name) {
            return Err(Error::invalid("The device already exists"));
        }
        devices.insert(name.to_owned(), device);
        Ok(())
    })
    .await?;
    say(session, &format!("Device {name} added to {}", found.name));
    Ok(())
}

async fn get<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let (devices, inherited) = O::devices(&found(session, arguments).await?).await?;
    let name = arguments.word(1);
    let Some(device) = devices.get(name) else {
        return Err(absent(&inherited, name, "Device from profile(s) cannot be retrieved for individual instance"));
    };
    printer::print_line(device.get(arguments.word(2)).map_or("", String::as_str));
    Ok(())
}

async fn list<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let (devices, _) = O::devices(&found(session, arguments).await?).await?;
    let names: Vec<&str> = devices.keys().map(String::as_str).collect();
    printer::print_line(&names.join("\n"));
    Ok(())
}

async fn override_inherited(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = found(session, arguments).await?;
    let name = arguments.word(1);
    OfInstance::change(&found, |devices, inherited| {
        if devices.contains_key(name) {
            return Err(Error::invalid("The device already exists"));
        }
        let Some(mut device) = inherited.get(name).cloned() else {
            return Err(Error::invalid("The profile device doesn't exist"));
        };
        device.extend(properties(arguments.rest(2))?);
        devices.insert(name.to_owned(), device);
        Ok(())
    })
    .await?;
    say(session, &format!("Device {name} overridden for {}", found.name));
    Ok(())
}

async fn remove<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    const REFUSAL: &str =
        "Device from profile(s) cannot be removed from individual instance. Override device or modify profile instead";
    let found = found(session, arguments).await?;
    O::change(&found, |devices, inherited| {
        for name in arguments.rest(1) {
            if devices.remove(name).is_none() {
                return Err(absent(inherited, name, REFUSAL));
            }
        }
        Ok(())
    })
    .await?;
    say(session, &format!("Device {} removed from {}", arguments.rest(1).join(", "), found.name));
    Ok(())
}

async fn set<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = found(session, arguments).await?;
    let keys = key_value::to_set(arguments.rest(2))?;
    set_keys::<O>(&found, arguments.word(1), keys).await
}

async fn unset<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = found(session, arguments).await?;
    let keys = key_value::to_set(&[arguments.word(2).to_owned(), String::new()])?;
    set_keys::<O>(&found, arguments.word(1), keys).await
}

async fn set_keys<O: Owner>(found: &Resource, name: &str, keys: key_value::Pairs) -> Result<()> {
    const REFUSAL: &str =
        "Device from profile(s) cannot be modified for individual instance. Override device or modify profile instead";
    O::change(found, |devices, inherited| match devices.get_mut(name) {
        Some(device) => {
            device.extend(keys);
            Ok(())
        }
        None => Err(absent(inherited, name, REFUSAL)),
    })
    .await
}

async fn show<O: Owner>(session: &Session, arguments: &Arguments) -> Result<()> {
    let (devices, _) = O::devices(&found(session, arguments).await?).await?;
    printer::print(&yaml::to_string(&devices)?);
    Ok(())
}

/// Adds a device to an instance, for commands that attach something to it.
///
/// # Errors
/// When the instance has a device of that name.
pub async fn attach_to_instance(found: &Resource, name: &str, device: BTreeMap<String, String>) -> Result<()> {
    OfInstance::change(found, |devices, _| insert(devices, name, device)).await
}

/// Adds a device to a profile.
///
/// # Errors
/// When the profile has a device of that name.
pub async fn attach_to_profile(found: &Resource, name: &str, device: BTreeMap<String, String>) -> Result<()> {
    OfProfile::change(found, |devices, _| insert(devices, name, device)).await
}

fn insert(devices: &mut Devices, name: &str, device: BTreeMap<String, String>) -> Result<()> {
    if devices.contains_key(name) {
        return Err(Error::invalid(format!("Device already exists: {name}")));
    }
    devices.insert(name.to_owned(), device);
    Ok(())
}

/// Removes from an instance the device that `choose` names.
///
/// # Errors
/// Those of `choose`.
pub async fn detach_from_instance(found: &Resource, choose: impl FnOnce(&Devices) -> Result<String>) -> Result<()> {
    OfInstance::change(found, |devices, _| {
        let name = choose(devices)?;
        devices.remove(&name);
        Ok(())
    })
    .await
}

/// Removes from a profile the device that `choose` names.
///
/// # Errors
/// Those of `choose`.
pub async fn detach_from_profile(found: &Resource, choose: impl FnOnce(&Devices) -> Result<String>) -> Result<()> {
    OfProfile::change(found, |devices, _| {
        let name = choose(devices)?;
        devices.remove(&name);
        Ok(())
    })
    .await
}
