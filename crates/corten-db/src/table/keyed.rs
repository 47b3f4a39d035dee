//! The `…_config` tables, which all look alike: an owner's id, a key, a value.

use std::collections::HashMap;

use crate::error::Result;
use crate::params;
use crate::table::Config;
use crate::tx::{Tx, View};
use crate::value::Value;

/// A table of keys and the column that names their owner.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    table: &'static str,
    owner: &'static str,
}

/// Keys of instances.
pub const INSTANCE: Keyed = Keyed { table: "instances_config", owner: "instance_id" };
/// Keys of instance snapshots.
pub const SNAPSHOT: Keyed = Keyed { table: "instances_snapshots_config", owner: "instance_snapshot_id" };
/// Keys of profiles.
pub const PROFILE: Keyed = Keyed { table: "profiles_config", owner: "profile_id" };
/// Keys of projects.
pub const PROJECT: Keyed = Keyed { table: "projects_config", owner: "project_id" };
/// Keys of custom, container and other volumes.
pub const VOLUME: Keyed = Keyed { table: "storage_volumes_config", owner: "storage_volume_id" };
/// Keys of volume snapshots.
pub const VOLUME_SNAPSHOT: Keyed =
    Keyed { table: "storage_volumes_snapshots_config", owner: "storage_volume_snapshot_id" };
/// Keys of network forwards.
pub const NETWORK_FORWARD: Keyed = Keyed { table: "networks_forwards_config", owner: "network_forward_id" };
/// Keys of network access lists.
pub const NETWORK_ACL: Keyed = Keyed { table: "networks_acls_config", owner: "network_acl_id" };
/// Keys of network zones.
pub const NETWORK_ZONE: Keyed = Keyed { table: "networks_zones_config", owner: "network_zone_id" };
/// Keys of records of network zones.
pub const NETWORK_ZONE_RECORD: Keyed =
    Keyed { table: "networks_zones_records_config", owner: "network_zone_record_id" };
/// Keys of cluster members.
pub const NODE: Keyed = Keyed { table: "nodes_config", owner: "node_id" };

impl Keyed {
    /// The keys of one owner.
    pub fn of(self, view: &View<'_>, owner: i64) -> Result<Config> {
        Ok(self.of_many(view, "SELECT ?1", &params![owner])?.remove(&owner).unwrap_or_default())
    }

    /// The keys of all owners that the query `owners` names; owners without keys are not in the answer.
    pub fn of_many(self, view: &View<'_>, owners: &str, values: &[Value]) -> Result<HashMap<i64, Config>> {
        let Keyed { table, owner } = self;
        // Without an order, since what is read goes into maps: to sort thousands of keys is half of the work.
        let sql = format!("SELECT {owner}, key, value FROM {table} WHERE {owner} IN ({owners})");
        let mut found: HashMap<i64, Config> = HashMap::new();
        for (owner, key, value) in view.rows::<(i64, String, Option<String>)>(&sql, values)? {
            found.entry(owner).or_default().insert(key, value.unwrap_or_default());
        }
        Ok(found)
    }

    /// Sets one key, or removes it when the value is `None` or empty.
    pub fn set(self, tx: &mut Tx<'_>, owner_id: i64, key: &str, value: Option<&str>) -> Result<()> {
        let Keyed { table, owner } = self;
        match value.filter(|value| !value.is_empty()) {
            Some(value) => tx.exec(
                &format!(
                    "INSERT INTO {table} ({owner}, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT ({owner}, key) DO UPDATE SET value = ?3"
                ),
                params![owner_id, key, value],
            ),
            None => tx.exec(&format!("DELETE FROM {table} WHERE {owner} = ?1 AND key = ?2"), params![owner_id, key]),
        }
        .map(drop)
    }

    /// Makes exactly these the keys of an owner, writing only what differs. A key with an empty value is a key
    /// without one.
    pub fn replace(self, tx: &mut Tx<'_>, owner: i64, config: &Config) -> Result<()> {
        let old = self.of(tx, owner)?;
        for key in old.keys().filter(|key| config.get(*key).is_none_or(String::is_empty)) {
            self.set(tx, owner, key, None)?;
        }
        for (key, value) in config {
            if !value.is_empty() && old.get(key) != Some(value) {
                self.set(tx, owner, key, Some(value))?;
            }
        }
        Ok(())
    }
}
