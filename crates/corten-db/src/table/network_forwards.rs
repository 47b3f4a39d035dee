//! `networks_forwards` and their keys.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// An address whose connections a network sends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Row id of its network.
    pub network_id: i64,
    /// The address, in its shortest form.
    pub listen_address: String,
    /// Free text.
    pub description: String,
    /// Its ports as the API's JSON; may be empty.
    pub ports: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Forward {
    fn from_row(row: &mut Row) -> Result<Forward> {
        Ok(Forward {
            id: row.take()?,
            network_id: row.take()?,
            listen_address: row.take()?,
            description: row.take()?,
            ports: row.take()?,
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Forward>> {
    let sql = format!(
        "SELECT id, network_id, listen_address, description, ports FROM networks_forwards WHERE {filter}
         ORDER BY network_id, listen_address"
    );
    let mut found: Vec<Forward> = view.rows(&sql, values)?;
    let owners = format!("SELECT id FROM networks_forwards WHERE {filter}");
    let mut configs = keyed::NETWORK_FORWARD.of_many(view, &owners, values)?;
    for forward in &mut found {
        forward.config = configs.remove(&forward.id).unwrap_or_default();
    }
    Ok(found)
}

/// All forwards of a network, or of all networks.
pub fn list(view: &View<'_>, network: Option<i64>) -> Result<Vec<Forward>> {
    match network {
        Some(network) => fetch(view, "network_id = ?1", &params![network]),
        None => fetch(view, "true", &[]),
    }
}

/// One forward.
pub fn get(view: &View<'_>, network: i64, listen_address: &str) -> Result<Option<Forward>> {
    Ok(fetch(view, "network_id = ?1 AND listen_address = ?2", &params![network, listen_address])?.pop())
}

/// Adds a forward, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, forward: &Forward) -> Result<i64> {
    let sql = "INSERT INTO networks_forwards (network_id, node_id, listen_address, description, ports)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![forward.network_id, THIS_NODE, &forward.listen_address, &forward.description, &forward.ports];
    let id = tx.insert(sql, values)?;
    keyed::NETWORK_FORWARD.replace(tx, id, &forward.config)?;
    Ok(id)
}

/// Replaces description, ports and keys.
pub fn update(tx: &mut Tx<'_>, forward: &Forward) -> Result<()> {
    let sql = "UPDATE networks_forwards SET description = ?2, ports = ?3 WHERE id = ?1";
    tx.exec(sql, params![forward.id, &forward.description, &forward.ports])?;
    keyed::NETWORK_FORWARD.replace(tx, forward.id, &forward.config)
}

/// Removes a forward.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM networks_forwards WHERE id = ?1", params![id]).map(drop)
}
