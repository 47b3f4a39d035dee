//! `images` with properties, source, profiles and aliases.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::error::{DbError, Result};
use crate::row::{FromRow, Row};
use crate::table::{Config, image_aliases};
use crate::tx::{Tx, View};
use crate::value::Value;
use crate::{THIS_NODE, params};

/// Names of the protocols of image servers; LXD's numbers are the places in this list.
pub const PROTOCOLS: [&str; 3] = ["lxd", "direct", "simplestreams"];

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Row id, 0 before it is stored.
    pub id: i64,
    /// The project it belongs to.
    pub project: String,
    /// SHA-256 of its files in hexadecimal.
    pub fingerprint: String,
    /// 0 for containers, 1 for virtual machines.
    pub kind: i64,
    /// The name it was imported under.
    pub filename: String,
    /// Bytes of its files.
    pub size: i64,
    /// Whether anyone may download it.
    pub public: bool,
    /// Number of its architecture.
    pub architecture: i64,
    /// When its maker made it.
    pub created: Option<Timestamp>,
    /// When it ceases to be useful.
    pub expires: Option<Timestamp>,
    /// When it came here.
    pub uploaded: Timestamp,
    /// Whether it is here only as a copy of a server's.
    pub cached: bool,
    /// When an instance was last made of it.
    pub last_used: Option<Timestamp>,
    /// Whether it is kept up to date.
    pub auto_update: bool,
    /// What its maker says of it.
    pub properties: Config,
    /// Where it was downloaded from.
    pub source: Option<Source>,
    /// Profiles for its instances, in its project.
    pub profiles: Vec<String>,
    /// Name and description of its aliases.
    pub aliases: Vec<(String, String)>,
}

/// Where an image was downloaded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// URL of the server.
    pub server: String,
    /// One of [`PROTOCOLS`].
    pub protocol: String,
    /// PEM of the server's certificate, if it was pinned.
    pub certificate: String,
    /// The name it was asked for by.
    pub alias: String,
}

impl FromRow for Image {
    fn from_row(row: &mut Row) -> Result<Image> {
        Ok(Image {
            id: row.take()?,
            project: row.take()?,
            fingerprint: row.take()?,
            kind: row.take()?,
            filename: row.take()?,
            size: row.take()?,
            public: row.take()?,
            architecture: row.take()?,
            created: row.take()?,
            expires: row.take()?,
            uploaded: row.take()?,
            cached: row.take()?,
            last_used: row.take()?,
            auto_update: row.take()?,
            properties: Config::new(),
            source: None,
            profiles: Vec::new(),
            aliases: Vec::new(),
        })
    }
}

const FROM: &str = "FROM images AS i JOIN projects AS pr ON pr.id = i.project_id";

fn fetch(view: &View<'_>, filter: &str, values: &[Value]) -> Result<Vec<Image>> {
    let sql = format!(
        "SELECT i.id, pr.name, i.fingerprint, i.type, i.filename, i.size, i.public, i.architecture, i.creation_date,
                i.expiry_date, i.upload_date, i.cached, i.last_use_date, i.auto_update
         {FROM} WHERE {filter} ORDER BY pr.name, i.fingerprint"
    );
    let mut found: Vec<Image> = view.rows(&sql, values)?;
    let at: HashMap<i64, usize> = found.iter().enumerate().map(|(at, image)| (image.id, at)).collect();
    let owners = format!("SELECT i.id {FROM} WHERE {filter}");

    let sql = format!("SELECT image_id, key, value FROM images_properties WHERE image_id IN ({owners}) ORDER BY id");
    for (id, key, value) in view.rows::<(i64, String, Option<String>)>(&sql, values)? {
        found[at[&id]].properties.insert(key, value.unwrap_or_default());
    }
    let sql =
        format!("SELECT image_id, name, description FROM images_aliases WHERE image_id IN ({owners}) ORDER BY id");
    for (id, name, description) in view.rows::<(i64, String, String)>(&sql, values)? {
        found[at[&id]].aliases.push((name, description));
    }
    let sql = format!(
        "SELECT ip.image_id, p.name FROM images_profiles AS ip JOIN profiles AS p ON p.id = ip.profile_id
         JOIN images AS im ON im.id = ip.image_id
         WHERE ip.image_id IN ({owners}) AND {OWN_PROFILE} ORDER BY ip.image_id, p.name"
    );
    for (id, name) in view.rows::<(i64, String)>(&sql, values)? {
        found[at[&id]].profiles.push(name);
    }
    let sql = format!(
        "SELECT image_id, server, protocol, certificate, alias FROM images_source WHERE image_id IN ({owners})
         ORDER BY id DESC"
    );
    for (id, server, protocol, certificate, alias) in view.rows::<(i64, String, i64, String, String)>(&sql, values)? {
        let protocol = usize::try_from(protocol).ok().and_then(|at| PROTOCOLS.get(at)).unwrap_or(&"").to_string();
        found[at[&id]].source = Some(Source { server, protocol, certificate, alias });
    }
    Ok(found)
}

/// All images of a project, or of all.
pub fn list(view: &View<'_>, project: Option<&str>) -> Result<Vec<Image>> {
    match project {
        Some(project) => fetch(view, "pr.name = ?1", &params![project]),
        None => fetch(view, "true", &[]),
    }
}

/// The image with exactly this fingerprint.
pub fn get(view: &View<'_>, project: &str, fingerprint: &str) -> Result<Option<Image>> {
    Ok(fetch(view, "pr.name = ?1 AND i.fingerprint = ?2", &params![project, fingerprint])?.pop())
}

/// The images whose fingerprints begin so; `project` `None` means any. Whether more than one is an error is the
/// caller's say.
pub fn by_prefix(view: &View<'_>, project: Option<&str>, prefix: &str) -> Result<Vec<Image>> {
    let filter = "(?1 IS NULL OR pr.name = ?1) AND substr(i.fingerprint, 1, length(?2)) = ?2";
    fetch(view, filter, &params![project, prefix])
}

/// The projects that have an image.
pub fn projects_with(view: &View<'_>, fingerprint: &str) -> Result<Vec<String>> {
    view.rows(&format!("SELECT pr.name {FROM} WHERE i.fingerprint = ?1 ORDER BY pr.name"), params![fingerprint])
}

/// The fingerprint of the newest image that was downloaded under this name and is kept up to date.
pub fn cached_source(
    view: &View<'_>,
    server: &str,
    protocol: &str,
    alias: &str,
    kind: Option<i64>,
    architecture: i64,
) -> Result<Option<String>> {
    let sql = "SELECT i.fingerprint FROM images_source AS s JOIN images AS i ON s.image_id = i.id
               WHERE s.server = ?1 AND s.protocol = ?2 AND s.alias = ?3 AND i.auto_update = 1 AND i.architecture = ?4
               AND (?5 IS NULL OR i.type = ?5) ORDER BY i.creation_date DESC, i.id";
    view.maybe(sql, params![server, protocol_code(protocol)?, alias, architecture, kind])
}

fn protocol_code(name: &str) -> Result<i64> {
    let place = PROTOCOLS.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok());
    place.ok_or_else(|| DbError::NotAllowed(format!("Invalid protocol: {name}")))
}

/// Adds an image with all that belongs to it, and gives its row id.
pub fn insert(tx: &mut Tx<'_>, image: &Image) -> Result<i64> {
    let sql = "INSERT INTO images (project_id, fingerprint, type, filename, size, public, architecture, creation_date,
                                   expiry_date, upload_date, cached, last_use_date, auto_update)
               VALUES ((SELECT id FROM projects WHERE name = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let values = params![
        &image.project,
        &image.fingerprint,
        image.kind,
        &image.filename,
        image.size,
        image.public,
        image.architecture,
        image.created,
        image.expires,
        image.uploaded,
        image.cached,
        image.last_used,
        image.auto_update,
    ];
    let id = tx.insert(sql, values)?;
    if image.project == super::projects::DEFAULT {
        for project in sharing_projects(tx)? {
            set_profiles(tx, id, &project, &[super::profiles::DEFAULT.to_string()])?;
        }
    }
    tx.exec("INSERT INTO images_nodes (image_id, node_id) VALUES (?1, ?2)", params![id, THIS_NODE])?;
    replace_parts(tx, id, image)?;
    for (name, description) in &image.aliases {
        image_aliases::insert(tx, &image.project, name, id, description)?;
    }
    if let Some(source) = &image.source {
        set_source(tx, id, source)?;
    }
    Ok(id)
}

/// Replaces what an update or a refresh changes: all but aliases, source, fingerprint and project.
pub fn update(tx: &mut Tx<'_>, image: &Image) -> Result<()> {
    let sql = "UPDATE images SET filename = ?2, size = ?3, public = ?4, auto_update = ?5, architecture = ?6,
                      creation_date = ?7, expiry_date = ?8, cached = ?9, last_use_date = ?10 WHERE id = ?1";
    let values = params![
        image.id,
        &image.filename,
        image.size,
        image.public,
        image.auto_update,
        image.architecture,
        image.created,
        image.expires,
        image.cached,
        image.last_used,
    ];
    tx.exec(sql, values)?;
    replace_parts(tx, image.id, image)
}

fn replace_parts(tx: &mut Tx<'_>, id: i64, image: &Image) -> Result<()> {
    tx.exec("DELETE FROM images_properties WHERE image_id = ?1", params![id])?;
    let sql = "INSERT INTO images_properties (image_id, type, key, value) VALUES (?1, 0, ?2, ?3)";
    for (key, value) in &image.properties {
        tx.exec(sql, params![id, key, value])?;
    }
    let sql = format!(
        "DELETE FROM images_profiles WHERE image_id = ?1 AND profile_id IN
         (SELECT p.id FROM profiles AS p JOIN images AS im ON im.id = ?1 WHERE {OWN_PROFILE})"
    );
    tx.exec(&sql, params![id])?;
    for name in &image.profiles {
        let own = super::profiles::id(tx, &image.project, name)?;
        // A project without profiles of its own uses those of the default one.
        let profile = own
            .map_or_else(|| super::profiles::id(tx, super::projects::DEFAULT, name), |id| Ok(Some(id)))?
            .ok_or_else(|| DbError::NotFound(format!("profile {name} in project {}", image.project)))?;
        tx.exec("INSERT INTO images_profiles (image_id, profile_id) VALUES (?1, ?2)", params![id, profile])?;
    }
    Ok(())
}

/// Whether the profile `p` of the image `im` is one that the image's own project means: images of the default project may
/// have profiles of projects that share them beside its own.
const OWN_PROFILE: &str = "(p.project_id = im.project_id OR im.project_id <> 1)";

/// Projects that use the default one's images with profiles of their own.
fn sharing_projects(view: &View<'_>) -> Result<Vec<String>> {
    let on = |project: &super::projects::Project, feature: &str| {
        project
            .config
            .get(feature)
            .is_some_and(|value| matches!(value.to_lowercase().as_str(), "true" | "1" | "yes" | "on"))
    };
    let all = super::projects::list(view)?.into_iter();
    let sharing = all.filter(|one| one.name != super::projects::DEFAULT);
    let sharing = sharing.filter(|one| !on(one, "features.images") && on(one, "features.profiles"));
    Ok(sharing.map(|one| one.name).collect())
}

/// The profiles that instances of an image of the default project get in another project, which has profiles of its own.
pub fn profiles_in(view: &View<'_>, id: i64, project: &str) -> Result<Vec<String>> {
    let sql = "SELECT p.name FROM images_profiles AS ip JOIN profiles AS p ON p.id = ip.profile_id
               JOIN projects AS pr ON pr.id = p.project_id
               WHERE ip.image_id = ?1 AND pr.name = ?2 ORDER BY p.name";
    view.rows(sql, &params![id, project])
}

/// Replaces what [`profiles_in`] tells.
pub fn set_profiles(tx: &mut Tx<'_>, id: i64, project: &str, names: &[String]) -> Result<()> {
    let sql = "DELETE FROM images_profiles WHERE image_id = ?1 AND profile_id IN
               (SELECT p.id FROM profiles AS p JOIN projects AS pr ON pr.id = p.project_id WHERE pr.name = ?2)";
    tx.exec(sql, params![id, project])?;
    for name in names {
        let profile = super::profiles::id(tx, project, name)?
            .ok_or_else(|| DbError::NotFound(format!("profile {name} in project {project}")))?;
        tx.exec("INSERT INTO images_profiles (image_id, profile_id) VALUES (?1, ?2)", params![id, profile])?;
    }
    Ok(())
}

/// Gives every image of the default project the default profile of a project that begins to share them.
pub fn share_with(tx: &mut Tx<'_>, project: &str) -> Result<()> {
    let ids: Vec<i64> = tx.rows("SELECT id FROM images WHERE project_id = 1 ORDER BY id", &params![])?;
    for id in ids {
        set_profiles(tx, id, project, &[super::profiles::DEFAULT.to_string()])?;
    }
    Ok(())
}

/// Notes where an image came from.
pub fn set_source(tx: &mut Tx<'_>, id: i64, source: &Source) -> Result<()> {
    let protocol = protocol_code(&source.protocol)?;
    tx.exec("DELETE FROM images_source WHERE image_id = ?1", params![id])?;
    let sql = "INSERT INTO images_source (image_id, server, protocol, certificate, alias) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.exec(sql, params![id, &source.server, protocol, &source.certificate, &source.alias]).map(drop)
}

/// Notes that an instance was made of an image.
pub fn set_last_used(tx: &mut Tx<'_>, id: i64, when: Timestamp) -> Result<()> {
    tx.exec("UPDATE images SET last_use_date = ?2 WHERE id = ?1", params![id, when]).map(drop)
}

/// Removes an image with its aliases.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.exec("DELETE FROM images WHERE id = ?1", params![id]).map(drop)
}
