//! What is to be remembered of an instance's volume and snapshots that come from another server.

use corten_api::error::Result;
use corten_api::time::Time;
use corten_db::Tx;
use corten_db::error::Abort;
use corten_db::table::{Config, snapshots, volume_snapshots};
use corten_instance::instance::Instance;
use corten_instance::volatile;

use super::incoming::Incoming;
use super::wire::{self, Snapshot};
use crate::app::App;
use crate::app::backups::adopt::volume_keys;
use crate::app::instances::copy::on_pool_of;
use crate::app::storage::pools::Pools;

/// The rows, but for the numbers that the database gives them.
pub struct Rows {
    /// Description and keys of the volume.
    pub volume: (String, Config),
    snapshots: Vec<Row>,
}

struct Row {
    snapshot: snapshots::Snapshot,
    description: String,
    config: Config,
}

impl Rows {
    /// Those of what comes, for `target`, whose pool is known.
    ///
    /// # Errors
    /// When there is no such pool.
    pub fn of(app: &App, target: &Instance, incoming: &Incoming) -> Result<Rows> {
        let pool = Pools::get(app, target.pool().unwrap_or_default())?;
        let keys = |keys: &Config| volume_keys(&pool, "container", &target.name, keys);
        let said = incoming.index.volume.as_ref();
        let volume = said.map(|one| (one.description.clone(), keys(&one.config))).unwrap_or_default();
        let row = |one: &Snapshot| {
            let of_volume = incoming.index.volume_snapshots.iter().find(|other| other.name == one.name);
            let (description, config) = match of_volume {
                Some(said) => (said.description.clone(), keys(&said.config)),
                None => volume.clone(),
            };
            Row { snapshot: remembered(target, one), description, config }
        };
        let snapshots = incoming.snapshots.iter().map(row).collect();
        Ok(Rows { volume, snapshots })
    }

    /// Writes the rows of the snapshots for the instance `id`, whose volume has the row `volume`.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_snapshots(&self, tx: &mut Tx<'_>, id: i64, volume: i64) -> Result<(), Abort> {
        for row in &self.snapshots {
            snapshots::insert(tx, &snapshots::Snapshot { instance_id: id, ..row.snapshot.clone() })?;
            volume_snapshots::insert(tx, volume, &row.snapshot.name, &row.description, None, &row.config)?;
        }
        Ok(())
    }
}

/// A snapshot of `target` as it will be remembered; its files have the container's own ids here.
fn remembered(target: &Instance, one: &Snapshot) -> snapshots::Snapshot {
    let mut config = wire::table(&one.config);
    if let Some(shifted) = config.get_mut(volatile::IDMAP_ON_DISK) {
        *shifted = "[]".to_string();
    }
    let time = |seconds: Option<i64>| seconds.filter(|seconds| *seconds > 0).map(|seconds| Time::from_unix(seconds, 0));
    snapshots::Snapshot {
        id: 0,
        instance_id: 0,
        project: target.project.clone(),
        instance: target.name.clone(),
        name: one.name.clone(),
        created: time(one.created).unwrap_or_else(Time::now).timestamp(),
        stateful: false,
        description: String::new(),
        expires: time(one.expires).map(Time::timestamp),
        config,
        devices: on_pool_of(target, &one.devices()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_as_the_source_says() {
        let shifted = r#"[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":65536}]"#;
        let config = [(volatile::IDMAP_ON_DISK, shifted), ("user.a", "b")];
        let config = config.map(|(key, value)| (key.to_string(), value.to_string())).into();
        let one = Snapshot {
            name: "s".into(),
            config: wire::pairs(&config),
            created: Some(1_700_000_000),
            expires: Some(Time::ZERO.unix()),
            ..Snapshot::default()
        };
        let row = remembered(&Instance { name: "c1".into(), ..Instance::default() }, &one);
        assert_eq!((row.instance.as_str(), row.name.as_str(), row.expires), ("c1", "s", None));
        assert_eq!(row.created.as_second(), 1_700_000_000);
        assert_eq!((row.config[volatile::IDMAP_ON_DISK].as_str(), row.config["user.a"].as_str()), ("[]", "b"));
    }
}
