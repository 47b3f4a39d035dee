//! Volumes that users make as disks of containers: found, given the container's ids, and counted while they are used.

use corten_api::error::{Context, Error, Kind, Result, chain};
use corten_db::table::storage_volumes;
use corten_host::idmap::IdMap;
use corten_host::idmap::shift::{self, Change};
use corten_host::undo::Undo;
use corten_instance::device::VolumeSource;
use corten_instance::instance::{Config, Instance, is_true};
use corten_instance::step::{pass, step};
use corten_instance::volatile;

use super::custom::{Place, is_disk_of};
use super::pools::Pools;
use crate::app::App;
use crate::app::instances::{Instances, key};

/// The map by which the files of a volume are shifted on disk.
const LAST: &str = "volatile.idmap.last";
/// The map to which they are being shifted; differs from [`LAST`] only while that goes on, or after it was cut off.
const NEXT: &str = "volatile.idmap.next";

/// Where a disk's volume is, as the instance's project sees it. A source may say `custom/NAME` for the name.
///
/// # Errors
/// When the source is no custom volume, in LXD's words.
pub fn place(app: &App, instance: &Instance, pool: &str, source: &str) -> Result<Place> {
    let (kind, name) = source.split_once('/').unwrap_or(("custom", source));
    match kind {
        "custom" => {}
        "container" | "virtual-machine" => {
            return Err(Error::invalid("Using instance storage volumes is not supported"));
        }
        "image" => return Err(Error::invalid("Using image storage volumes is not supported")),
        other => return Err(Error::invalid(format!("Unknown storage type prefix {other:?} found"))),
    }
    let project = app.project(&instance.project)?.volumes().to_string();
    Ok(Place { pool: pool.to_string(), project, name: name.to_string() })
}

/// Refuses disks whose volume is not there, or is none that a container can have.
///
/// # Errors
/// In LXD's words, naming the device.
pub fn check(app: &App, instance: &Instance) -> Result<()> {
    for (name, device) in &instance.expanded_devices {
        if is_volume(device) {
            check_one(app, instance, device)
                .map_err(|error| error.context(format!("Invalid devices: Device validation failed for {name:?}")))?;
        }
    }
    Ok(())
}

/// A volume that is not there, as LXD says it of a device; its API has other words for it.
fn missing(error: Error) -> Error {
    let error = if error.kind == Kind::NotFound { Error::not_found("Storage volume not found") } else { error };
    error.context("Failed loading custom volume")
}

fn check_one(app: &App, instance: &Instance, device: &Config) -> Result<()> {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    let pool = get("pool");
    Pools::get(app, pool).map_err(|error| error.context(format!("Failed to get storage pool {pool:?}")))?;
    let place = place(app, instance, pool, get("source"))?;
    let row = app.view(|view| place.row(view)).map_err(missing)?;
    if storage_volumes::CONTENT_TYPES.get(usize::try_from(row.content).unwrap_or(0)) == Some(&"block") {
        return Err(Error::invalid("Custom block volumes cannot be used on containers"));
    }
    if get("path").is_empty() {
        return Err(Error::invalid("Custom filesystem volumes require a path to be defined"));
    }
    Ok(())
}

/// Whether a device is a disk with a custom volume.
fn is_volume(device: &Config) -> bool {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    get("type") == "disk" && !get("pool").is_empty() && !get("source").is_empty()
}

/// Makes a volume ready for a container and counts it as used; the way back goes to `undo`.
///
/// # Errors
/// When there is no such volume, it cannot be had, or its files belong to a container with other ids.
pub fn attach(app: &App, instance: &Instance, pool: &str, source: &str, undo: &mut Undo) -> Result<VolumeSource> {
    let place = place(app, instance, pool, source)?;
    let told = format!("Failed mounting storage volume {:?} of type \"custom\" on storage pool {pool:?}", place.name);
    let row = app.view(|view| place.row(view)).map_err(|error| error.context(&told))?;
    let (open, volume) = (Pools::get(app, pool)?, place.volume(&row.config));
    let lent = step(
        undo,
        "open the custom volume",
        || Ok(open.lend(&volume)?),
        |_| {
            let (open, volume) = (open.clone(), volume.clone());
            move || {
                open.release_root(&volume);
                Ok(())
            }
        },
    );
    let path = lent.map_err(|error| error.context(&told))?;
    let idmapped = give_ids(app, instance, &place, &path).map_err(|error| {
        error.context(format!(
            "Failed shifting storage volume {:?} of type \"custom\" on storage pool {pool:?}",
            place.name
        ))
    })?;
    Ok(VolumeSource { path, idmapped })
}

/// Lets go of a volume.
///
/// # Errors
/// When it cannot be found out which it was.
pub fn detach(app: &App, instance: &Instance, pool: &str, source: &str) -> Result<()> {
    let place = place(app, instance, pool, source)?;
    Pools::get(app, pool)?.release_root(&place.volume(&Config::new()));
    Ok(())
}

/// Counts the volumes of a container that runs on since the last daemon.
///
/// # Errors
/// When one of them is not there any more.
pub fn take_up(app: &App, instance: &Instance) -> Result<()> {
    for device in instance.expanded_devices.values().filter(|device| is_volume(device)) {
        let place = place(app, instance, &device["pool"], &device["source"])?;
        Pools::get(app, &place.pool)?.lend(&place.volume(&Config::new()))?;
    }
    Ok(())
}

/// The ids of an instance now, or at its next start.
fn ids(app: &App, instance: &Instance) -> Result<IdMap> {
    if let Some(entry) = app.instances.running.get(&key(instance)) {
        return Ok(entry.idmap.clone());
    }
    if instance.is_privileged() {
        return Ok(IdMap::default());
    }
    parsed(instance.volatile(volatile::IDMAP_NEXT))
}

fn parsed(json: &str) -> Result<IdMap> {
    IdMap::from_json(if json.is_empty() { "[]" } else { json }).map_err(|error| Error::internal(chain(&error)))
}

/// Makes the files of a volume the container's: on disk, or (`security.shifted`) by a mapped mount, which several
/// containers with different ids can have at once. Gives whether it is the latter.
fn give_ids(app: &App, instance: &Instance, place: &Place, path: &std::path::Path) -> Result<bool> {
    // Two containers that start at once must not both shift.
    let _turn = app.pools.shifting.take(&format!("{}/{}_{}", place.pool, place.project, place.name));
    let row = app.view(|view| place.row(view))?;
    let get = |key: &str| row.config.get(key).map_or("", String::as_str);
    if is_true(get("security.unmapped")) {
        return Ok(false);
    }
    let shifted = is_true(get("security.shifted"));
    let own = ids(app, instance)?;
    let wanted = if shifted { IdMap::default() } else { own.clone() };
    let (last, next) = (parsed(get(LAST))?, parsed(get(NEXT))?);
    let cut_off = !last.same_as(&next);
    if !last.same_as(&wanted) || cut_off {
        must_be_alone(app, instance, place, &wanted, shifted)?;
        remember(app, place, &[NEXT], &wanted)?;
        pass("shift the custom volume")?;
        let change = if cut_off { Change::resumed(&next, &last, &wanted) } else { Change::new(&last, &wanted) };
        shift::tree(path, &change).map(drop).context("Failed to change the owners of the files")?;
    }
    if !row.config.contains_key(LAST) || !last.same_as(&wanted) || cut_off {
        remember(app, place, &[NEXT, LAST], &wanted)?;
    }
    Ok(shifted && !own.is_empty())
}

fn remember(app: &App, place: &Place, keys: &[&str], map: &IdMap) -> Result<()> {
    let json = map.to_json();
    app.write(|tx| {
        let row = place.row(tx)?;
        for key in keys {
            storage_volumes::set_key(tx, row.id, key, Some(&json))?;
        }
        Ok(())
    })
}

/// Refuses to change the owners of files that another container has, or is to have, with other ids.
fn must_be_alone(app: &App, instance: &Instance, place: &Place, wanted: &IdMap, shifted: bool) -> Result<()> {
    for other in Instances::all(app, None)? {
        let has_it = other.expanded_devices.values().any(|device| is_disk_of(device, place));
        if other.id == instance.id || !has_it || app.project(&other.project)?.volumes() != place.project {
            continue;
        }
        let running = app.instances.running.get(&key(&other)).is_some();
        if shifted && !running {
            continue;
        }
        if shifted || !ids(app, &other)?.same_as(wanted) {
            let (name, volume) = (&other.name, &place.name);
            return Err(Error::internal(format!(
                "Idmaps of container {name:?} and storage volume {volume:?} are not identical"
            )));
        }
    }
    Ok(())
}
