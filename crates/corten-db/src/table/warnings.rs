//! `warnings`: what the server wants an administrator to know.

use jiff::Timestamp;

use crate::error::Result;
use crate::row::{FromRow, Row};
use crate::tx::{Tx, View};
use crate::{THIS_NODE, params};

/// Status number of a warning nobody has looked at.
pub const NEW: i64 = 1;
/// Status number of a warning that an administrator has seen.
pub const ACKNOWLEDGED: i64 = 2;
/// Status number of a warning whose cause has gone.
pub const RESOLVED: i64 = 3;

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Row id.
    pub id: i64,
    /// Name of the member it is about, if it is about one.
    pub node: Option<String>,
    /// Name of the project it is about, if it is about one.
    pub project: Option<String>,
    /// LXD's number of the kind of thing it is about, -1 for none.
    pub entity_type: i64,
    /// Row id of that thing, -1 for none.
    pub entity_id: i64,
    /// The id that clients know.
    pub uuid: String,
    /// LXD's number of the warning.
    pub kind: i64,
    /// [`NEW`], [`ACKNOWLEDGED`] or [`RESOLVED`].
    pub status: i64,
    /// When it came up first.
    pub first_seen: Timestamp,
    /// When it came up last.
    pub last_seen: Timestamp,
    /// When its status changed.
    pub updated: Option<Timestamp>,
    /// What was said last.
    pub message: String,
    /// How often it came up.
    pub count: i64,
}

impl FromRow for Warning {
    fn from_row(row: &mut Row) -> Result<Warning> {
        Ok(Warning {
            id: row.take()?,
            node: row.take()?,
            project: row.take()?,
            entity_type: row.take::<Option<i64>>()?.unwrap_or(-1),
            entity_id: row.take::<Option<i64>>()?.unwrap_or(-1),
            uuid: row.take()?,
            kind: row.take()?,
            status: row.take()?,
            first_seen: row.take()?,
            last_seen: row.take()?,
            updated: row.take()?,
            message: row.take()?,
            count: row.take()?,
        })
    }
}

const SELECT: &str = "SELECT w.id, n.name, pr.name, w.entity_type_code, w.entity_id, w.uuid, w.type_code, w.status,
                             w.first_seen_date, w.last_seen_date, w.updated_date, w.last_message, w.count
                      FROM warnings AS w LEFT JOIN nodes AS n ON n.id = w.node_id
                      LEFT JOIN projects AS pr ON pr.id = w.project_id";

/// All warnings of a project and of none, or of all projects.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Warning>> {
    let sql = format!("{SELECT} WHERE ?1 IS NULL OR pr.name IS NULL OR pr.name = ?1 ORDER BY w.uuid");
    view.rows(&sql, params![project])
}

/// One warning.
pub fn get(view: &View<'_>, uuid: &str) -> Result<Option<Warning>> {
    view.maybe(&format!("{SELECT} WHERE w.uuid = ?1"), params![uuid])
}

/// What a warning is about, and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// LXD's number of the warning.
    pub kind: i64,
    /// The member it is about; `None` for all.
    pub node: Option<i64>,
    /// Name of the project it is about.
    pub project: Option<&'a str>,
    /// LXD's number of the kind of thing and its row id; -1 and -1 for none.
    pub entity: (i64, i64),
    /// What there is to say.
    pub message: &'a str,
}

/// Adds a warning, or counts one more of the same; a resolved one is new again.
pub fn raise(tx: &mut Tx<'_>, notice: &Notice<'_>, uuid: &str, now: Timestamp) -> Result<()> {
    let (entity_type, entity_id) = notice.entity;
    let sql = "SELECT w.id FROM warnings AS w LEFT JOIN projects AS pr ON pr.id = w.project_id
               WHERE w.node_id IS ?1 AND w.type_code = ?2 AND pr.name IS ?3
               AND w.entity_type_code = ?4 AND w.entity_id = ?5 ORDER BY w.id";
    let same: Option<i64> = tx.maybe(sql, params![notice.node, notice.kind, notice.project, entity_type, entity_id])?;
    if let Some(id) = same {
        let sql = "UPDATE warnings SET last_message = ?2, last_seen_date = ?3, updated_date = ?3, count = count + 1,
                   status = CASE status WHEN ?4 THEN ?5 ELSE status END WHERE id = ?1";
        return tx.exec(sql, params![id, notice.message, now, RESOLVED, NEW]).map(drop);
    }
    let sql = "INSERT INTO warnings (node_id, project_id, entity_type_code, entity_id, uuid, type_code, status,
                                     first_seen_date, last_seen_date, updated_date, last_message, count)
               VALUES (?1, (SELECT id FROM projects WHERE name = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, 1)";
    let never = Timestamp::from_second(-62_135_596_800).ok();
    let values = params![
        notice.node,
        notice.project,
        entity_type,
        entity_id,
        uuid,
        notice.kind,
        NEW,
        now,
        never,
        notice.message,
    ];
    tx.exec(sql, values).map(drop)
}

/// Changes the status of one warning; false if there is none.
pub fn set_status(tx: &mut Tx<'_>, uuid: &str, status: i64, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE warnings SET status = ?2, updated_date = ?3 WHERE uuid = ?1";
    Ok(tx.exec(sql, params![uuid, status, now])? == 1)
}

/// Resolves all warnings of a kind about this member, or only those about one thing.
pub fn resolve(tx: &mut Tx<'_>, kind: i64, entity: Option<(i64, i64)>, now: Timestamp) -> Result<()> {
    let (entity_type, entity_id) = entity.unzip();
    let sql = "UPDATE warnings SET status = ?2, updated_date = ?3 WHERE type_code = ?1 AND status <> ?2
               AND (node_id = ?4 OR node_id IS NULL)
               AND (?5 IS NULL OR (entity_type_code = ?5 AND entity_id = ?6))";
    tx.exec(sql, params![kind, RESOLVED, now, THIS_NODE, entity_type, entity_id]).map(drop)
}

/// Removes a warning; false if there was none.
pub fn delete(tx: &mut Tx<'_>, uuid: &str) -> Result<bool> {
    Ok(tx.exec("DELETE FROM warnings WHERE uuid = ?1", params![uuid])? == 1)
}
