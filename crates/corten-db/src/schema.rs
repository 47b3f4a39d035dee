//! Makes the tables at first open, and refuses files of another schema version.

use jiff::Timestamp;

use crate::error::{DbError, Result};
use crate::store::Store;
use crate::table::local;
use crate::{Which, params};

/// LXD 5.0.2's schema version of the global database.
pub(crate) const GLOBAL_VERSION: i64 = 60;
/// LXD 5.0.2's schema version of the local database.
pub(crate) const LOCAL_VERSION: i64 = 42;

/// Features that the default project has from the start, in the order of LXD's rows.
const DEFAULT_PROJECT_FEATURES: [&str; 4] =
    ["features.images", "features.profiles", "features.storage.volumes", "features.networks"];

/// LXD 5.0.2's one-time changes to what older versions left. Files made here never need them, and say so as LXD's do.
const PATCHES: [&str; 16] = [
    "storage_lvm_skipactivation",
    "clustering_drop_database_role",
    "network_clear_bridge_volatile_hwaddr",
    "move_backups_instances",
    "network_ovn_enable_nat",
    "network_ovn_remove_routes",
    "network_fan_enable_nat",
    "thinpool_typo_fix",
    "vm_rename_uuid_key",
    "db_nodes_autoinc",
    "network_acl_remove_defaults",
    "clustering_server_cert_trust",
    "warnings_remove_empty_node",
    "dnsmasq_entries_include_device_name",
    "storage_missing_snapshot_records",
    "pool_fix_default_permissions",
];

/// Facts of the moment and the host that the first rows need.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The time to write wherever a row notes when it was made.
    pub now: Timestamp,
    /// LXD's number of this host's architecture (see [`crate::table::architecture`]).
    pub architecture: i64,
    /// How many API extensions this server announces.
    pub api_extensions: i64,
}

impl Opening {
    /// The facts of this host and moment.
    pub fn here(api_extensions: i64) -> Opening {
        let architecture = crate::table::architecture::id(std::env::consts::ARCH).unwrap_or(2);
        Opening { now: Timestamp::now(), architecture, api_extensions }
    }
}

/// Brings a file to the schema of this version of the program.
pub(crate) fn ensure(store: &Store, which: Which, opening: &Opening) -> Result<()> {
    let version = version(which);
    let found = store.view(|view| {
        match view.maybe::<i64>("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema'", params![])? {
            Some(_) => view.one::<Option<i64>>("SELECT max(version) FROM schema", params![]),
            None => Ok(None),
        }
    })?;
    match found {
        None => create(store, which, opening),
        Some(found) if found == version => {
            free_names_of_records(store, which)?;
            note_member(store, which, opening)
        }
        Some(found) => Err(DbError::Open {
            path: format!("{which:?}").to_lowercase(),
            message: format!("schema version {found} found, this program knows version {version}"),
        }),
    }
}

/// The version of LXD's schema that this program makes and knows.
pub(crate) fn version(which: Which) -> i64 {
    match which {
        Which::Local => LOCAL_VERSION,
        Which::Global => GLOBAL_VERSION,
    }
}

/// Makes tables and first rows in a file that somebody else has made.
fn create(store: &Store, which: Which, opening: &Opening) -> Result<()> {
    store.write(|tx| fill(tx, which, opening))?;
    store.with_connection(|connection| connection.pragma_update(None, "user_version", version(which)))
}

/// Makes tables and first rows.
pub(crate) fn fill(tx: &mut crate::Tx<'_>, which: Which, opening: &Opening) -> Result<()> {
    let sql = match which {
        Which::Local => include_str!("schema/local.sql"),
        Which::Global => include_str!("schema/global.sql"),
    };
    for statement in statements(sql) {
        tx.exec(&statement, params![])?;
    }
    let now = opening.now.as_second();
    tx.exec("INSERT INTO schema (version, updated_at) VALUES (?1, ?2)", params![version(which), now])?;
    match which {
        Which::Global => first_rows(tx, opening),
        Which::Local => PATCHES.iter().try_for_each(|name| local::patched(tx, name, opening.now)),
    }
}

/// The rows that LXD makes in a new global database.
fn first_rows(tx: &mut crate::Tx<'_>, opening: &Opening) -> Result<()> {
    tx.exec(
        "INSERT INTO nodes (id, name, address, schema, api_extensions, arch, description, heartbeat)
         VALUES (1, 'none', '0.0.0.0', ?1, ?2, ?3, '', ?4)",
        params![GLOBAL_VERSION, opening.api_extensions, opening.architecture, opening.now],
    )?;
    tx.exec("INSERT INTO projects (id, name, description) VALUES (1, 'default', 'Default LXD project')", params![])?;
    for feature in DEFAULT_PROJECT_FEATURES {
        tx.exec("INSERT INTO projects_config (project_id, key, value) VALUES (1, ?1, 'true')", params![feature])?;
    }
    tx.exec(
        "INSERT INTO profiles (name, description, project_id) VALUES ('default', 'Default LXD profile', 1)",
        params![],
    )?;
    tx.exec(
        "INSERT INTO cluster_groups (id, name, description) VALUES (1, 'default', 'Default cluster group')",
        params![],
    )?;
    tx.exec("INSERT INTO nodes_cluster_groups (node_id, group_id) VALUES (1, 1)", params![])?;
    Ok(())
}

/// Lets several zones have a record of one name. LXD's table does not, nor do those that this program made before it had
/// zones, when the table stayed empty.
fn free_names_of_records(store: &Store, which: Which) -> Result<()> {
    let old = "SELECT 1 FROM sqlite_master WHERE name = 'networks_zones_records' AND sql LIKE '%UNIQUE (name)%'
               AND NOT EXISTS (SELECT 1 FROM networks_zones_records)";
    if which == Which::Local || store.view(|view| view.maybe::<i64>(old, params![]))?.is_none() {
        return Ok(());
    }
    store.write(|tx| {
        tx.exec("DROP TABLE networks_zones_records_config", params![])?;
        tx.exec("DROP TABLE networks_zones_records", params![])?;
        let tables = statements(include_str!("schema/global.sql"));
        let anew = tables.iter().filter(|sql| sql.starts_with("CREATE TABLE networks_zones_records"));
        anew.into_iter().try_for_each(|sql| tx.exec(sql, params![]).map(drop))
    })
}

/// Notes in this server's row which API it speaks now.
fn note_member(store: &Store, which: Which, opening: &Opening) -> Result<()> {
    if which == Which::Local {
        return Ok(());
    }
    store.write(|tx| {
        let sql = "UPDATE nodes SET schema = ?1, api_extensions = ?2 WHERE address = '0.0.0.0'
                   AND (schema <> ?1 OR api_extensions <> ?2)";
        tx.exec(sql, params![GLOBAL_VERSION, opening.api_extensions]).map(drop)
    })
}

/// Splits a file of ours into statements: one ends with a line that ends in `;`, a trigger with `END;`. Comment
/// lines go.
fn statements(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in sql.lines().filter(|line| !line.starts_with("--")) {
        current.push_str(line);
        current.push('\n');
        let ends = match current.starts_with("CREATE TRIGGER") {
            true => line.ends_with("END;"),
            false => line.ends_with(';'),
        };
        if ends {
            found.push(current.trim().trim_end_matches(';').to_owned());
            current.clear();
        } else if current.trim().is_empty() {
            current.clear();
        }
    }
    found
}
