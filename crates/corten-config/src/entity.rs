//! Which keys a thing has, and whether a configuration of it is right.

use corten_api::error::{Error, Result};

use crate::key::{AnyKey, Config, On};
use crate::value::go_text::quoted;
use crate::{device, instance, network, project, server, storage};

/// The two kinds of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// A container.
    Container,
    /// A virtual machine.
    Machine,
}

impl Guest {
    /// Whether an instance of this kind has a key.
    pub fn has(self, on: On) -> bool {
        matches!((self, on), (_, On::Both) | (Guest::Container, On::Container) | (Guest::Machine, On::Machine))
    }
}

/// A slice of keys as tables declare them.
pub type Table = &'static [&'static dyn AnyKey];

/// A kind of thing that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity<'a> {
    /// An instance of one kind.
    Instance(Guest),
    /// A profile, which serves both kinds.
    Profile,
    /// A device of a type and, for `nic` and `gpu`, a subtype such as `bridged`.
    Device(&'a str, &'a str),
    /// A network of a type and a name.
    Network(&'a str, &'a str),
    /// A zone made from networks.
    Zone,
    /// A pool of a driver.
    Pool(&'a str),
    /// A volume of a driver, a type and a name.
    Volume(&'a storage::Volume<'a>),
    /// The server: what one member or all of a cluster have.
    Server,
    /// A project.
    Project,
    /// A member of a cluster.
    Member,
}

impl Entity<'_> {
    /// The tables in which its keys are.
    pub fn tables(&self) -> Vec<Table> {
        match *self {
            Entity::Instance(_) | Entity::Profile => instance::TABLES.to_vec(),
            Entity::Device(kind, subtype) => device::table(kind, subtype).into_iter().collect(),
            Entity::Network(kind, _) => network::table(kind).into_iter().collect(),
            Entity::Zone => vec![network::zone::ZONE],
            Entity::Pool(driver) => storage::pool_tables(driver),
            Entity::Volume(volume) => storage::volume_tables(volume.driver),
            Entity::Server => server::TABLES.to_vec(),
            Entity::Project => vec![project::PROJECT],
            Entity::Member => vec![server::cluster::MEMBER],
        }
    }

    /// Whether it has this key, if its tables do.
    fn has(&self, key: &dyn AnyKey) -> bool {
        match self {
            Entity::Instance(guest) => guest.has(key.facts().on),
            Entity::Volume(volume) => volume.has(key.facts().name),
            _ => true,
        }
    }
}

/// The key of this name: an exact one before a pattern that fits.
pub fn lookup(entity: Entity<'_>, name: &str) -> Option<&'static dyn AnyKey> {
    let tables = entity.tables();
    let keys = || tables.iter().flat_map(|table| table.iter()).copied().filter(|key| entity.has(*key));
    keys().find(|key| key.facts().name == name).or_else(|| keys().find(|key| key.facts().is(name))).or_else(|| {
        // A pool has its volumes' keys as defaults.
        let (Entity::Pool(driver), Some(rest)) = (entity, name.strip_prefix("volume.")) else { return None };
        let volumes = storage::volume_default_tables(driver);
        volumes.into_iter().flatten().copied().find(|key| key.facts().name == rest)
    })
}

/// Refuses a configuration that the thing cannot have, in LXD's words: unknown keys, wrong values, keys that exclude each
/// other. Keys are looked at in the order of their names.
///
/// # Errors
/// [`corten_api::error::Kind::Invalid`] with LXD's message.
pub fn check(entity: Entity<'_>, config: &Config) -> Result<()> {
    if entity == Entity::Server {
        return server::check(config);
    }
    check_keys(entity, config)?;
    check_required(entity, config)?;
    match entity {
        Entity::Instance(_) | Entity::Profile => instance::check_together(config),
        Entity::Network(kind, name) => network::check_together(kind, name, config),
        Entity::Pool(driver) => storage::check_pool(driver, config),
        Entity::Volume(volume) => storage::check_volume(volume, config),
        Entity::Project => project::check_together(config),
        _ => Ok(()),
    }
}

/// Refuses keys that the thing does not have and values that they do not take, as [`check`] does, but looks at nothing
/// beyond the keys given: they may be a part of a configuration.
///
/// # Errors
/// [`corten_api::error::Kind::Invalid`] with LXD's message.
pub fn check_keys(entity: Entity<'_>, config: &Config) -> Result<()> {
    match entity {
        Entity::Network(_, name) => network::check_names_of_keys(name, config)?,
        Entity::Profile => instance::check_profile_keys(config)?,
        Entity::Zone => network::zone::check_names_of_keys(config)?,
        _ => {}
    }
    for (name, value) in config {
        let refused = match lookup(entity, name) {
            Some(key) => key.check(value).err().map(|why| value_error(entity, name, value, &why)),
            None if free(entity, name) => None,
            None => Some(unknown_error(entity, name)),
        };
        if let Some(message) = refused {
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

fn check_required(entity: Entity<'_>, config: &Config) -> Result<()> {
    for key in entity.tables().into_iter().flatten().filter(|key| key.facts().required && entity.has(**key)) {
        let name = key.facts().name;
        if config.get(name).is_none_or(String::is_empty) {
            return Err(Error::invalid(value_error(entity, name, "", "Required value")));
        }
    }
    Ok(())
}

/// Whether a key needs no declaration: free text everywhere, and what a device has beside its keys.
fn free(entity: Entity<'_>, name: &str) -> bool {
    match (entity, name) {
        (Entity::Device(..), "type") => true,
        (Entity::Device(kind, _), "nictype") => matches!(kind, "nic" | "infiniband"),
        (Entity::Device(kind, _), "gputype") => kind == "gpu",
        _ => name.starts_with("user."),
    }
}

/// LXD's words for a value that its key does not take.
fn value_error(entity: Entity<'_>, key: &str, value: &str, why: &str) -> String {
    let quoted_key = quoted(key);
    match entity {
        Entity::Instance(_) | Entity::Profile => why.to_owned(),
        Entity::Device(..) => format!("Invalid value for device option {quoted_key}: {why}"),
        Entity::Network(_, name) => format!("Invalid value for network {} option {quoted_key}: {why}", quoted(name)),
        Entity::Zone => format!("Invalid value for config option {quoted_key}: {why}"),
        Entity::Pool(_) => format!("Invalid value for option {quoted_key}: {why}"),
        Entity::Volume(volume) => {
            format!("Invalid value for volume {} option {quoted_key}: {why}", quoted(volume.name))
        }
        Entity::Server => server::refusal(key, value, why),
        Entity::Project => format!("Invalid project configuration key {quoted_key} value: {why}"),
        Entity::Member => format!("Invalid cluster configuration key {quoted_key} value"),
    }
}

/// LXD's words for a key that the thing does not have.
fn unknown_error(entity: Entity<'_>, key: &str) -> String {
    let quoted_key = quoted(key);
    match entity {
        Entity::Instance(_) | Entity::Profile => format!("Unknown configuration key: {key}"),
        Entity::Device(..) => format!("Invalid device option {quoted_key}"),
        Entity::Network(_, name) => format!("Invalid option for network {} option {quoted_key}", quoted(name)),
        Entity::Zone => format!("Invalid config option {quoted_key}"),
        Entity::Pool(_) => format!("Invalid option {quoted_key}"),
        Entity::Volume(volume) => format!("Invalid option for volume {} option {quoted_key}", quoted(volume.name)),
        Entity::Server => server::refusal(key, "", "unknown key"),
        Entity::Project => format!("Invalid project configuration key {quoted_key}"),
        Entity::Member => format!("Invalid cluster configuration key {quoted_key}"),
    }
}
