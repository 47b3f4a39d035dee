//! The storage drivers of this server, as `GET /1.0` tells of them.

use std::collections::BTreeMap;

use corten_api::server::ServerStorageDriverInfo;
use corten_db::table::storage_pools;
use corten_storage::registry;

use crate::app::App;
use crate::app::server::StorageDrivers;

/// What can be had, and what the pools that there are use.
pub fn look(app: &App) -> StorageDrivers {
    let supported: Vec<ServerStorageDriverInfo> = registry::supported()
        .into_iter()
        .map(|(info, version)| ServerStorageDriverInfo { name: info.name.to_string(), version, remote: info.remote })
        .collect();
    let pools = app.view(|view| Ok(storage_pools::list(view)?)).unwrap_or_default();
    let used: BTreeMap<&str, &str> =
        pools.iter().map(|pool| (pool.driver.as_str(), version(&supported, &pool.driver))).collect();
    StorageDrivers {
        used: used.keys().copied().collect::<Vec<_>>().join(" | "),
        used_versions: used.values().copied().collect::<Vec<_>>().join(" | "),
        supported,
    }
}

fn version<'a>(supported: &'a [ServerStorageDriverInfo], driver: &str) -> &'a str {
    supported.iter().find(|info| info.name == driver).map_or("", |info| &info.version)
}
