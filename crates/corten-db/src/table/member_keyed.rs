//! The `…_config` tables of networks and storage pools, where some keys belong to one member.

use std::collections::HashMap;

use crate::error::Result;
use crate::table::Config;
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// Such a table, the column of the owner, and the keys that each member has its own value of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberKeyed {
    pub table: &'static str,
    pub owner: &'static str,
    pub own: &'static [&'static str],
}

impl MemberKeyed {
    /// The keys, as this member has them, of all owners that the query `owners` names.
    pub fn of_many(self, view: &View<'_>, owners: &str, values: &[Value]) -> Result<HashMap<i64, Config>> {
        let MemberKeyed { table, owner, .. } = self;
        let sql = format!(
            "SELECT {owner}, key, value FROM {table}
             WHERE {owner} IN ({owners}) AND (node_id IS NULL OR node_id = {THIS_NODE}) ORDER BY id"
        );
        let mut found: HashMap<i64, Config> = HashMap::new();
        for (owner, key, value) in view.rows::<(i64, String, Option<String>)>(&sql, values)? {
            found.entry(owner).or_default().insert(key, value.unwrap_or_default());
        }
        Ok(found)
    }

    /// Makes exactly these the keys of an owner on this member, writing only what differs.
    pub fn replace(self, tx: &mut Tx<'_>, owner_id: i64, config: &Config) -> Result<()> {
        let MemberKeyed { table, owner, own } = self;
        let old = self.of_many(tx, "SELECT ?1", &params![owner_id])?.remove(&owner_id).unwrap_or_default();
        let delete = format!(
            "DELETE FROM {table} WHERE {owner} = ?1 AND key = ?2 AND (node_id IS NULL OR node_id = {THIS_NODE})"
        );
        let insert = format!("INSERT INTO {table} ({owner}, node_id, key, value) VALUES (?1, ?2, ?3, ?4)");
        for (key, _) in old.iter().filter(|(key, value)| config.get(*key) != Some(value)) {
            tx.exec(&delete, params![owner_id, key])?;
        }
        for (key, value) in config.iter().filter(|(key, value)| !value.is_empty() && old.get(*key) != Some(value)) {
            let node = own.contains(&key.as_str()).then_some(THIS_NODE);
            tx.exec(&insert, params![owner_id, node, key, value])?;
        }
        Ok(())
    }
}
