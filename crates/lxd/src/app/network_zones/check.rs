//! Whether zones and their records say what DNS can say, in LXD's words where it has some.

use corten_api::error::{Error, Result};
use corten_api::network_zone::NetworkZoneRecordPut;
use corten_config::Entity;
use corten_instance::instance::Config;
use corten_network::config::{get, list};
use corten_network::zone::Zone;
use corten_network::zone::name::dname;
use corten_network::zone::record;

/// Checks a zone's name. LXD takes any text; a zone whose name is none of DNS could not be asked for.
///
/// # Errors
/// 500, as LXD answers what it does not take.
pub fn name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::internal("Name is required"));
    }
    if name.starts_with('/') {
        return Err(Error::internal("Name cannot start with \"/\""));
    }
    if name.ends_with('.') {
        return Err(Error::internal("Name cannot end with \".\""));
    }
    dname(name).map(drop).map_err(Error::internal)
}

/// Checks a zone's keys.
///
/// # Errors
/// 500 in LXD's words.
pub fn config(config: &Config) -> Result<()> {
    corten_config::check_keys(Entity::Zone, config).map_err(Error::as_failure)?;
    match list(get(config, "dns.nameservers")).find_map(|server| dname(server).err()) {
        Some(why) => Err(Error::internal(format!("Invalid value for config option \"dns.nameservers\": {why}"))),
        None => Ok(()),
    }
}

/// Checks that a record's name can be one within its zone.
///
/// # Errors
/// 500: LXD takes any text, and then nobody gets the zone.
pub fn record_name(zone: &str, name: &str) -> Result<()> {
    let zone = Zone::new(zone, "").map_err(Error::internal)?;
    zone.record(name, 0, "A", "0.0.0.0").map(drop).map_err(Error::internal)
}

/// Checks the entries and keys of a record.
///
/// # Errors
/// 500 in LXD's words.
pub fn record(put: &NetworkZoneRecordPut) -> Result<()> {
    if let Some(key) = put.config.keys().find(|key| !key.starts_with("user.")) {
        return Err(Error::internal(format!("Invalid config option {key:?}")));
    }
    for (number, entry) in put.entries.iter().enumerate() {
        record::check(entry.ttl, &entry.r#type, &entry.value)
            .map_err(|why| Error::internal(format!("Bad zone record entry: {why}")))?;
        let (kind, value) = (&entry.r#type, &entry.value);
        if put.entries.iter().take(number).any(|other| other.r#type == *kind && other.value == *value) {
            return Err(Error::internal(format!("Duplicate record for type {kind:?} and value {value:?}")));
        }
    }
    Ok(())
}
