//! `config`: the server's keys, in the global database and, for keys of one member, in the local one.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::params;
use crate::tx::{Tx, View};

/// All keys that have a value.
pub fn all(view: &View<'_>) -> Result<BTreeMap<String, String>> {
    let rows: Vec<(String, Option<String>)> = view.rows("SELECT key, value FROM config ORDER BY key", params![])?;
    Ok(rows.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect())
}

/// Sets a key, or removes it when the value is `None` or empty, as LXD treats both alike.
pub fn set(tx: &mut Tx<'_>, key: &str, value: Option<&str>) -> Result<()> {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => tx.exec(
            "INSERT INTO config (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            params![key, value],
        ),
        None => tx.exec("DELETE FROM config WHERE key = ?1", params![key]),
    }
    .map(drop)
}

/// Makes exactly these keys the configuration.
pub fn replace(tx: &mut Tx<'_>, config: &BTreeMap<String, String>) -> Result<()> {
    for key in all(tx)?.into_keys().filter(|key| !config.contains_key(key)) {
        set(tx, &key, None)?;
    }
    config.iter().try_for_each(|(key, value)| set(tx, key, Some(value)))
}
