//! `networks_acls` and their keys.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::table::{Config, keyed};
use crate::tx::{Tx, View};
use crate::value::Value;

/// A list of what may pass between a network and others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// Its project.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Rules for what comes to the guests, as the API's JSON.
    pub ingress: String,
    /// Rules for what comes from the guests, as the API's JSON.
    pub egress: String,
    /// Its keys.
    pub config: Config,
}

impl FromRow for Acl {
    fn from_row(row: &mut Row) -> Result<Acl> {
        Ok(Acl {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            description: row.take()?,
            ingress: row.take()?,
            egress: row.take()?,
            config: Config::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Acl>> {
    let from = format!("FROM networks_acls AS a JOIN projects AS pr ON pr.id = a.project_id WHERE {filter}");
    let columns = "a.id, pr.name, a.name, a.description, a.ingress, a.egress";
    let mut found: Vec<Acl> = view.rows(&format!("SELECT {columns} {from} ORDER BY a.id"), values)?;
    let mut configs = keyed::NETWORK_ACL.of_many(view, &format!("SELECT a.id {from}"), values)?;
    for acl in &mut found {
        acl.config = configs.remove(&acl.id).unwrap_or_default();
    }
    Ok(found)
}

/// All lists of a project.
pub fn list(view: &View<'_>, project: &str) -> Result<Vec<Acl>> {
    fetch(view, "pr.name = ?1", &params![project])
}

/// One list.
pub fn get(view: &View<'_>, project: &str, name: &str) -> Result<Option<Acl>> {
    Ok(fetch(view, "pr.name = ?1 AND a.name = ?2", &params![project, name])?.pop())
}

/// Adds a list, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, acl: &Acl) -> Result<i64> {
    let sql = "INSERT INTO networks_acls (project_id, name, description, ingress, egress)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3, ?4, ?5)";
    let id = tx.insert(sql, params![&acl.project, &acl.name, &acl.description, &acl.ingress, &acl.egress])?;
    keyed::NETWORK_ACL.replace(tx, id, &acl.config)?;
    Ok(id)
}

/// Replaces description, rules and keys.
pub fn update(tx: &mut Tx<'_>, acl: &Acl) -> Result<()> {
    let sql = "UPDATE networks_acls SET description = ?2, ingress = ?3, egress = ?4 WHERE id = ?1";
    tx.exec(sql, params![acl.id, &acl.description, &acl.ingress, &acl.egress])?;
    keyed::NETWORK_ACL.replace(tx, acl.id, &acl.config)
}

/// Gives a list another name.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE networks_acls SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Removes a list.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM networks_acls WHERE id = ?1", params![id]).map(drop)
}
