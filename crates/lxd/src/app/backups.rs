//! Backups: archives of instances and custom volumes, kept until they expire or are deleted; and what is made of them.

pub mod adopt;
pub mod change;
pub mod create;
pub mod expire;
pub mod import;
pub mod import_volume;
pub mod index;
pub mod instance;
pub mod receive;
pub mod root_device;
pub mod sweep;
pub mod volume;

use std::path::PathBuf;

use corten_api::error::{Error, Result};
use corten_api::url;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::backups::{self, Backup, Of};
use corten_db::table::storage_volumes;
use corten_instance::instance::{Instance, host_name};
use corten_storage::volume::{Kind, storage_name};

use super::App;
use super::storage::custom::Place;
use super::storage::volumes;

/// What backups belong to: an instance or a custom volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Which it is.
    pub of: Of,
    /// Its row.
    pub id: i64,
    /// Its project.
    pub project: String,
    /// Its name.
    pub name: String,
    /// The folder of its backups.
    pub folder: PathBuf,
    /// Its path in the API.
    pub path: String,
}

impl Owner {
    /// An instance.
    pub fn instance(app: &App, instance: &Instance) -> Owner {
        Owner {
            of: Of::Instance,
            id: instance.id,
            project: instance.project.clone(),
            name: instance.name.clone(),
            folder: folder(app, Of::Instance).join(host_name(&instance.project, &instance.name)),
            path: url::path_in(&instance.project, ["instances", &instance.name]),
        }
    }

    /// A custom volume.
    pub fn volume(app: &App, place: &Place, row: &storage_volumes::Volume) -> Owner {
        let name = storage_name(Kind::Custom, &place.project, &place.name);
        Owner {
            of: Of::Volume,
            id: row.id,
            project: place.project.clone(),
            name: place.name.clone(),
            folder: folder(app, Of::Volume).join(&place.pool).join(name),
            path: volumes::path(&place.pool, &place.project, storage_volumes::CUSTOM, &place.name),
        }
    }

    /// The name under which a backup of this is remembered.
    pub fn full_name(&self, backup: &str) -> String {
        format!("{}/{backup}", self.name)
    }

    /// The path of a backup in the API.
    pub fn path_of(&self, backup: &str) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("{path}/backups/{}{query}", url::escape(backup))
    }

    /// What an event about a backup of this is called: `created`, `deleted`, `renamed` or `retrieved`.
    fn action(&self, what: &str) -> String {
        match self.of {
            Of::Instance => format!("instance-backup-{what}"),
            Of::Volume => format!("storage-volume-backup-{what}"),
        }
    }

    /// Its backups, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn backups(&self, app: &App) -> Result<Vec<Backup>> {
        app.view(|view| Ok(backups::list(view, self.of, self.id)?))
    }

    /// The backup of this name.
    ///
    /// # Errors
    /// 404.
    pub fn backup(&self, app: &App, name: &str) -> Result<Backup> {
        app.view(|view| self.row(view, name))
    }

    fn row(&self, view: &View<'_>, name: &str) -> Result<Backup, Abort> {
        let row = backups::get(view, self.of, self.id, &self.full_name(name))?;
        let missing = match self.of {
            Of::Instance => "Load backup from database: Instance backup not found",
            Of::Volume => "Storage volume backup not found",
        };
        Ok(row.ok_or_else(|| Error::not_found(missing))?)
    }

    /// A name for the next backup: `backup` and the number after the highest one.
    ///
    /// # Errors
    /// The database's.
    pub fn next_name(&self, app: &App) -> Result<String> {
        let base = self.full_name("backup");
        let numbers = self.backups(app)?.into_iter().filter_map(|backup| {
            let digits = backup.name.strip_prefix(&base)?.to_string();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse::<u64>().ok()
        });
        Ok(format!("backup{}", numbers.max().map_or(0, |highest| highest + 1)))
    }
}

/// The folder of all backups of a kind.
pub fn folder(app: &App, of: Of) -> PathBuf {
    app.dirs.var.join("backups").join(match of {
        Of::Instance => "instances",
        Of::Volume => "custom",
    })
}

/// A backup's own name, without its owner's.
pub fn short(backup: &Backup) -> &str {
    backup.name.split_once('/').map_or(backup.name.as_str(), |(_, name)| name)
}

/// Refuses names that no backup can have.
///
/// # Errors
/// 400, in LXD's words.
pub fn check_name(name: &str) -> Result<()> {
    if name.contains('/') {
        return Err(Error::invalid("Backup names may not contain slashes"));
    }
    if name.is_empty() || name == "." || name == ".." || name.contains('\0') || name.len() > 200 {
        return Err(Error::invalid(format!("Invalid backup name {name:?}: it must be able to name a file")));
    }
    Ok(())
}
