//! `patches` in the local database: which one-time changes to files this member has had.

use jiff::Timestamp;

use crate::error::Result;
use crate::params;
use crate::tx::{Tx, View};

/// Names of the patches applied, in their order.
pub fn patches(view: &View<'_>) -> Result<Vec<String>> {
    view.rows("SELECT name FROM patches ORDER BY id", params![])
}

/// Notes that a patch has been applied.
pub fn patched(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO patches (name, applied_at) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    tx.exec(sql, params![name, now]).map(drop)
}
