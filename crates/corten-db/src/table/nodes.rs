//! `nodes`: the servers; one, until hosts form a cluster.

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::tx::View;
use crate::{THIS_NODE, params};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Row id.
    pub id: i64,
    /// Its name; `none` outside a cluster.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where other members reach it; `0.0.0.0` outside a cluster.
    pub address: String,
    /// Schema version of its program.
    pub schema: i64,
    /// How many API extensions its program has.
    pub api_extensions: i64,
    /// Number of its architecture.
    pub architecture: i64,
}

impl FromRow for Node {
    fn from_row(row: &mut Row) -> Result<Node> {
        Ok(Node {
            id: row.take()?,
            name: row.take()?,
            description: row.take()?,
            address: row.take()?,
            schema: row.take()?,
            api_extensions: row.take()?,
            architecture: row.take()?,
        })
    }
}

/// This server.
pub fn this(view: &View<'_>) -> Result<Node> {
    let sql = "SELECT id, name, description, address, schema, api_extensions, arch FROM nodes WHERE id = ?1";
    view.one(sql, params![THIS_NODE])
}
