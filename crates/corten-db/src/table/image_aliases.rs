//! `images_aliases`: names of images.

use crate::error::Result;
use crate::params;
use crate::row::{FromRow, Row};
use crate::tx::{Tx, View};

/// A name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Row id.
    pub id: i64,
    /// The project it belongs to.
    pub project: String,
    /// The name; it may hold slashes.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Row id of the image.
    pub image_id: i64,
    /// The image's fingerprint.
    pub fingerprint: String,
    /// The image's kind: 0 for containers, 1 for virtual machines.
    pub kind: i64,
    /// Whether anyone may download the image.
    pub public: bool,
}

impl FromRow for Alias {
    fn from_row(row: &mut Row) -> Result<Alias> {
        Ok(Alias {
            id: row.take()?,
            project: row.take()?,
            name: row.take()?,
            description: row.take()?,
            image_id: row.take()?,
            fingerprint: row.take()?,
            kind: row.take()?,
            public: row.take()?,
        })
    }
}

const SELECT: &str = "SELECT a.id, pr.name, a.name, a.description, a.image_id, i.fingerprint, i.type, i.public
                      FROM images_aliases AS a JOIN images AS i ON i.id = a.image_id
                      JOIN projects AS pr ON pr.id = a.project_id";

/// All aliases of a project.
pub fn list(view: &View<'_>, project: &str) -> Result<Vec<Alias>> {
    view.rows(&format!("{SELECT} WHERE pr.name = ?1 ORDER BY a.name"), params![project])
}

/// One alias.
pub fn get(view: &View<'_>, project: &str, name: &str) -> Result<Option<Alias>> {
    view.maybe(&format!("{SELECT} WHERE pr.name = ?1 AND a.name = ?2"), params![project, name])
}

/// Adds a name of an image, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, project: &str, name: &str, image_id: i64, description: &str) -> Result<i64> {
    let sql = "INSERT INTO images_aliases (project_id, name, image_id, description)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3, ?4)";
    tx.insert(sql, params![project, name, image_id, description])
}

/// Points an alias to another image, with another description.
pub fn update(tx: &mut Tx<'_>, id: i64, image_id: i64, description: &str) -> Result<()> {
    let sql = "UPDATE images_aliases SET image_id = ?2, description = ?3 WHERE id = ?1";
    tx.exec(sql, params![id, image_id, description]).map(drop)
}

/// Gives all names of one image to another, as a refresh does.
pub fn move_all(tx: &mut Tx<'_>, from_image: i64, to_image: i64) -> Result<()> {
    tx.exec("UPDATE images_aliases SET image_id = ?2 WHERE image_id = ?1", params![from_image, to_image]).map(drop)
}

/// Renames an alias.
pub fn rename(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<()> {
    tx.exec("UPDATE images_aliases SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

/// Removes an alias.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM images_aliases WHERE id = ?1", params![id]).map(drop)
}
