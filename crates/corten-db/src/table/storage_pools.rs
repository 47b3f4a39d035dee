//! `storage_pools`, their keys and their state on each member.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::table::member_keyed::MemberKeyed;
use crate::table::{Config, State};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

const CONFIG: MemberKeyed = MemberKeyed {
    table: "storage_pools_config",
    owner: "storage_pool_id",
    own: &["size", "source", "volatile.initial_source", "zfs.pool_name", "lvm.thinpool_name", "lvm.vg_name"],
};

/// A storage pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Row id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Name of its driver.
    pub driver: String,
    /// Free text.
    pub description: String,
    /// How far it is made.
    pub state: State,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Pool {
    fn from_row(row: &mut Row) -> Result<Pool> {
        Ok(Pool {
            id: row.take()?,
            name: row.take()?,
            driver: row.take()?,
            description: row.take()?,
            state: State::from_code(row.take()?),
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Pool>> {
    let sql = format!("SELECT id, name, driver, description, state FROM storage_pools WHERE {filter} ORDER BY name");
    let mut found: Vec<Pool> = view.rows(&sql, values)?;
    let mut configs = CONFIG.of_many(view, &format!("SELECT id FROM storage_pools WHERE {filter}"), values)?;
    for pool in &mut found {
        pool.config = configs.remove(&pool.id).unwrap_or_default();
    }
    Ok(found)
}

/// All pools.
pub fn list(view: &View<'_>) -> Result<Vec<Pool>> {
    fetch(view, "true", &[])
}

/// One pool.
pub fn get(view: &View<'_>, name: &str) -> Result<Option<Pool>> {
    Ok(fetch(view, "name = ?1", &params![name])?.pop())
}

/// Adds a pool, and gives its row id.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    driver: &str,
    description: &str,
    state: State,
    config: &Config,
) -> Result<i64> {
    let sql = "INSERT INTO storage_pools (name, driver, description, state) VALUES (?1, ?2, ?3, ?4)";
    let id = tx.insert(sql, params![name, driver, description, state.code()])?;
    let sql = "INSERT INTO storage_pools_nodes (storage_pool_id, node_id, state) VALUES (?1, ?2, ?3)";
    tx.exec(sql, params![id, THIS_NODE, state.code()])?;
    CONFIG.replace(tx, id, config)?;
    Ok(id)
}

/// Replaces description and keys.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config) -> Result<()> {
    tx.exec("UPDATE storage_pools SET description = ?2 WHERE id = ?1", params![id, description])?;
    CONFIG.replace(tx, id, config)
}

/// Notes how far a pool is made, as a whole and on this member.
pub fn set_state(tx: &mut Tx<'_>, id: i64, state: State) -> Result<()> {
    tx.exec("UPDATE storage_pools SET state = ?2 WHERE id = ?1", params![id, state.code()])?;
    let sql = "UPDATE storage_pools_nodes SET state = ?3 WHERE storage_pool_id = ?1 AND node_id = ?2";
    tx.exec(sql, params![id, THIS_NODE, state.code()]).map(drop)
}

/// Removes a pool with the rows of its volumes.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM storage_pools WHERE id = ?1", params![id]).map(drop)
}
