//! Looking at pools for volumes that the database does not know.

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Context, Error, Result};
use corten_api::storage_pool::StoragePoolsPost;
use corten_api::storage_pool_volume::StorageVolume;
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{instances, networks, profiles, projects, storage_pools, storage_volumes};
use corten_host::rooted::directory::Directory;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume};

use super::{Findings, UnknownVolume};
use crate::app::App;
use crate::app::backups::index::parse_config;
use crate::app::check::stored;
use crate::app::instances::{backup_file, metadata};
use crate::app::projects::Scope;
use crate::app::storage::create;
use crate::app::storage::pools::Pools;

/// A pool that was looked at.
pub struct Found {
    /// The pool, mounted.
    pub pool: Pool,
    /// What the client says of it.
    pub post: StoragePoolsPost,
    /// Whether the database knows it.
    pub known: bool,
    /// What is on it that the database does not know, with the project of each.
    pub unknown: Vec<(String, BackupConfig)>,
    /// Whether it is to be unmounted again, unless it is taken up.
    mounted_here: bool,
}

impl Drop for Found {
    fn drop(&mut self) {
        if self.mounted_here
            && !self.known
            && let Err(error) = self.pool.unmount()
        {
            tracing::warn!(pool = self.pool.name(), %error, "Failed to unmount a pool that was looked at");
        }
    }
}

/// Looks at all these pools.
///
/// # Errors
/// In LXD's words, when one of them cannot be had, or a volume's description does not fit the volume.
pub fn scan(app: &App, posts: &[StoragePoolsPost]) -> Result<Vec<Found>> {
    posts.iter().map(|post| one(app, post)).collect()
}

fn one(app: &App, post: &StoragePoolsPost) -> Result<Found> {
    let known = app.view(|view| Ok(storage_pools::get(view, &post.name)?))?.is_some();
    let pool = if known {
        Pools::get(app, &post.name)?
    } else {
        // One of this name may have been open before its row went.
        app.pools.remove(&post.name);
        let failed = |error: Error| error.context(format!("Failed to initialise unknown pool {:?}", post.name));
        create::check(post).map_err(failed)?;
        let opened = Pool::open(&post.driver, &post.name, &app.dirs.var, stored(&post.config));
        opened.map_err(|error| failed(error.into()))?
    };
    let mounted_here = !pool.is_reachable();
    if mounted_here {
        let failed = || format!("Failed mounting pool {:?}", post.name);
        pool.mount().map_err(|error| Error::from(error).context(failed()))?;
    }
    let mut found = Found { pool, post: post.clone(), known, unknown: Vec::new(), mounted_here };
    found.unknown = unknown(app, &found.pool)
        .map_err(|error| error.context(format!("Failed checking volumes on pool {:?}", post.name)))?;
    Ok(found)
}

fn unknown(app: &App, pool: &Pool) -> Result<Vec<(String, BackupConfig)>> {
    let mut found = Vec::new();
    for on_disk in pool.volumes(Kind::Container)? {
        let (project, name) = on_disk.rsplit_once('_').unwrap_or(("default", &on_disk));
        let rows = app.view(|view| {
            let instance = instances::id(view, project, name)?.is_some();
            let volume = storage_volumes::get(view, pool.name(), project, storage_volumes::CONTAINER, name)?.is_some();
            Ok((instance, volume))
        })?;
        let what = format!("Instance {name:?} in project {project:?}");
        match rows {
            (true, true) => {}
            (true, false) => return Err(Error::internal(format!("{what} already has instance DB record"))),
            (false, true) => return Err(Error::internal(format!("{what} already has storage DB record"))),
            (false, false) => {
                let volume = Volume::new(Kind::Container, on_disk.as_str());
                let config = described(pool, &volume)?;
                let problem = misfit(pool, name, &config, &pool.snapshots(&volume)?);
                if let Some(problem) = problem {
                    return Err(Error::internal(format!("{what} {problem}")));
                }
                found.push((project.to_string(), config));
            }
        }
    }
    for on_disk in pool.volumes(Kind::Custom)? {
        let Some((project, name)) = on_disk.split_once('_') else { continue };
        let row =
            app.view(|view| Ok(storage_volumes::get(view, pool.name(), project, storage_volumes::CUSTOM, name)?))?;
        if row.is_none() {
            found.push((project.to_string(), custom(pool, &on_disk, name)?));
        }
    }
    Ok(found)
}

/// What is written beside the root of an instance.
fn described(pool: &Pool, volume: &Volume) -> Result<BackupConfig> {
    let path = pool.path(volume);
    let failed = || format!("Failed parsing backup file {:?}", path.join(backup_file::NAME).display().to_string());
    let folder = Directory::open(&path).with_context(failed)?;
    let text = metadata::read_file(&folder, backup_file::NAME).with_context(failed)?;
    parse_config(&text).map_err(|error| error.context(failed()))
}

/// What does not fit between a volume and its description; the words are LXD's.
fn misfit(pool: &Pool, name: &str, config: &BackupConfig, on_disk: &[String]) -> Option<String> {
    if let Some(of) = &config.pool {
        if of.name != pool.name() {
            let (is, should) = (&of.name, pool.name());
            return Some(format!(
                "has pool name mismatch in its backup file ({is:?} doesn't match's pool's {should:?})"
            ));
        }
        if of.driver != pool.driver_name() {
            let (is, should) = (&of.driver, pool.driver_name());
            return Some(format!(
                "has pool driver mismatch in its backup file ({is:?} doesn't match's pool's {should:?})"
            ));
        }
    }
    let Some(instance) = &config.container else {
        return Some("has no instance information in its backup file".to_string());
    };
    if instance.name != name {
        return Some(format!("has a different instance name in its backup file ({:?})", instance.name));
    }
    if !matches!(instance.r#type.as_str(), "container" | "") {
        return Some(format!("has a different instance type in its backup file ({:?})", instance.r#type));
    }
    let Some(volume) = &config.volume else {
        return Some("has no volume information in its backup file".to_string());
    };
    if volume.name != name {
        return Some(format!("has a different volume name in its backup file ({:?})", volume.name));
    }
    if volume.r#type != "container" {
        return Some(format!("has a different volume type in its backup file ({:?})", volume.r#type));
    }
    let mut described: Vec<&str> = config.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    described.sort_unstable();
    (described != on_disk).then(|| "has snapshot inconsistency: Backup snapshots mismatch".to_string())
}

/// A custom volume has no description: it gets the keys that a new one would have.
fn custom(pool: &Pool, on_disk: &str, name: &str) -> Result<BackupConfig> {
    let snapshots = pool.snapshots(&Volume::new(Kind::Custom, on_disk))?;
    let content_type = "filesystem".to_string();
    let snapshot = |name: String| StorageVolumeSnapshot {
        name,
        content_type: content_type.clone(),
        ..StorageVolumeSnapshot::default()
    };
    Ok(BackupConfig {
        volume_snapshots: snapshots.into_iter().map(snapshot).collect(),
        volume: Some(StorageVolume {
            name: name.to_string(),
            r#type: "custom".to_string(),
            content_type: content_type.clone(),
            ..StorageVolume::default()
        }),
        ..BackupConfig::default()
    })
}

/// What was found, as the API shows it, and what is missing for it.
///
/// # Errors
/// The database's.
pub fn findings(app: &App, found: &[Found]) -> Result<Findings> {
    let missing = app.view(|view| missing(view, found))?;
    let mut unknown = Vec::new();
    for (pool, project, config) in all(found) {
        let (kind, name, snapshot_count) = match (&config.container, &config.volume) {
            (Some(instance), _) => ("container", instance.name.clone(), config.snapshots.len()),
            (None, volume) => {
                let name = volume.as_ref().map(|volume| volume.name.clone()).unwrap_or_default();
                ("volume", name, config.volume_snapshots.len())
            }
        };
        let (pool, project) = (pool.to_string(), project.to_string());
        unknown.push(UnknownVolume { name, r#type: kind.to_string(), snapshot_count, project, pool });
    }
    // Empty lists are null, as Go writes them.
    Ok(Findings {
        unknown: Some(unknown).filter(|unknown| !unknown.is_empty()),
        missing: Some(missing).filter(|missing| !missing.is_empty()),
    })
}

fn all(found: &[Found]) -> impl Iterator<Item = (&str, &str, &BackupConfig)> {
    found.iter().flat_map(|one| one.unknown.iter().map(|(project, config)| (one.pool.name(), project.as_str(), config)))
}

/// Projects, profiles and networks that must be made before.
fn missing(view: &View<'_>, found: &[Found]) -> Result<Vec<String>, Abort> {
    let mut missing: Vec<String> = Vec::new();
    let mut note = |text: String| {
        if !missing.contains(&text) {
            missing.push(text);
        }
    };
    for (_, project, config) in all(found) {
        let Some(row) = projects::get(view, project)? else {
            note(format!("Project {project:?}"));
            continue;
        };
        let Some(instance) = &config.container else { continue };
        let scope = Scope(row);
        for name in &instance.profiles {
            if profiles::id(view, scope.profiles(), name)?.is_none() {
                note(format!("Profile {name:?} in project {project:?}"));
            }
        }
        for device in instance.expanded_devices.values() {
            let is_nic = device.get("type").is_some_and(|kind| kind == "nic");
            let Some(network) = device.get("network").filter(|name| is_nic && !name.is_empty()) else { continue };
            if networks::get(view, scope.networks(), network)?.is_none() {
                note(format!("Network {network:?} in project {project:?}"));
            }
        }
    }
    Ok(missing)
}
