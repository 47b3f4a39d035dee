//! `networks`, their keys and their state on each member.

use crate::error::{DbError, Result};
use crate::row::{FromRow, Row};
use crate::table::member_keyed::MemberKeyed;
use crate::table::{Config, State};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// Names of network types; LXD's numbers are the places in this list.
pub const TYPES: [&str; 5] = ["bridge", "macvlan", "sriov", "ovn", "physical"];

const CONFIG: MemberKeyed = MemberKeyed {
    table: "networks_config",
    owner: "network_id",
    own: &["bgp.ipv4.nexthop", "bgp.ipv6.nexthop", "bridge.external_interfaces", "parent"],
};

/// A managed network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Row id.
    pub id: i64,
    /// The project it belongs to.
    pub project: String,
    /// Its name, unique in the project.
    pub name: String,
    /// Free text.
    pub description: String,
    /// How far it is made.
    pub state: State,
    /// One of [`TYPES`].
    pub kind: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Network {
    fn from_row(row: &mut Row) -> Result<Network> {
        Ok(Network {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            description: row.take()?,
            state: State::from_code(row.take()?),
            kind: usize::try_from(row.take::<i64>()?).ok().and_then(|at| TYPES.get(at)).unwrap_or(&"").to_string(),
            config: Config::new(),
        })
    }
}

const FROM: &str = "FROM networks AS n JOIN projects AS pr ON pr.id = n.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Network>> {
    let sql = format!(
        "SELECT n.id, pr.name, n.name, n.description, n.state, n.type {FROM} WHERE {filter} ORDER BY pr.name, n.name"
    );
    let mut found: Vec<Network> = view.rows(&sql, values)?;
    let mut configs = CONFIG.of_many(view, &format!("SELECT n.id {FROM} WHERE {filter}"), values)?;
    for network in &mut found {
        network.config = configs.remove(&network.id).unwrap_or_default();
    }
    Ok(found)
}

/// All networks of a project, or of all.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Network>> {
    match project {
        Some(project) => fetch(view, "pr.name = ?1", &params![project]),
        None => fetch(view, "true", &[]),
    }
}

/// One network.
pub fn get(view: &View<'_>, project: &str, name: &str) -> Result<Option<Network>> {
    Ok(fetch(view, "pr.name = ?1 AND n.name = ?2", &params![project, name])?.pop())
}

/// Adds a network, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, network: &Network) -> Result<i64> {
    let kind = TYPES.iter().position(|known| *known == network.kind).and_then(|at| i64::try_from(at).ok());
    let kind = kind.ok_or_else(|| DbError::NotAllowed(format!("unknown network type {:?}", network.kind)))?;
    let sql = "INSERT INTO networks (project_id, name, description, state, type)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3, ?4, ?5)";
    let values = params![&network.project, &network.name, &network.description, network.state.code(), kind];
    let id = tx.insert(sql, values)?;
    let sql = "INSERT INTO networks_nodes (network_id, node_id, state) VALUES (?1, ?2, ?3)";
    tx.exec(sql, params![id, THIS_NODE, network.state.code()])?;
    CONFIG.replace(tx, id, &network.config)?;
    Ok(id)
}

/// Replaces description and keys.
pub fn update(tx: &mut Tx<'_>, id: i64, description: &str, config: &Config) -> Result<()> {
    tx.exec("UPDATE networks SET description = ?2 WHERE id = ?1", params![id, description])?;
    CONFIG.replace(tx, id, config)
}

/// Notes how far a network is made, as a whole and on this member.
pub fn set_state(tx: &mut Tx<'_>, id: i64, state: State) -> Result<()> {
    tx.exec("UPDATE networks SET state = ?2 WHERE id = ?1", params![id, state.code()])?;
    let sql = "UPDATE networks_nodes SET state = ?3 WHERE network_id = ?1 AND node_id = ?2";
    tx.exec(sql, params![id, THIS_NODE, state.code()]).map(drop)
}

/// Gives a network another name.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE networks SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Removes a network.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM networks WHERE id = ?1", params![id]).map(drop)
}
