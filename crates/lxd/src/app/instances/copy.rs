//! Copies: what an instance is made from when another, or a snapshot of one, is its pattern.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::instance::{InstanceSource, InstancesPost};
use corten_archive::watch::Watch;
use corten_db::error::Abort;
use corten_db::table::{snapshots, storage_volumes, volume_snapshots};
use corten_db::{Tx, View};
use corten_host::undo::Undo;
use corten_instance::instance::{Config, Devices, Instance, root_disk};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::pass;
use corten_instance::volatile;
use corten_storage::fill::Fill;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;

use super::claims::{Claim, Taken};
use super::still::Still;
use super::{Instances, key, observe, root, snapshots as taken};
use crate::app::App;

/// What is copied.
#[derive(Clone, Debug)]
pub struct Source {
    /// The instance, or that of the snapshot.
    pub instance: Instance,
    /// The snapshot, when one is copied.
    pub snapshot: Option<snapshots::Snapshot>,
    /// Snapshots that go along, oldest first.
    pub along: Vec<snapshots::Snapshot>,
    /// Whether a running instance is copied without holding it still.
    pub allow_inconsistent: bool,
}

impl Source {
    /// Finds what a request wants to copy into `project`.
    ///
    /// # Errors
    /// 400 when none is named, 404 when it is not there.
    pub fn find(app: &App, project: &str, asked: &InstanceSource) -> Result<Source> {
        if asked.source.is_empty() {
            return Err(Error::invalid("Must specify a source instance"));
        }
        let project = if asked.project.is_empty() { project } else { &asked.project };
        let (name, snapshot) = match asked.source.split_once('/') {
            Some((name, snapshot)) => (name, Some(snapshot)),
            None => (asked.source.as_str(), None),
        };
        let instance = Instances::find(app, project, name)?;
        let snapshot = snapshot.map(|snapshot| taken::find(app, &instance, snapshot)).transpose()?;
        let alone = snapshot.is_some() || asked.instance_only || asked.container_only;
        let all = |view: &View<'_>| Ok(snapshots::of_instance(view, instance.id)?);
        let along = if alone { Vec::new() } else { app.view(all)? };
        Ok(Source { instance, snapshot, along, allow_inconsistent: asked.allow_inconsistent })
    }

    /// Completes the request for a copy with what it does not say itself.
    ///
    /// # Errors
    /// In LXD's words when type or state do not go together.
    pub fn complete(&self, post: &mut InstancesPost) -> Result<()> {
        if !matches!(post.r#type.as_str(), "" | "container") {
            return Err(Error::invalid("Instance type should not be specified or should match source type"));
        }
        if post.stateful && post.name != self.instance.name {
            let (source, target) = (&self.instance.name, &post.name);
            let words = "Copying stateful instances requires that source";
            return Err(Error::invalid(format!("{words} {source:?} and target {target:?} name be identical")));
        }
        let (config, devices) = match &self.snapshot {
            Some(snapshot) => (&snapshot.config, &snapshot.devices),
            None => (&self.instance.config, &self.instance.devices),
        };
        for (key, value) in config.iter().filter(|(key, _)| !volatile::is_own(key)) {
            post.config.entry(key.clone()).or_insert_with(|| value.clone());
        }
        if !post.source.base_image.is_empty() {
            post.config.insert(volatile::BASE_IMAGE.to_string(), post.source.base_image.clone());
        }
        for (name, options) in devices {
            post.devices.entry(name.clone()).or_insert_with(|| options.clone());
        }
        post.architecture.clone_from(&self.instance.architecture);
        post.profiles.get_or_insert_with(|| self.instance.profiles.clone());
        Ok(())
    }

    /// Description and keys that the volume of the copy gets.
    pub fn volume_row(&self, view: &View<'_>) -> Result<(String, Config), Abort> {
        let volume = self.own_volume(view)?;
        let Some(snapshot) = &self.snapshot else { return Ok((volume.description, volume.config)) };
        let row = volume_snapshots::get(view, volume.id, &snapshot.name)?;
        Ok(row.map_or((volume.description, volume.config), |row| (row.description, row.config)))
    }

    fn own_volume(&self, view: &View<'_>) -> Result<storage_volumes::Volume, Abort> {
        let volume = storage_volumes::of_instance(view, &self.instance.project, &self.instance.name)?;
        Ok(volume.ok_or_else(|| Error::not_found("Storage volume not found"))?)
    }

    /// Writes the rows of snapshots that go along to the instance `target`, whose volume has the row `volume`.
    pub(super) fn insert_along(&self, tx: &mut Tx<'_>, target: &Instance, id: i64, volume: i64) -> Result<(), Abort> {
        if self.along.is_empty() {
            return Ok(());
        }
        let copies = volume_snapshots::of_volume(tx, self.own_volume(tx)?.id)?;
        for snapshot in &self.along {
            let devices = on_pool_of(target, &snapshot.devices);
            let row = snapshots::Snapshot { id: 0, instance_id: id, devices, ..snapshot.clone() };
            snapshots::insert(tx, &row)?;
            let copy = copies.iter().find(|copy| copy.name == snapshot.name);
            let (description, config) =
                copy.map(|copy| (copy.description.as_str(), copy.config.clone())).unwrap_or_default();
            volume_snapshots::insert(tx, volume, &snapshot.name, description, None, &config)?;
        }
        Ok(())
    }

    /// Makes the volume of the copy.
    ///
    /// # Errors
    /// What went wrong; nothing is left then.
    pub(super) fn fill(&self, app: &Arc<App>, pool: &Pool, volume: &Volume) -> Result<Undo> {
        let _claim = self.claim(app)?;
        let (from_pool, from) = self.volume(app)?;
        let names: Vec<String> = self.along.iter().map(|snapshot| snapshot.name.clone()).collect();
        let still = self.hold(app, &from_pool)?;
        pass("copy the volume")?;
        let fill = Fill::Copy { pool: &from_pool, source: &from, snapshots: &names, like: None };
        let made = pool.create_volume(volume, &fill, &Watch::default());
        drop(still);
        made.map_err(|error| Error::from(error).context("Create instance from copy"))
    }

    /// Keeps others from changing the source while it is copied.
    ///
    /// # Errors
    /// When it is being changed now.
    pub fn claim(&self, app: &App) -> Result<Option<Claim>> {
        let key = key(&self.instance);
        match app.instances.claims.take(&key, Action::Snapshot, || observe(app, &key))? {
            Taken::Go(claim) => Ok(Some(claim)),
            Taken::Done | Taken::Overtake(_) => Ok(None),
        }
    }

    /// Where the files to copy are.
    ///
    /// # Errors
    /// When the source has no volume.
    pub fn volume(&self, app: &App) -> Result<(Pool, Volume)> {
        let (pool, volume) = root::volume(app, &self.instance)?;
        let volume = self.snapshot.as_ref().map_or(volume.clone(), |snapshot| volume.snapshot(&snapshot.name));
        Ok((pool, volume))
    }

    /// Holds a running source still, unless that is not wanted or not needed.
    ///
    /// # Errors
    /// When it cannot be frozen.
    pub fn hold(&self, app: &App, pool: &Pool) -> Result<Option<Still>> {
        if self.snapshot.is_some() || self.allow_inconsistent {
            return Ok(None);
        }
        Still::for_copy(app, &self.instance, pool).map(Some)
    }
}

/// A snapshot's devices, with its root disk on the pool of the instance that it now belongs to.
pub fn on_pool_of(target: &Instance, devices: &Devices) -> Devices {
    let mut devices = devices.clone();
    let Some((name, root)) = target.root_disk() else { return devices };
    let pool = root.get("pool").cloned().unwrap_or_default();
    let own = root_disk(&devices).map(|(name, _)| name.to_string());
    match own {
        Some(own) => {
            devices.entry(own).or_default().insert("pool".to_string(), pool);
        }
        // Its profiles give it a root disk; on another pool than theirs it needs one of its own.
        None if target.devices.contains_key(name) => {
            let disk = [("type", "disk"), ("path", "/"), ("pool", pool.as_str())];
            let disk = disk.map(|(key, value)| (key.to_string(), value.to_string()));
            devices.insert(name.to_string(), disk.into_iter().collect());
        }
        None => {}
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(pool: &str) -> Config {
        let pairs = [("type", "disk"), ("path", "/"), ("pool", pool)];
        pairs.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn snapshots_follow_their_instance_to_its_pool() {
        let own = Devices::from([("root".to_string(), disk("new"))]);
        let target = |devices: Devices, expanded: Devices| Instance {
            devices,
            expanded_devices: expanded,
            ..Instance::default()
        };
        let moved = target(own.clone(), own.clone());
        assert_eq!(on_pool_of(&moved, &Devices::from([("root".to_string(), disk("old"))])), own);
        assert_eq!(on_pool_of(&moved, &Devices::new()), own);
        let by_profile = target(Devices::new(), own);
        assert_eq!(on_pool_of(&by_profile, &Devices::new()), Devices::new());
    }

    #[test]
    fn a_request_goes_before_its_source() {
        let text = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let instance = Instance {
            name: "c1".into(),
            architecture: "x86_64".into(),
            config: text(&[("user.a", "old"), ("user.b", "kept"), ("volatile.uuid", "x"), (volatile::BASE_IMAGE, "f")]),
            profiles: vec!["p".into()],
            ..Instance::default()
        };
        let source = Source { instance, snapshot: None, along: Vec::new(), allow_inconsistent: false };
        let mut post =
            InstancesPost { name: "c2".into(), config: text(&[("user.a", "new")]), ..InstancesPost::default() };
        source.complete(&mut post).expect("nothing is wrong");
        assert_eq!(post.config, text(&[("user.a", "new"), ("user.b", "kept"), (volatile::BASE_IMAGE, "f")]));
        assert_eq!((post.profiles, post.architecture), (Some(vec!["p".to_string()]), "x86_64".to_string()));
        let mut wrong = InstancesPost { name: "c2".into(), stateful: true, ..InstancesPost::default() };
        let words = source.complete(&mut wrong).expect_err("another name").message;
        assert_eq!(words, "Copying stateful instances requires that source \"c1\" and target \"c2\" name be identical");
    }
}
