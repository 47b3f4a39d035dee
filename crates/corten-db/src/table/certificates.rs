//! `certificates`: whom the server trusts, and in which projects.

use std::collections::HashMap;

use crate::error::{DbError, Result};
use crate::params;
use crate::row::{FromRow, Row};
use crate::tx::{Tx, View};
use crate::value::Value;

/// Number of certificates of clients.
pub const CLIENT: i64 = 1;
/// Number of certificates of cluster members.
pub const SERVER: i64 = 2;
/// Number of certificates that may only read metrics.
pub const METRICS: i64 = 3;

/// A trusted certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// SHA-256 of its DER form in hexadecimal.
    pub fingerprint: String,
    /// [`CLIENT`], [`SERVER`] or [`METRICS`].
    pub kind: i64,
    /// The name given to it.
    pub name: String,
    /// PEM.
    pub certificate: String,
    /// Whether it counts only in `projects`.
    pub restricted: bool,
    /// Names of the projects it may use when restricted.
    pub projects: Vec<String>,
}

impl FromRow for Certificate {
    fn from_row(row: &mut Row) -> Result<Certificate> {
        Ok(Certificate {
            id: row.take()?,
            fingerprint: row.take()?,
            kind: row.take()?,
            name: row.take()?,
            certificate: row.take()?,
            restricted: row.take()?,
            projects: Vec::new(),
        })
    }
}

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Certificate>> {
    let sql = format!(
        "SELECT id, fingerprint, type, name, certificate, restricted FROM certificates
         WHERE {filter} ORDER BY fingerprint"
    );
    let mut found: Vec<Certificate> = view.rows(&sql, values)?;
    let sql = format!(
        "SELECT cp.certificate_id, pr.name FROM certificates_projects AS cp JOIN projects AS pr ON pr.id = cp.project_id
         WHERE cp.certificate_id IN (SELECT id FROM certificates WHERE {filter}) ORDER BY pr.name"
    );
    let mut projects: HashMap<i64, Vec<String>> = HashMap::new();
    for (id, name) in view.rows::<(i64, String)>(&sql, values)? {
        projects.entry(id).or_default().push(name);
    }
    for certificate in &mut found {
        certificate.projects = projects.remove(&certificate.id).unwrap_or_default();
    }
    Ok(found)
}

/// All certificates.
pub fn list(view: &View<'_>) -> Result<Vec<Certificate>> {
    fetch(view, "true", &[])
}

/// The certificates whose fingerprints begin so.
pub fn by_prefix(view: &View<'_>, prefix: &str) -> Result<Vec<Certificate>> {
    fetch(view, "substr(fingerprint, 1, length(?1)) = ?1", &params![prefix])
}

/// The certificate with exactly this fingerprint.
pub fn get(view: &View<'_>, fingerprint: &str) -> Result<Option<Certificate>> {
    Ok(fetch(view, "fingerprint = ?1", &params![fingerprint])?.pop())
}

/// Adds a certificate, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<i64> {
    let sql = "INSERT INTO certificates (fingerprint, type, name, certificate, restricted) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Certificate { fingerprint, kind, name, certificate: pem, restricted, .. } = certificate;
    let id = tx.insert(sql, params![fingerprint, *kind, name, pem, *restricted])?;
    replace_projects(tx, id, &certificate.projects)?;
    Ok(id)
}

/// Replaces all but the id; the row is the one with `certificate.id`.
pub fn update(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<()> {
    let sql = "UPDATE certificates SET fingerprint = ?2, type = ?3, name = ?4, certificate = ?5, restricted = ?6
               WHERE id = ?1";
    let Certificate { id, fingerprint, kind, name, certificate: pem, restricted, .. } = certificate;
    tx.exec(sql, params![*id, fingerprint, *kind, name, pem, *restricted])?;
    replace_projects(tx, *id, &certificate.projects)
}

fn replace_projects(tx: &mut Tx<'_>, id: i64, projects: &[String]) -> Result<()> {
    tx.exec("DELETE FROM certificates_projects WHERE certificate_id = ?1", params![id])?;
    for project in projects {
        let project_id =
            super::projects::id(tx, project)?.ok_or_else(|| DbError::NotFound(format!("project {project}")))?;
        let sql = "INSERT INTO certificates_projects (certificate_id, project_id) VALUES (?1, ?2)";
        tx.exec(sql, params![id, project_id])?;
    }
    Ok(())
}

/// Removes a certificate; false if there was none.
pub fn delete(tx: &mut Tx<'_>, fingerprint: &str) -> Result<bool> {
    Ok(tx.exec("DELETE FROM certificates WHERE fingerprint = ?1", params![fingerprint])? == 1)
}
