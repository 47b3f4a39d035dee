//! Things that a warning may be about: LXD's numbers for their kinds, and how each is called.

use crate::error::Result;
use crate::params;
use crate::tx::View;

/// A thing, as its path in the API names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The folder below `/1.0`.
    pub folder: &'static str,
    /// Its name there.
    pub name: String,
    /// The project it is in, where its kind has projects.
    pub project: Option<String>,
}

struct Kind {
    number: i64,
    folder: &'static str,
    /// Name and project of the row `?1`.
    sql: &'static str,
}

const INSTANCE: &str =
    "SELECT i.name, pr.name FROM instances AS i JOIN projects AS pr ON pr.id = i.project_id WHERE i.id = ?1";

/// The kinds that warnings are about. LXD has more numbers, and raises no warning with them.
const KINDS: [Kind; 8] = [
    Kind { number: 0, folder: "containers", sql: INSTANCE },
    Kind {
        number: 1,
        folder: "images",
        sql: "SELECT i.fingerprint, pr.name FROM images AS i JOIN projects AS pr ON pr.id = i.project_id WHERE i.id = ?1",
    },
    Kind {
        number: 2,
        folder: "profiles",
        sql: "SELECT p.name, pr.name FROM profiles AS p JOIN projects AS pr ON pr.id = p.project_id WHERE p.id = ?1",
    },
    Kind { number: 3, folder: "projects", sql: "SELECT name, NULL FROM projects WHERE id = ?1" },
    Kind { number: 4, folder: "certificates", sql: "SELECT name, NULL FROM certificates WHERE id = ?1" },
    Kind { number: 5, folder: "instances", sql: INSTANCE },
    Kind {
        number: 8,
        folder: "networks",
        sql: "SELECT n.name, pr.name FROM networks AS n JOIN projects AS pr ON pr.id = n.project_id WHERE n.id = ?1",
    },
    Kind { number: 12, folder: "storage-pools", sql: "SELECT name, NULL FROM storage_pools WHERE id = ?1" },
];

/// Whether warnings are about things of this kind.
pub fn is_known(kind: i64) -> bool {
    KINDS.iter().any(|one| one.number == kind)
}

/// The thing of this kind with this row id.
pub fn find(view: &View<'_>, kind: i64, id: i64) -> Result<Option<Entity>> {
    let Some(kind) = KINDS.iter().find(|one| one.number == kind) else { return Ok(None) };
    let found: Option<(String, Option<String>)> = view.maybe(kind.sql, params![id])?;
    Ok(found.map(|(name, project)| Entity { folder: kind.folder, name, project }))
}
