//! Remembering an instance that comes with a description of its own: from a backup, or from a pool.

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result};
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::time::Time;
use corten_config::entity::{self, Entity};
use corten_config::storage;
use corten_db::error::Abort;
use corten_db::table::{Config, profiles, snapshots, storage_pools, storage_volumes, volume_snapshots};
use corten_db::{Tx, View};
use corten_instance::instance::{Devices, Instance};
use corten_instance::{idmap, volatile};
use corten_storage::pool::Pool;

use super::root_device::with_root_disk;
use crate::app::App;
use crate::app::check::stored;
use crate::app::instances::find::{expand, profile_project};
use crate::app::instances::{Instances, create, update};

/// An instance with its snapshots, not remembered yet.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// The instance, expanded as this server's profiles say.
    pub instance: Instance,
    /// Its snapshots, oldest first, as its description has them.
    pub snapshots: Vec<InstanceSnapshot>,
    /// The pool that its volume is on.
    pub pool: String,
    /// Description and keys of its volume.
    volume: (String, Config),
    /// The same of the volume's snapshots, in the order of the instance's.
    volume_snapshots: Vec<(String, Config)>,
}

/// Plans the instance that `config` describes, as `name` of `project`, with its volume on `pool`. Of its snapshots it
/// gets those that `has_snapshot` knows.
///
/// # Errors
/// When the description is incomplete, or says what no instance here can have.
pub fn plan(
    app: &App,
    (project, name): (&str, &str),
    pool: &Pool,
    config: &BackupConfig,
    has_snapshot: impl Fn(&str) -> bool,
) -> Result<Adopted> {
    let Some(described) = &config.container else {
        return Err(Error::invalid("No instance configuration found in backup file."));
    };
    if !matches!(described.r#type.as_str(), "" | "container") {
        let kind = &described.r#type;
        return Err(Error::invalid(format!("Instance type {kind:?} is not supported on this server")));
    }
    corten_config::name::check_instance(name)?;
    if !app.host.architectures.contains(&described.architecture) {
        let arch = &described.architecture;
        return Err(Error::invalid(format!("Requested architecture isn't supported by this host: {arch}")));
    }
    let given = app.view(|view| of_profiles(view, project, &described.profiles))?;
    let devices = with_root_disk(&described.devices, &described.expanded_devices, &given.1, pool.name());
    update::check_config(&described.config)?;
    update::check_devices(app, &devices)?;
    let mut instance = Instance {
        project: project.to_string(),
        name: name.to_string(),
        architecture: described.architecture.clone(),
        ephemeral: described.ephemeral,
        description: described.description.clone(),
        created: described.created_at,
        last_used: described.last_used_at,
        config: described.config.clone(),
        devices,
        profiles: described.profiles.clone(),
        ..Instance::default()
    };
    instance.expanded_config = [given.0, instance.config.clone()].into_iter().flatten().collect();
    instance.expanded_devices = [given.1.clone(), instance.devices.clone()].into_iter().flatten().collect();
    let own = host_keys(app, &instance)?;
    for config in [&mut instance.config, &mut instance.expanded_config] {
        config.extend(own.clone());
    }
    let mut taken = Vec::new();
    let mut volume_snapshots = Vec::new();
    for snapshot in config.snapshots.iter().filter(|one| has_snapshot(short(&one.name))) {
        let name = short(&snapshot.name).to_string();
        corten_config::name::check_snapshot(&name)?;
        let of_volume = config.volume_snapshots.iter().find(|one| short(&one.name) == name);
        let (text, keys) = of_volume.map(|one| (one.description.clone(), one.config.clone())).unwrap_or_default();
        volume_snapshots.push((text, volume_keys(pool, "container", &instance.name, &keys)));
        let devices = with_root_disk(&snapshot.devices, &snapshot.expanded_devices, &given.1, pool.name());
        taken.push(InstanceSnapshot { name, devices, ..snapshot.clone() });
    }
    let volume = config.volume.as_ref();
    let (text, keys) = volume.map(|one| (one.description.clone(), one.config.clone())).unwrap_or_default();
    let volume = (text, volume_keys(pool, "container", &instance.name, &keys));
    Ok(Adopted { instance, snapshots: taken, pool: pool.name().to_string(), volume, volume_snapshots })
}

/// A snapshot's own name: some servers wrote the volume's before it.
fn short(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

/// What the profiles of these names say together.
fn of_profiles(view: &View<'_>, project: &str, names: &[String]) -> Result<(Config, Devices), Abort> {
    let holder = profile_project(view, project)?;
    let found = profiles::named(view, &holder, names)?;
    if let Some(missing) = names.iter().find(|name| !found.iter().any(|profile| profile.name == **name)) {
        let words = format!("Failed loading profiles for instance: Requested profile {missing:?} doesn't exist");
        return Err(Error::internal(words).into());
    }
    let in_order = names.iter().filter_map(|name| found.iter().find(|profile| profile.name == *name));
    Ok(expand(&Config::new(), &Devices::new(), in_order))
}

/// The volatile keys that depend on this host; those that only say who the instance is stay.
fn host_keys(app: &App, instance: &Instance) -> Result<Config> {
    let others = if instance.is_on("security.idmap.isolated") { Instances::all(app, None)? } else { Vec::new() };
    let (map, base) = idmap::next(instance, app.instances.host_ids.as_ref(), &others)?;
    let mut keys = Config::from([
        (volatile::IDMAP_BASE.to_string(), base.to_string()),
        (volatile::IDMAP_NEXT.to_string(), map.to_json()),
    ]);
    let missing = |key: &str| instance.volatile(key).is_empty();
    if missing(volatile::IDMAP_ON_DISK) {
        keys.insert(volatile::IDMAP_ON_DISK.to_string(), "[]".to_string());
    }
    for key in [volatile::UUID, volatile::INSTANCE_ID] {
        if missing(key) {
            keys.insert(key.to_string(), volatile::new_uuid()?);
        }
    }
    Ok(keys)
}

/// The keys of a volume that mean something on this pool: it may come from another kind.
pub fn volume_keys(pool: &Pool, kind: &str, name: &str, keys: &Config) -> Config {
    let facts = storage::Volume { driver: pool.driver_name(), kind, content: "filesystem", name };
    let fits = |key: &str, value: &str| {
        let one = Config::from([(key.to_string(), value.to_string())]);
        entity::check(Entity::Volume(&facts), &one).is_ok()
    };
    stored(keys).into_iter().filter(|(key, value)| fits(key, value)).collect()
}

/// Writes the rows of instance, volume and snapshots; gives the instance's number.
///
/// # Errors
/// When the name is taken, or the project does not let it be.
pub fn insert(tx: &mut Tx<'_>, new: &Adopted) -> Result<i64, Abort> {
    let id = create::insert(tx, &new.instance, &new.pool)?;
    let volume = storage_volumes::of_instance(tx, &new.instance.project, &new.instance.name)?;
    let volume = volume.ok_or_else(|| Error::not_found("Storage volume not found"))?;
    storage_volumes::update(tx, volume.id, &new.volume.0, &new.volume.1)?;
    for (snapshot, (description, config)) in new.snapshots.iter().zip(&new.volume_snapshots) {
        let row = snapshots::Snapshot {
            id: 0,
            instance_id: id,
            project: new.instance.project.clone(),
            instance: new.instance.name.clone(),
            name: snapshot.name.clone(),
            created: snapshot.created_at.timestamp(),
            stateful: false,
            description: String::new(),
            expires: (!snapshot.expires_at.is_never()).then(|| snapshot.expires_at.timestamp()),
            config: snapshot.config.clone(),
            devices: snapshot.devices.clone(),
        };
        snapshots::insert(tx, &row)?;
        volume_snapshots::insert(tx, volume.id, &snapshot.name, description, None, config)?;
    }
    Ok(id)
}

/// Whether a pool of this name is known.
///
/// # Errors
/// The database's.
pub fn knows_pool(app: &App, name: &str) -> Result<bool> {
    app.view(|view| Ok(storage_pools::get(view, name)?.is_some()))
}

/// The zero time where nothing is said, as LXD's files have it.
pub fn or_zero(time: Option<Time>) -> Time {
    time.unwrap_or(Time::ZERO)
}
