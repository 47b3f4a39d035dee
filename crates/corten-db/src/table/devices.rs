//! The `…_devices` and `…_devices_config` tables of instances, snapshots and profiles, which all look alike.

use std::collections::HashMap;

use crate::error::{DbError, Result};
use crate::params;
use crate::table::{Config, Devices};
use crate::tx::{Tx, View};
use crate::value::Value;

/// LXD's numbers of device types are the places in this list.
const TYPES: [&str; 12] = [
    "none",
    "nic",
    "disk",
    "unix-char",
    "unix-block",
    "usb",
    "gpu",
    "infiniband",
    "proxy",
    "unix-hotplug",
    "tpm",
    "pci",
];

/// The number of a device type.
pub fn type_code(name: &str) -> Option<i64> {
    TYPES.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok())
}

/// The name of a device type number.
pub fn type_name(code: i64) -> Option<&'static str> {
    usize::try_from(code).ok().and_then(|at| TYPES.get(at)).copied()
}

/// A pair of tables and the columns that link them.
#[derive(Clone, Copy, Debug)]
pub struct DeviceTable {
    table: &'static str,
    owner: &'static str,
    link: &'static str,
}

/// Devices of instances.
pub const INSTANCE: DeviceTable =
    DeviceTable { table: "instances_devices", owner: "instance_id", link: "instance_device_id" };
/// Devices of instance snapshots.
pub const SNAPSHOT: DeviceTable = DeviceTable {
    table: "instances_snapshots_devices",
    owner: "instance_snapshot_id",
    link: "instance_snapshot_device_id",
};
/// Devices of profiles.
pub const PROFILE: DeviceTable =
    DeviceTable { table: "profiles_devices", owner: "profile_id", link: "profile_device_id" };

impl DeviceTable {
    /// The devices of one owner.
    pub fn of(self, view: &View<'_>, owner: i64) -> Result<Devices> {
        Ok(self.of_many(view, "SELECT ?1", &params![owner])?.remove(&owner).unwrap_or_default())
    }

    /// The devices of all owners that the query `owners` names; owners without devices are not in the answer.
    pub fn of_many(self, view: &View<'_>, owners: &str, values: &[Value]) -> Result<HashMap<i64, Devices>> {
        let DeviceTable { table, owner, link } = self;
        let sql = format!(
            "SELECT d.{owner}, d.name, d.type, c.key, c.value FROM {table} AS d
             LEFT JOIN {table}_config AS c ON c.{link} = d.id
             WHERE d.{owner} IN ({owners})"
        );
        let mut found: HashMap<i64, Devices> = HashMap::new();
        type Line = (i64, String, i64, Option<String>, Option<String>);
        for (owner, name, code, key, value) in view.rows::<Line>(&sql, values)? {
            let device =
                found.entry(owner).or_default().entry(name).or_insert_with(|| {
                    Config::from([("type".to_owned(), type_name(code).unwrap_or("none").to_owned())])
                });
            if let Some(key) = key {
                device.insert(key, value.unwrap_or_default());
            }
        }
        Ok(found)
    }

    /// Makes exactly these the devices of an owner, writing only devices that differ.
    pub fn replace(self, tx: &mut Tx<'_>, owner_id: i64, devices: &Devices) -> Result<()> {
        let DeviceTable { table, owner, .. } = self;
        let old = self.of(tx, owner_id)?;
        for (name, _) in old.iter().filter(|(name, device)| devices.get(*name) != Some(device)) {
            tx.exec(&format!("DELETE FROM {table} WHERE {owner} = ?1 AND name = ?2"), params![owner_id, name])?;
        }
        for (name, device) in devices.iter().filter(|(name, device)| old.get(*name) != Some(device)) {
            self.insert(tx, owner_id, name, device)?;
        }
        Ok(())
    }

    fn insert(self, tx: &mut Tx<'_>, owner_id: i64, name: &str, device: &Config) -> Result<()> {
        let DeviceTable { table, owner, link } = self;
        let kind = device.get("type").map_or("", String::as_str);
        let code = type_code(kind)
            .ok_or_else(|| DbError::NotAllowed(format!("device {name} has the unknown type {kind:?}")))?;
        let sql = format!("INSERT INTO {table} ({owner}, name, type) VALUES (?1, ?2, ?3)");
        let id = tx.insert(&sql, params![owner_id, name, code])?;
        let sql = format!("INSERT INTO {table}_config ({link}, key, value) VALUES (?1, ?2, ?3)");
        for (key, value) in device.iter().filter(|(key, value)| *key != "type" && !value.is_empty()) {
            tx.exec(&sql, params![id, key, value])?;
        }
        Ok(())
    }
}
