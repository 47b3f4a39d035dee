//! The keys of pools and networks of which each member of a cluster would have its own value.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::tx::View;
use crate::{THIS_NODE, params};

/// One such key, as it is set on this member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// `storage-pool` or `network`.
    pub entity: String,
    /// The pool's or network's name.
    pub name: String,
    /// The key.
    pub key: String,
}

impl FromRow for OwnKey {
    fn from_row(row: &mut Row) -> Result<OwnKey> {
        Ok(OwnKey { entity: row.take()?, name: row.take()?, key: row.take()? })
    }
}

/// All of them but the volatile ones: pools first, by name and key.
pub fn list(view: &View<'_>) -> Result<Vec<OwnKey>> {
    let sql = "SELECT 'storage-pool', p.name, c.key FROM storage_pools_config AS c
               JOIN storage_pools AS p ON p.id = c.storage_pool_id WHERE c.node_id = ?1 AND c.key NOT LIKE 'volatile.%'
               UNION ALL
               SELECT 'network', n.name, c.key FROM networks_config AS c
               JOIN networks AS n ON n.id = c.network_id WHERE c.node_id = ?1 AND c.key NOT LIKE 'volatile.%'
               ORDER BY 1 DESC, 2, 3";
    view.rows(sql, params![THIS_NODE])
}
