//! Creating an instance: the decision (names, keys, devices, pool) is one transaction, the volume follows, or all of
//! it is taken back.

pub mod request;

use std::collections::BTreeSet;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance::InstancesPost;
use corten_api::time::Time;
use corten_config::entity::Guest as Kind;
use corten_db::error::Abort;
use corten_db::table::{architecture, images, instances, projects, storage_pools, storage_volumes};
use corten_db::{Tx, View};
use corten_host::undo::Undo;
use corten_instance::device::nic;
use corten_instance::instance::{Config, Instance, only_root_disk};
use corten_instance::lifecycle::admission::{Action, Observed};
use corten_instance::step::{pass, step};
use corten_instance::{name, volatile};
use corten_storage::fill::Fill;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;
use serde_json::Value;

use super::claims::Taken;
use super::copy::Source;
use super::find::{expand, profile_project, profiles_in_order};
use super::intent::{self, Intent};
use super::{backup_file, devices, ids, links, root, snapshots, unprivileged};
use crate::app::App;
use crate::app::images::find::seen_from;
use crate::app::images::source::{Ready, Wanted};
use crate::app::migration::incoming::Incoming;
use crate::app::migration::rows::Rows;
use crate::app::projects::allow;
use crate::app::projects::holdings::Guest;
use crate::app::projects::restrictions::is_safe;
use crate::app::storage::pools::Pools;
use crate::app::storage::{attach, image_volumes};

/// What the new instance is filled with.
pub enum Origin {
    /// Nothing: an empty root.
    Nothing,
    /// An image that is at hand.
    Image(Box<Ready>),
    /// Another instance, or a snapshot of one.
    Copy(Box<Source>),
    /// An instance of another server.
    Migration(Arc<Incoming>),
}

/// Refuses what the limits and restrictions of the project do not let a client do, before anything is fetched for it.
/// A copy loses the keys that nobody may set there.
///
/// # Errors
/// In LXD's words.
pub fn must_be_allowed(app: &App, project: &str, post: &mut InstancesPost, image: Option<&Wanted>) -> Result<()> {
    let scope = app.project(project)?;
    let copies = matches!(post.source.r#type.as_str(), "copy" | "migration");
    if copies && app.view(|view| allow::strips_volatile_keys(view, project, Guest::Container))? {
        post.config.retain(|key, _| is_safe(key));
    }
    app.view(|view| {
        let of_image = match image {
            Some(Wanted::Local(fingerprint)) => images::get(view, scope.images(), fingerprint)?,
            _ => None,
        };
        let of_image = of_image.map(|image| seen_from(view, &scope, image)).transpose()?;
        let profiles = post.profiles.clone().or_else(|| of_image.map(|image| image.profiles));
        let profiles = profiles.unwrap_or_else(|| vec!["default".to_string()]);
        let new = allow::member(&post.name, &profiles, &post.config, &post.devices);
        allow::volatile_keys(view, project, &new, &Config::new())?;
        allow::new_instance(view, project, &new)
    })
}

/// Refuses names, keys and devices that no container can have, in LXD's words.
fn check_record(app: &App, post: &InstancesPost) -> Result<()> {
    corten_config::name::check_instance(&post.name)?;
    corten_config::check(corten_config::Entity::Instance(Kind::Container), &post.config)?;
    unprivileged::check(&post.config)?;
    super::update::check_devices(app, &post.devices).map_err(initialising)
}

fn initialising(error: Error) -> Error {
    error.context("Failed initialising instance")
}

/// The name of the new instance: the one asked for, or one of ours.
///
/// # Errors
/// Those of the database.
pub fn choose_name(app: &App, project: &str, asked: &str) -> Result<String> {
    if !asked.is_empty() {
        return Ok(asked.to_string());
    }
    let names = app.view(|view| Ok(instances::names(view, Some(project))?))?;
    name::generate(&names.into_iter().map(|(_, name, _)| name).collect::<BTreeSet<_>>())
}

/// Makes the instance `post.name` of `project`.
///
/// # Errors
/// In LXD's words; nothing is left then.
pub fn create(
    app: &Arc<App>,
    project: &str,
    post: &InstancesPost,
    origin: &Origin,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let key = (project.to_string(), post.name.clone());
    let Taken::Go(claim) = app.instances.claims.take(&key, Action::Create, || Ok(Observed::Stopped))? else {
        return Ok(());
    };
    let outcome = make(app, project, post, origin, requestor);
    claim.end(outcome)
}

fn make(
    app: &Arc<App>,
    project: &str,
    post: &InstancesPost,
    origin: &Origin,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let mut undo = Undo::default();
    let recording = |error: Error| error.context("Failed creating instance record");
    check_record(app, post).map_err(recording)?;
    let planned = plan(app, project, post, origin).map_err(recording)?;
    devices::validate(app, &planned, planned.expanded_devices.keys()).map_err(initialising).map_err(recording)?;
    let key = super::key(&planned);
    let mark = planned.volatile(volatile::UUID).to_string();
    intent::note(app, &key, &Intent::Create(mark), &mut undo)?;
    let instance = step(
        &mut undo,
        "remember the instance",
        || record(app, &planned, origin).map_err(recording),
        |instance: &Instance| {
            let (app, instance) = (app.clone(), instance.clone());
            move || forget(&app, &instance)
        },
    )?;
    fill(app, &instance, origin, &mut undo)?;
    link(app, &instance, &mut undo)?;
    pass("describe the instance")?;
    backup_file::write(app, &instance)?;
    pass("announce the instance")?;
    undo.keep();
    intent::done(app, &key)?;
    let source = corten_api::url::path_in(project, ["instances", &instance.name]);
    let pool = instance.pool().unwrap_or_default().to_string();
    let context = [("storage-pool", Value::from(pool)), ("type", Value::from("container"))];
    app.lifecycle_with(project, "instance-created", &source, requestor.cloned(), context);
    let along: Vec<String> = match origin {
        Origin::Copy(source) => source.along.iter().map(|snapshot| snapshot.name.clone()).collect(),
        Origin::Migration(incoming) => incoming.names(),
        Origin::Nothing | Origin::Image(_) => Vec::new(),
    };
    for name in along {
        snapshots::tell(app, &instance, &name, "instance-snapshot-created", requestor);
    }
    Ok(())
}

/// The instance as it will be remembered, but for what the database decides.
fn plan(app: &App, project: &str, post: &InstancesPost, origin: &Origin) -> Result<Instance> {
    let mut config = post.config.clone();
    let mut names = post.profiles.clone();
    let mut arch = post.architecture.clone();
    if let Origin::Image(image) = origin {
        config.extend(image.properties.iter().map(|(key, value)| (format!("image.{key}"), value.clone())));
        config.insert(volatile::BASE_IMAGE.to_string(), image.fingerprint.clone());
        names = names.or_else(|| Some(image.profiles.clone()));
        arch.clone_from(&image.architecture);
    }
    if arch.is_empty() {
        arch.clone_from(&app.host.architecture);
    }
    if !app.host.architectures.contains(&arch) {
        return Err(Error::invalid(format!("Requested architecture {arch:?} isn't supported by this host")));
    }
    let profiles = names.unwrap_or_else(|| vec!["default".to_string()]);
    let mut instance = Instance {
        project: project.to_string(),
        name: post.name.clone(),
        architecture: arch,
        ephemeral: post.ephemeral,
        description: post.description.clone(),
        created: Time::now(),
        config,
        devices: post.devices.clone(),
        profiles,
        ..Instance::default()
    };
    let (config, devices) = app.view(|view| expanded(view, &instance))?;
    (instance.expanded_config, instance.expanded_devices) = (config, devices);
    attach::check(app, &instance)
        .map_err(|error| error.context("Failed creating instance record: Failed initialising instance"))?;
    let own = volatile_keys(app, &instance, origin)?;
    for config in [&mut instance.config, &mut instance.expanded_config] {
        config.extend(own.clone());
    }
    Ok(instance)
}

/// Everything that the profiles and the instance say together.
///
/// # Errors
/// When the project or a profile is not there.
pub(super) fn expanded(
    view: &View<'_>,
    instance: &Instance,
) -> Result<(Config, corten_instance::instance::Devices), Abort> {
    if projects::get(view, &instance.project)?.is_none() {
        return Err(Error::not_found("Project not found").into());
    }
    let holder = profile_project(view, &instance.project)?;
    let profiles = profiles_in_order(view, &holder, &instance.profiles, request::no_such_profile)?;
    Ok(expand(&instance.config, &instance.devices, profiles.iter()))
}

/// The pool that an instance will be on which is made as `post` says.
///
/// # Errors
/// When it has no root disk, or there is no such pool.
pub fn planned_pool(app: &App, project: &str, post: &InstancesPost) -> Result<Pool> {
    let instance = Instance {
        project: project.to_string(),
        name: post.name.clone(),
        devices: post.devices.clone(),
        profiles: post.profiles.clone().unwrap_or_else(|| vec!["default".to_string()]),
        ..Instance::default()
    };
    let (_, devices) = app.view(|view| expanded(view, &instance))?;
    let (_, disk) = only_root_disk(&devices).map_err(|error| error.context("Failed getting root disk"))?;
    Pools::get(app, disk.get("pool").map_or("", String::as_str))
}

/// The volatile keys that an instance begins with.
fn volatile_keys(app: &App, instance: &Instance, origin: &Origin) -> Result<Config> {
    let (map, base) = ids::choose(app, instance)?;
    let mut keys = Config::from([
        (volatile::UUID.to_string(), volatile::new_uuid()?),
        (volatile::INSTANCE_ID.to_string(), volatile::new_uuid()?),
        (volatile::IDMAP_BASE.to_string(), base.to_string()),
        (volatile::IDMAP_NEXT.to_string(), map.to_json()),
        (volatile::IDMAP_ON_DISK.to_string(), "[]".to_string()),
        (volatile::APPLY_TEMPLATE.to_string(), "create".to_string()),
    ]);
    if matches!(origin, Origin::Copy(_)) {
        // The files are those of the source, and so are the ids that they carry.
        keys.remove(volatile::IDMAP_ON_DISK);
    }
    if matches!(origin, Origin::Copy(_) | Origin::Migration(_)) {
        keys.insert(volatile::APPLY_TEMPLATE.to_string(), "copy".to_string());
    }
    keys.extend(nic::new_keys(instance)?);
    // Who moves an instance here brings its identity along.
    let is_given = |key: &str| {
        let identity = key == volatile::UUID || key == volatile::INSTANCE_ID;
        identity && instance.config.get(key).is_some_and(|value| !value.is_empty())
    };
    keys.retain(|key, _| !is_given(key));
    Ok(keys)
}

/// Writes the rows of the instance and its volume in one decision; gives the instance with its number.
fn record(app: &App, planned: &Instance, origin: &Origin) -> Result<Instance> {
    let root = only_root_disk(&planned.expanded_devices);
    let (_, disk) = root.map_err(|error| error.context("Failed initialising instance: Failed getting root disk"))?;
    let pool = disk.get("pool").cloned().unwrap_or_default();
    let rows = match origin {
        Origin::Migration(incoming) => Some(Rows::of(app, planned, incoming)?),
        _ => None,
    };
    let id = app.write(|tx| insert_from(tx, planned, &pool, origin, rows.as_ref()))?;
    // As it will be read again: LXD's word for "never used" is the epoch.
    let last_used = if planned.last_used.is_never() { Time::from_unix(0, 0) } else { planned.last_used };
    Ok(Instance { id, last_used, ..planned.clone() })
}

/// Writes the rows of an instance and its volume on `pool`, and gives the instance's number.
///
/// # Errors
/// When the name is taken, the project does not let it be, or there is no such pool.
pub fn insert(tx: &mut Tx<'_>, planned: &Instance, pool: &str) -> Result<i64, Abort> {
    insert_from(tx, planned, pool, &Origin::Nothing, None)
}

fn insert_from(
    tx: &mut Tx<'_>,
    planned: &Instance,
    pool: &str,
    origin: &Origin,
    rows: Option<&Rows>,
) -> Result<i64, Abort> {
    if instances::id(tx, &planned.project, &planned.name)?.is_some() {
        let words = "Add instance info to the database: This \"instances\" entry already exists";
        return Err(Error::conflict(words).into());
    }
    allow::new_instance(tx, &planned.project, &allow::member_of(planned))?;
    let holder = profile_project(tx, &planned.project)?;
    let Some(pool) = storage_pools::get(tx, pool)? else {
        return Err(Error::not_found(
            "Failed initialising instance: Failed loading storage pool: Storage pool not found",
        )
        .into());
    };
    let row = instances::Instance {
        id: 0,
        project: planned.project.clone(),
        name: planned.name.clone(),
        kind: instances::CONTAINER,
        architecture: architecture::id(&planned.architecture).unwrap_or_default(),
        ephemeral: planned.ephemeral,
        created: planned.created.timestamp(),
        stateful: false,
        last_used: (!planned.last_used.is_never()).then(|| planned.last_used.timestamp()),
        description: planned.description.clone(),
        profiles: planned.profiles.clone(),
        config: planned.config.clone(),
        devices: planned.devices.clone(),
    };
    let id = instances::insert(tx, &row, &holder)?;
    let (description, config) = match (origin, rows) {
        (Origin::Copy(source), _) => source.volume_row(tx)?,
        (_, Some(rows)) => rows.volume.clone(),
        _ => (String::new(), Config::new()),
    };
    let volume = storage_volumes::Volume {
        id: 0,
        pool_id: pool.id,
        pool: pool.name.clone(),
        project: planned.project.clone(),
        name: planned.name.clone(),
        kind: storage_volumes::CONTAINER,
        content: 0,
        description,
        config,
    };
    let volume = storage_volumes::insert(tx, &volume)?;
    match origin {
        Origin::Nothing | Origin::Migration(_) => {}
        Origin::Image(image) => images::set_last_used(tx, image.id, planned.created.timestamp())?,
        Origin::Copy(source) => source.insert_along(tx, planned, id, volume)?,
    }
    if let Some(rows) = rows {
        rows.insert_snapshots(tx, id, volume)?;
    }
    Ok(id)
}

/// Removes the rows again.
///
/// # Errors
/// The database's.
pub fn forget(app: &App, instance: &Instance) -> Result<()> {
    app.take_away(|tx| {
        if let Some(volume) = storage_volumes::of_instance(tx, &instance.project, &instance.name)? {
            storage_volumes::delete(tx, volume.id)?;
        }
        instances::delete(tx, &instance.project, &instance.name)?;
        Ok(())
    })
}

/// Makes the volume of the instance.
fn fill(app: &Arc<App>, instance: &Instance, origin: &Origin, undo: &mut Undo) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    let watch = corten_archive::watch::Watch::default();
    pass("make the volume")?;
    let made = match origin {
        Origin::Nothing => pool.create_volume(&volume, &Fill::Empty, &watch)?,
        Origin::Image(image) => {
            image_volumes::ensure(app, &pool, &image.fingerprint, &image.files, &watch)?;
            let fill = Fill::Image { fingerprint: &image.fingerprint, files: &image.files };
            pool.create_volume(&volume, &fill, &watch)
                .map_err(|error| corten_api::error::Error::from(error).context("Failed creating instance from image"))?
        }
        Origin::Copy(source) => source.fill(app, &pool, &volume)?,
        Origin::Migration(incoming) => {
            let mut receive = |name: Option<&str>, landing: &_| Ok(incoming.receive(name, landing)?);
            pool.receive_volume(&volume, &incoming.names(), &mut receive)?
        }
    };
    undo.absorb(made);
    limit(instance, &pool, &volume)
}

/// Limits a new volume to the size that the instance's root disk says.
///
/// # Errors
/// Why it cannot be limited.
pub(super) fn limit(instance: &Instance, pool: &Pool, volume: &Volume) -> Result<()> {
    let size =
        instance.root_disk().and_then(|(_, disk)| disk.get("size")).map(|size| corten_instance::size::bytes(size));
    if let Some(size) = size.transpose()? {
        pool.set_quota(volume, Some(size))?;
    }
    Ok(())
}

/// Makes `containers/NAME` lead to the volume.
///
/// # Errors
/// What the kernel says.
pub fn link(app: &Arc<App>, instance: &Instance, undo: &mut Undo) -> Result<()> {
    let pool = Pools::get(app, instance.pool().unwrap_or_default())?;
    let (project, name) = super::key(instance);
    step(
        undo,
        "link the volume",
        || links::set(app, &project, &name, &pool),
        |()| {
            let (app, project, name) = (app.clone(), project.clone(), name.clone());
            move || links::remove(&app, &project, &name)
        },
    )
}
