//! Keys of the server, and how several refusals are told at once.

pub mod authentication;
pub mod cluster;
pub mod core;
pub mod images;
pub mod services;

use corten_api::error::{Error, Result};

use crate::entity::{Entity, Table, lookup};
use crate::key::{AnyKey, Config};

/// All tables of keys that the server has.
pub static TABLES: [Table; 5] =
    [core::CORE, authentication::AUTHENTICATION, cluster::CLUSTER, images::IMAGES, services::SERVICES];

/// LXD's words for one key that cannot be set.
pub(crate) fn refusal(key: &str, value: &str, why: &str) -> String {
    format!("cannot set '{key}' to '{value}': {why}")
}

/// Why a value is refused; the server's words for simple types differ from those of other things.
fn why(key: &dyn AnyKey, value: &str) -> Option<String> {
    let reason = key.check(value).err()?;
    Some(match key.word() {
        "bool" => "invalid boolean".to_owned(),
        "integer" if value.parse::<i64>().is_err() => "invalid integer".to_owned(),
        _ => reason,
    })
}

/// Refuses a configuration of the server: the first wrong key by name, and how many more there are.
pub(crate) fn check(config: &Config) -> Result<()> {
    let refused = |(name, value): (&String, &String)| match lookup(Entity::Server, name) {
        Some(key) => why(key, value).map(|why| refusal(name, value, &why)),
        None if name.starts_with("user.") => None,
        None => Some(refusal(name, value, "unknown key")),
    };
    let messages: Vec<String> = config.iter().filter_map(refused).collect();
    match messages.as_slice() {
        [] => Ok(()),
        [one] => Err(Error::invalid(one.clone())),
        [first, more @ ..] => Err(Error::invalid(format!("{first} (and {} more errors)", more.len()))),
    }
}
