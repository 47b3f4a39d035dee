//! `operations`: what runs where, so that members of a cluster can find each other's.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::tx::{Tx, View};
use crate::{THIS_NODE, params};

/// A running operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Row id.
    pub id: i64,
    /// The id that clients know.
    pub uuid: String,
    /// LXD's number of what it does.
    pub kind: i64,
    /// Name of its project, if it has one.
    pub project: Option<String>,
}

impl FromRow for Operation {
    fn from_row(row: &mut Row) -> Result<Operation> {
        Ok(Operation { id: row.take()?, uuid: row.take()?, kind: row.take()?, project: row.take()? })
    }
}

/// All operations of this member.
pub fn list(view: &View<'_>) -> Result<Vec<Operation>> {
    let sql =
        "SELECT o.id, o.uuid, o.type, pr.name FROM operations AS o LEFT JOIN projects AS pr ON pr.id = o.project_id
               WHERE o.node_id = ?1 ORDER BY o.id";
    view.rows(sql, params![THIS_NODE])
}

/// Notes that an operation has begun.
pub fn insert(tx: &mut Tx<'_>, uuid: &str, kind: i64, project: Option<&str>) -> Result<i64> {
    let sql = "INSERT INTO operations (uuid, node_id, type, project_id)
               VALUES (?1, ?2, ?3, (SELECT id FROM projects WHERE name = ?4))";
    tx.insert(sql, params![uuid, THIS_NODE, kind, project])
}

/// Notes that an operation has ended.
pub fn delete(tx: &mut Tx<'_>, uuid: &str) -> Result<()> {
    tx.exec("DELETE FROM operations WHERE uuid = ?1", params![uuid]).map(drop)
}

/// Forgets all operations of this member, as at its start.
pub fn clear(tx: &mut Tx<'_>) -> Result<()> {
    tx.exec("DELETE FROM operations WHERE node_id = ?1", params![THIS_NODE]).map(drop)
}
