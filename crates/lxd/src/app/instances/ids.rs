//! Which ids of the host an instance gets, beside those that the host's other instances have.

use corten_api::error::{Context, Result};
use corten_host::idmap::IdMap;
use corten_instance::idmap;
use corten_instance::instance::Instance;
use corten_instance::volatile;

use super::Instances;
use crate::app::App;

/// Keys that decide about the map.
const KEYS: [&str; 5] =
    ["security.idmap.isolated", "security.idmap.base", "security.idmap.size", "raw.idmap", "security.privileged"];

/// The map for the next start and its `volatile.idmap.base`.
///
/// # Errors
/// When the host has no such ids to give.
pub fn choose(app: &App, instance: &Instance) -> Result<(IdMap, u32)> {
    let mut others = if instance.is_on(KEYS[0]) { Instances::all(app, None)? } else { Vec::new() };
    others.retain(|other| other.id != instance.id);
    idmap::next(instance, app.instances.host_ids.as_ref(), &others)
}

/// Gives `new` another map when keys that decide about it differ from `old`'s; it acts at the next start.
///
/// # Errors
/// When the host has no such ids to give: the keys are refused then.
pub fn follow(app: &App, old: &Instance, new: &mut Instance) -> Result<()> {
    if KEYS.iter().all(|key| old.get(key) == new.get(key)) {
        return Ok(());
    }
    // The range that it has may be too small, or not its own any more.
    new.config.remove(volatile::IDMAP_BASE);
    new.expanded_config.remove(volatile::IDMAP_BASE);
    let (map, base) = choose(app, new).context("Failed to get ID map")?;
    for (key, value) in [(volatile::IDMAP_BASE, base.to_string()), (volatile::IDMAP_NEXT, map.to_json())] {
        new.config.insert(key.to_string(), value.clone());
        new.expanded_config.insert(key.to_string(), value);
    }
    Ok(())
}
