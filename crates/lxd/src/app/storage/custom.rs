//! Volumes that users make: created, changed, renamed, copied and removed.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::StorageVolumesPost;
use corten_archive::watch::Watch;
use corten_config::entity::{self, Entity};
use corten_config::{name as names, storage};
use corten_db::error::Abort;
use corten_db::table::storage_volumes::{self, CUSTOM};
use corten_db::table::{Config, Devices, devices, instances, profiles, volume_snapshots};
use corten_db::{Tx, View};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_storage::fill::Fill;
use corten_storage::pool::Pool;
use corten_storage::volume::{Content, Kind, Volume, storage_name};
use serde::{Deserialize, Serialize};

use super::meant::{self, Meant};
use super::pools::Pools;
use super::volumes::{Users, row};
use crate::app::check::stored;
use crate::app::projects::{allow, scope_in};
use crate::app::settings::is_true;
use crate::app::{App, backups};

/// A custom volume: its pool, the project that holds it, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the pool.
    pub pool: String,
    /// The project that holds the volume.
    pub project: String,
    /// Name of the volume.
    pub name: String,
}

impl Place {
    /// The volume on its pool.
    pub fn volume(&self, config: &Config) -> Volume {
        let mut volume = Volume::new(Kind::Custom, storage_name(Kind::Custom, &self.project, &self.name));
        volume.config.clone_from(config);
        volume
    }

    /// The volume and, where the name is that of a snapshot (`VOLUME/SNAPSHOT`), the snapshot's own name.
    pub fn parts(&self) -> (Place, Option<&str>) {
        match self.name.split_once('/') {
            Some((volume, snapshot)) => (Place { name: volume.to_string(), ..self.clone() }, Some(snapshot)),
            None => (self.clone(), None),
        }
    }

    /// The volume's row.
    ///
    /// # Errors
    /// 404.
    pub fn row(&self, view: &View<'_>) -> Result<storage_volumes::Volume, Abort> {
        row(view, &self.pool, &self.project, CUSTOM, &self.name)
    }
}

/// The keys of a volume, with what its pool gives all volumes, or why it cannot have them.
fn checked(pool: &Pool, place: &Place, config: &Config) -> Result<Config> {
    let name = storage_name(Kind::Custom, &place.project, &place.name);
    let facts = storage::Volume { driver: pool.driver_name(), kind: "custom", content: "filesystem", name: &name };
    let config = storage::with_pool_defaults(&facts, &stored(config), &pool.config());
    entity::check(Entity::Volume(&facts), &config)?;
    if ["security.unmapped", "security.shifted"].iter().all(|key| config.get(*key).is_some_and(|value| is_true(value)))
    {
        return Err(Error::invalid("security.unmapped and security.shifted are mutually exclusive"));
    }
    Ok(config)
}

fn size(config: &Config) -> Result<Option<u64>> {
    config.get("size").filter(|size| !size.is_empty()).map(|size| corten_instance::size::bytes(size)).transpose()
}

/// Makes a volume, empty or (with `source`) as a copy of a volume with its snapshots, or of a snapshot.
///
/// # Errors
/// 400 for what is not right, 404 when pool or source is not there, 409 when the name is taken; nothing is left then.
pub fn create(app: &Arc<App>, place: &Place, new: &StorageVolumesPost, source: Option<&Place>) -> Result<()> {
    names::check_volume(&place.name)?;
    match Content::from_api_name(if new.content_type.is_empty() { "filesystem" } else { &new.content_type }) {
        Some(Content::Filesystem) => {}
        Some(Content::Block) => {
            return Err(Error::not_implemented("Custom volumes of content type \"block\" are not there yet"));
        }
        None => return Err(Error::invalid(format!("Invalid volume content type name {:?}", new.content_type))),
    }
    let watch = Watch::default();
    let Some(source) = source else {
        let made = New { description: &new.description, config: &new.config, snapshots: &[] };
        return make(app, place, &made, &Fill::Empty, &watch);
    };
    let (parent, snapshot) = source.parts();
    let (row, mut along) = app.view(|view| {
        let row = parent.row(view)?;
        let along = volume_snapshots::of_volume(view, row.id)?;
        Ok((row, along))
    })?;
    let mut original = parent.volume(&row.config);
    let mut keys = row.config;
    if let Some(name) = snapshot {
        let taken = along.iter().find(|one| one.name == name);
        let taken = taken.ok_or_else(|| Error::not_found("Storage pool volume not found"))?;
        keys.clone_from(&taken.config);
        original = original.snapshot(name);
    }
    if snapshot.is_some() || new.source.volume_only {
        along.clear();
    }
    let names: Vec<String> = along.iter().map(|snapshot| snapshot.name.clone()).collect();
    let config = if new.config.is_empty() { &keys } else { &new.config };
    let made = New { description: &new.description, config, snapshots: &along };
    let other = Pools::get(app, &source.pool)?;
    make(app, place, &made, &Fill::Copy { pool: &other, source: &original, snapshots: &names, like: None }, &watch)
}

/// What is to be remembered of a new volume.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// Free text.
    pub description: &'a str,
    /// Its keys.
    pub config: &'a Config,
    /// Its snapshots, oldest first.
    pub snapshots: &'a [volume_snapshots::VolumeSnapshot],
}

/// Makes a volume that begins with `fill`.
///
/// # Errors
/// 400 for what is not right, 409 when the name is taken; nothing is left then.
pub fn make(app: &Arc<App>, place: &Place, new: &New<'_>, fill: &Fill<'_>, watch: &Watch<'_>) -> Result<()> {
    make_by(app, place, new, |pool, volume| Ok(pool.create_volume(volume, fill, watch)?))
}

/// As [`make`], of a volume that `fill` puts on its pool.
///
/// # Errors
/// As [`make`].
pub fn make_by(
    app: &Arc<App>,
    place: &Place,
    new: &New<'_>,
    fill: impl FnOnce(&Pool, &Volume) -> Result<Undo>,
) -> Result<()> {
    names::check_volume(&place.name)?;
    let pool = Pools::get(app, &place.pool)?;
    let config = checked(&pool, place, new.config)?;
    let _turn = meant::turn(app, place);
    app.view(|view| must_be_free(view, place))?;
    let mut undo = Undo::default();
    meant::note(app, place, &Meant::Create, &mut undo)?;
    step(
        &mut undo,
        "remember the volume",
        || remember(app, place, new.description, &config, new.snapshots),
        |id| {
            let (app, id) = (app.clone(), *id);
            move || app.take_away(|tx| Ok(storage_volumes::delete(tx, id)?))
        },
    )?;
    let volume = place.volume(&config);
    pass("make the volume")?;
    undo.absorb(fill(&pool, &volume)?);
    if let Some(size) = size(&config)? {
        pool.set_quota(&volume, Some(size))?;
    }
    undo.keep();
    meant::done(app, place)
}

fn remember(
    app: &App,
    place: &Place,
    description: &str,
    config: &Config,
    snapshots: &[volume_snapshots::VolumeSnapshot],
) -> Result<i64> {
    app.write(|tx| {
        must_be_free(tx, place)?;
        allow::volume(tx, &place.project, &place.name, config)?;
        let pool = super::change::row(tx, &place.pool)?;
        let volume = storage_volumes::Volume {
            id: 0,
            pool_id: pool.id,
            pool: pool.name,
            project: place.project.clone(),
            name: place.name.clone(),
            kind: CUSTOM,
            content: 0,
            description: description.to_string(),
            config: config.clone(),
        };
        let id = storage_volumes::insert(tx, &volume)?;
        for snapshot in snapshots {
            volume_snapshots::insert(
                tx,
                id,
                &snapshot.name,
                &snapshot.description,
                snapshot.expires,
                &snapshot.config,
            )?;
        }
        Ok(id)
    })
}

fn must_be_free(view: &View<'_>, place: &Place) -> Result<(), Abort> {
    if storage_volumes::get(view, &place.pool, &place.project, CUSTOM, &place.name)?.is_some() {
        return Err(Error::conflict("Volume by that name already exists").into());
    }
    Ok(())
}

/// Replaces description and keys.
///
/// # Errors
/// 404, 400 for keys that the volume cannot have, or why they cannot be applied.
pub fn update(app: &App, place: &Place, description: &str, config: &Config) -> Result<()> {
    let pool = Pools::get(app, &place.pool)?;
    let old = app.view(|view| place.row(view))?;
    let mut config = checked(&pool, place, config)?;
    let is_on = |config: &Config, key: &str| config.get(key).is_some_and(|value| is_true(value));
    if is_on(&old.config, "security.shifted") != is_on(&config, "security.shifted")
        && pool.is_running(&place.volume(&config))
    {
        return Err(Error::internal("Cannot modify shifting with running instances using the volume"));
    }
    if is_on(&config, "security.unmapped") {
        config.retain(|key, _| !key.starts_with("volatile.idmap."));
    }
    app.view(|view| allow::volume(view, &place.project, &place.name, &config))?;
    let (before, after) = (size(&old.config)?, size(&config)?);
    let volume = place.volume(&config);
    if before != after {
        pool.set_quota(&volume, after)?;
    }
    let saved = app.write(|tx| {
        let row = place.row(tx)?;
        allow::volume(tx, &place.project, &place.name, &config)?;
        Ok(storage_volumes::update(tx, row.id, description, &config)?)
    });
    if saved.is_err() && before != after {
        // The old limit was good a moment ago.
        let _ = pool.set_quota(&volume, before);
    }
    saved
}

/// Renames a volume; instances and profiles that have it as a disk follow.
///
/// # Errors
/// 404, 400 for a bad name, 409 when it is taken, or while a running instance uses the volume.
pub fn rename(app: &Arc<App>, place: &Place, new: &str) -> Result<()> {
    names::check_volume(new)?;
    let to = Place { name: new.to_string(), ..place.clone() };
    let pool = Pools::get(app, &place.pool)?;
    let _turn = meant::turn(app, place);
    let row = app.view(|view| {
        must_be_free(view, &to)?;
        place.row(view)
    })?;
    must_not_run(app, place)?;
    let mut undo = Undo::default();
    meant::note(app, place, &Meant::Rename(new.to_string()), &mut undo)?;
    undo.absorb(pool.rename_volume(&place.volume(&row.config), &to.volume(&row.config).name)?);
    let (kept, kept_after) = (backups::Owner::volume(app, place, &row), backups::Owner::volume(app, &to, &row));
    backups::change::link_under(app, &kept, &kept_after, &mut undo)?;
    pass("remember the new name")?;
    app.write(|tx| {
        must_be_free(tx, &to)?;
        let row = place.row(tx)?;
        storage_volumes::rename(tx, row.id, new)?;
        backups::change::rename_rows(tx, &kept, &kept_after)?;
        follow(tx, place, &to)
    })?;
    undo.keep();
    backups::change::unlink(&kept);
    meant::done(app, place)
}

/// Whether a device is a disk of this volume.
pub fn is_disk_of(device: &Config, place: &Place) -> bool {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    let source = get("source");
    let name = source.strip_prefix("custom/").unwrap_or(source);
    get("type") == "disk" && get("pool") == place.pool && name == place.name
}

/// Refuses to change a volume that a running instance has.
///
/// # Errors
/// In LXD's words.
pub fn must_not_run(app: &App, place: &Place) -> Result<()> {
    for instance in crate::app::instances::Instances::all(app, None)? {
        if !instance.expanded_devices.values().any(|device| is_disk_of(device, place)) {
            continue;
        }
        let sees_it = app.project(&instance.project)?.volumes() == place.project;
        let key = crate::app::instances::key(&instance);
        if sees_it && app.instances.running.get(&key).is_some() {
            return Err(Error::internal("Volume is still in use by running instances"));
        }
    }
    Ok(())
}

/// Moves a volume with its snapshots to another pool or project. Instances and profiles that have it as a disk follow
/// to another pool; another project's volumes are none of theirs.
///
/// # Errors
/// As [`create`], and while a running instance uses the volume. When only the old one cannot be removed both are there.
pub fn relocate(app: &Arc<App>, place: &Place, to: &Place) -> Result<()> {
    let turn = meant::turn(app, place);
    let row = app.view(|view| {
        must_be_free(view, to)?;
        place.row(view)
    })?;
    must_not_run(app, place)?;
    let mut undo = Undo::default();
    meant::note(app, place, &Meant::Move(to.clone()), &mut undo)?;
    let same = StorageVolumesPost { description: row.description, config: row.config, ..StorageVolumesPost::default() };
    create(app, to, &same, Some(place))?;
    undo.keep();
    leave(app, place, to)?;
    drop(turn);
    meant::done(app, place)
}

/// Ends a move: those who have the volume follow, and it goes from where it was.
///
/// # Errors
/// When only the old one cannot be removed both are there.
pub fn leave(app: &App, place: &Place, to: &Place) -> Result<()> {
    if place.project == to.project {
        app.take_away(|tx| follow(tx, place, to))?;
    }
    let row = app.view(|view| {
        let row = place.row(view)?;
        must_be_unused(view, place, &row)?;
        Ok(row)
    })?;
    remove_parts(app, place, &row).map(drop)
}

/// Changes the devices that name a volume.
fn follow(tx: &mut Tx<'_>, place: &Place, to: &Place) -> Result<(), Abort> {
    for instance in instances::list(tx, None)? {
        if scope_in(tx, &instance.project)?.volumes() == place.project
            && let Some(changed) = followed(&instance.devices, place, to)
        {
            devices::INSTANCE.replace(tx, instance.id, &changed)?;
        }
    }
    for profile in profiles::list(tx, None)? {
        if scope_in(tx, &profile.project)?.volumes() == place.project
            && let Some(changed) = followed(&profile.devices, place, to)
        {
            profiles::update(tx, profile.id, &profile.description, &profile.config, &changed)?;
        }
    }
    Ok(())
}

/// The devices with the new place of a volume; `None` when none of them has it.
fn followed(devices: &Devices, place: &Place, to: &Place) -> Option<Devices> {
    let mut changed = devices.clone();
    for device in changed.values_mut().filter(|device| is_disk_of(device, place)) {
        device.insert("pool".to_string(), to.pool.clone());
        device.insert("source".to_string(), to.name.clone());
    }
    (changed != *devices).then_some(changed)
}

/// Removes a volume that nobody uses, with its snapshots, whose names it gives.
///
/// # Errors
/// 404, 400 while it is used, or what could not be removed.
pub fn delete(app: &App, place: &Place) -> Result<Vec<String>> {
    let _turn = meant::turn(app, place);
    let row = app.view(|view| {
        let row = place.row(view)?;
        must_be_unused(view, place, &row)?;
        Ok(row)
    })?;
    let mut undo = Undo::default();
    meant::note_if_possible(app, place, &Meant::Delete, &mut undo);
    let removed = remove_parts(app, place, &row);
    if removed.is_ok() || is_torn(app, place, &row) {
        // What is gone does not come back: should the rest have failed, the next daemon ends it.
        undo.keep();
    }
    let snapshots = removed?;
    meant::done(app, place)?;
    Ok(snapshots)
}

/// Whether something of a volume is remembered and not there.
fn is_torn(app: &App, place: &Place, row: &storage_volumes::Volume) -> bool {
    let volume = place.volume(&row.config);
    let snapshots = app.view(|view| Ok(volume_snapshots::of_volume(view, row.id)?)).unwrap_or_default();
    let mut parts = std::iter::once(volume.clone()).chain(snapshots.iter().map(|one| volume.snapshot(&one.name)));
    Pools::get(app, &place.pool).is_ok_and(|pool| parts.any(|part| !pool.has_volume(&part)))
}

fn must_be_unused(view: &View<'_>, place: &Place, row: &storage_volumes::Volume) -> Result<(), Abort> {
    if Users::look(view)?.of(view, row, &place.project)?.is_empty() {
        return Ok(());
    }
    Err(Error::invalid("The storage volume is still in use").into())
}

/// Removes all that there is of a volume, its row last; gives the names of its snapshots.
///
/// # Errors
/// What could not be removed.
pub fn remove_parts(app: &App, place: &Place, row: &storage_volumes::Volume) -> Result<Vec<String>> {
    let pool = Pools::get(app, &place.pool)?;
    let snapshots = app.view(|view| Ok(volume_snapshots::of_volume(view, row.id)?))?;
    backups::change::delete_all(app, &backups::Owner::volume(app, place, row))?;
    let volume = place.volume(&row.config);
    for snapshot in &snapshots {
        pool.delete_snapshot(&volume, &snapshot.name)?;
        app.take_away(|tx| Ok(volume_snapshots::delete(tx, snapshot.id)?))?;
    }
    pool.delete_volume(&volume)?;
    app.take_away(|tx| Ok(storage_volumes::delete(tx, row.id)?))?;
    Ok(snapshots.into_iter().map(|snapshot| snapshot.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_follow_their_volume() {
        let device = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let place = |pool: &str, name: &str| Place {
            pool: pool.to_string(),
            project: "default".to_string(),
            name: name.to_string(),
        };
        let disk = device(&[("type", "disk"), ("pool", "p"), ("source", "v"), ("path", "/x")]);
        let nic = device(&[("type", "nic"), ("pool", "p"), ("source", "v")]);
        let all = Devices::from([("d".to_string(), disk), ("n".to_string(), nic.clone())]);
        let moved = followed(&all, &place("p", "v"), &place("q", "w")).expect("a disk has it");
        assert_eq!(moved["d"], device(&[("type", "disk"), ("pool", "q"), ("source", "w"), ("path", "/x")]));
        assert_eq!(moved["n"], nic);
        assert_eq!(followed(&all, &place("p", "other"), &place("q", "w")), None);
    }
}
