//! The world of a crash trial: what is there to be seen of it, and how it is brought where a verb can begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::verb::{Need, Verb};
use crate::{Daemon, Ran};

/// The pools that there are.
pub const POOLS: [&str; 2] = ["default", "second"];

/// A daemon and where it is.
pub struct World {
    pub daemon: Daemon,
    pub driver: String,
    pub folder: PathBuf,
    /// An image that is not imported at the start.
    pub other_image: PathBuf,
    /// Its fingerprint.
    pub other: String,
    /// Images that are there from the start.
    pub first: BTreeSet<String>,
    /// A backup of an instance.
    pub backup: PathBuf,
}

/// Stands for the fingerprint of an image that was made of an instance.
pub const PUBLISHED: &str = "published";

/// An instance as it is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its first process while it runs.
    pub pid: Option<i64>,
    /// What was written into it last, as far as that is there.
    pub marker: Option<String>,
    /// Its snapshots.
    pub snapshots: BTreeMap<String, Kept>,
    /// `limits.memory`.
    pub memory: String,
    /// The pool that it is on.
    pub pool: String,
    /// Names of its own devices but for the root.
    pub devices: BTreeSet<String>,
    /// Names of its backups.
    pub backups: BTreeSet<String>,
}

impl Instance {
    /// One that was just made.
    pub fn fresh() -> Instance {
        Instance { pool: "default".to_string(), ..Instance::default() }
    }
}

/// A volume that a user made, as it is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// What was written into it last.
    pub marker: Option<String>,
    /// Its snapshots, each with its marker.
    pub snapshots: BTreeMap<String, Option<String>>,
}

/// What a snapshot keeps of its instance, and a restore brings back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub marker: Option<String>,
    pub memory: String,
    pub devices: BTreeSet<String>,
}

impl Kept {
    /// What a snapshot that is taken now keeps.
    pub fn of(instance: &Instance) -> Kept {
        let Instance { marker, memory, devices, .. } = instance.clone();
        Kept { marker, memory, devices }
    }
}

/// All that verbs change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub instances: BTreeMap<String, Instance>,
    /// Fingerprints of images; what was published is [`PUBLISHED`].
    pub images: BTreeSet<String>,
    /// Users' volumes, by pool and name.
    pub volumes: BTreeMap<String, Volume>,
    /// Managed networks.
    pub networks: BTreeSet<String>,
    /// `limits.processes` of the default profile.
    pub profile: String,
}

impl Seen {
    /// The same but for which process is an instance's first.
    pub fn is_like(&self, other: &Seen) -> bool {
        self.without_pids() == other.without_pids()
    }

    /// In what it is not like another, a line each.
    pub fn unlike(&self, other: &Seen) -> String {
        let lines = |seen: &Seen| -> BTreeSet<String> {
            let seen = seen.without_pids();
            let instances = seen.instances.iter().map(|(name, found)| format!("{name}: {found:?}"));
            let volumes = seen.volumes.iter().map(|(name, found)| format!("{name}: {found:?}"));
            let rest = format!("images {:?}, networks {:?}, profile {:?}", seen.images, seen.networks, seen.profile);
            instances.chain(volumes).chain([rest]).collect()
        };
        let (here, there) = (lines(self), lines(other));
        let only = |sign: &str, these: &BTreeSet<String>, those: &BTreeSet<String>| -> String {
            these.difference(those).map(|line| format!("  {sign} {line}\n")).collect()
        };
        only("is", &here, &there) + &only("not", &there, &here)
    }

    fn without_pids(&self) -> Seen {
        let mut seen = self.clone();
        for instance in seen.instances.values_mut() {
            instance.pid = instance.pid.map(|_| 1);
        }
        seen
    }

    /// With `name` as `seen` shows it, running or not: its monitor was killed, and the next daemon starts what ran.
    pub fn without_running(&self, name: &str, seen: &Seen) -> Seen {
        let mut state = self.clone();
        let pid = seen.instances.get(name).and_then(|instance| instance.pid);
        if let Some(instance) = state.instances.get_mut(name) {
            instance.pid = pid;
        }
        state
    }

    /// Whether everything that ran before and after is the same process, but for those that the verb restarts.
    pub fn same_processes(&self, after: &Seen, restarted: &[&str]) -> bool {
        let both = self.instances.iter().filter(|(name, _)| !restarted.contains(&name.as_str()));
        let mut both = both.filter_map(|(name, old)| Some((old.pid?, after.instances.get(name)?.pid?)));
        both.all(|(old, new)| old == new)
    }
}

impl World {
    /// A pool's directory.
    pub fn pool(&self, name: &str) -> PathBuf {
        self.daemon.dir.join("storage-pools").join(name)
    }

    pub fn lxc(&self, words: &[String]) -> Ran {
        self.daemon.lxc(words)
    }

    /// What there is.
    pub fn look(&self) -> Seen {
        let instances = self.daemon.get("/1.0/instances?recursion=2");
        let images = self.daemon.get("/1.0/images?recursion=1");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        Seen {
            instances: entries(&instances).map(|value| (text(&value["name"]), self.instance(value))).collect(),
            images: entries(&images).map(|image| self.image(&text(&image["fingerprint"]))).collect(),
            volumes: POOLS.iter().flat_map(|pool| self.volumes(pool)).collect(),
            networks: entries(&self.daemon.get("/1.0/networks?recursion=1"))
                .filter(|network| network["managed"] == true)
                .map(|network| text(&network["name"]))
                .collect(),
            profile: text(&self.daemon.get("/1.0/profiles/default")["config"]["limits.processes"]),
        }
    }

    fn image(&self, fingerprint: &str) -> String {
        let known = fingerprint == self.other || self.first.contains(fingerprint);
        if known { fingerprint.to_string() } else { PUBLISHED.to_string() }
    }

    fn volumes(&self, pool: &str) -> Vec<(String, Volume)> {
        let list = self.daemon.get(&format!("/1.0/storage-pools/{pool}/volumes/custom?recursion=1"));
        let folder = self.pool(pool);
        let read = |path: PathBuf| fs::read_to_string(path.join("marker")).ok();
        let mut found: Vec<(String, Volume)> = Vec::new();
        for value in entries(&list) {
            let name = value["name"].as_str().unwrap_or_default();
            // Snapshots are listed, too.
            if name.contains('/') {
                continue;
            }
            let snapshots = format!("/1.0/storage-pools/{pool}/volumes/custom/{name}/snapshots?recursion=1");
            let snapshots = self.daemon.get(&snapshots);
            let snapshots = entries(&snapshots).map(|snapshot| {
                let snapshot = snapshot["name"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                let path = folder.join(format!("custom-snapshots/default_{name}")).join(snapshot);
                (snapshot.to_string(), read(path))
            });
            let volume =
                Volume { marker: read(folder.join(format!("custom/default_{name}"))), snapshots: snapshots.collect() };
            found.push((format!("{pool}/{name}"), volume));
        }
        found
    }

    fn instance(&self, value: &Value) -> Instance {
        let name = value["name"].as_str().unwrap_or_default();
        let pid = value["state"]["pid"].as_i64().filter(|pid| *pid > 0);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let pool = text(&value["expanded_devices"]["root"]["pool"]);
        let folder = self.pool(&pool);
        let marker = match pid {
            Some(pid) => fs::read_to_string(format!("/proc/{pid}/root/root/marker")).ok(),
            None => written(&folder, &folder.join("containers").join(name)),
        };
        let snapshots = entries(&value["snapshots"]).map(|snapshot| {
            let snap = snapshot["name"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let marker = written(&folder, &folder.join("containers-snapshots").join(name).join(snap));
            (snap.to_string(), Kept { marker, memory: memory(snapshot), devices: devices(snapshot) })
        });
        let backups = entries(&value["backups"]).map(|backup| text(&backup["name"]));
        let backups = backups.map(|name| name.rsplit('/').next().unwrap_or_default().to_string()).collect();
        let (memory, devices) = (memory(value), devices(value));
        Instance { pid, marker, snapshots: snapshots.collect(), memory, pool, devices, backups }
    }

    /// Brings everything to where `verb` can begin.
    pub fn prepare(&mut self, verb: &Verb, marker: u64) {
        for need in verb.needs {
            match need {
                Need::Marked => self.mark(marker),
                Need::VolumeSnapshot(..) => {
                    self.bring(*need);
                    self.mark_volumes(marker);
                }
                _ => self.bring(*need),
            }
        }
        self.mark(marker);
    }

    /// Lets each volume have a marker of its own.
    fn mark_volumes(&self, marker: u64) {
        for volume in self.look().volumes.keys() {
            let (pool, name) = volume.split_once('/').unwrap_or_default();
            let path = self.pool(pool).join(format!("custom/default_{name}/marker"));
            fs::write(&path, marker.to_string()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }

    /// Lets `c1` have a marker of its own, when it runs.
    fn mark(&self, marker: u64) {
        if self.look().instances.get("c1").and_then(|instance| instance.pid).is_some() {
            self.must(&["exec", "c1", "--", "sh", "-c", &format!("echo {marker} > /root/marker")]);
        }
    }

    fn bring(&mut self, need: Need) {
        let seen = self.look();
        let has = |name: &str| seen.instances.contains_key(name);
        let has_snapshot = |name: &str, snapshot: &str| {
            seen.instances.get(name).is_some_and(|instance| instance.snapshots.contains_key(snapshot))
        };
        let runs = |name: &str| seen.instances.get(name).is_some_and(|instance| instance.pid.is_some());
        match need {
            Need::Absent(name) if has(name) => self.must(&["delete", "--force", name]),
            Need::Stopped(name) | Need::Running(name) if !has(name) => {
                self.must(&["init", if name == "c1" { "squashed" } else { "busybox" }, name]);
                self.bring(need);
            }
            Need::Stopped(name) if runs(name) => self.must(&["stop", "--force", name]),
            Need::Running(name) if !runs(name) => self.must(&["start", name]),
            Need::Snapshot(name, snapshot) if !has_snapshot(name, snapshot) => {
                if !has(name) {
                    self.bring(Need::Stopped(name));
                }
                self.must(&["snapshot", name, snapshot]);
            }
            Need::NoSnapshot(name, snapshot) if has_snapshot(name, snapshot) => {
                self.must(&["delete", &format!("{name}/{snapshot}")]);
            }
            Need::OtherImage if !seen.images.contains(&self.other) => {
                self.must(&["image", "import", &self.other_image.display().to_string()]);
            }
            Need::NoOtherImage if seen.images.contains(&self.other) => self.must(&["image", "delete", &self.other]),
            Need::NoPublished if seen.images.contains(PUBLISHED) => {
                let images = self.daemon.get("/1.0/images?recursion=1");
                let made = entries(&images).filter_map(|image| image["fingerprint"].as_str());
                for made in made.filter(|made| self.image(made) == PUBLISHED) {
                    self.must(&["image", "delete", made]);
                }
            }
            Need::On(name, pool) if seen.instances.get(name).is_some_and(|instance| instance.pool != pool) => {
                self.must(&["stop", "--force", name][..if runs(name) { 3 } else { 0 }]);
                self.must(&["move", name, "--storage", pool]);
            }
            Need::Device(name, more) if !seen.instances["c1"].devices.contains(name) => {
                self.must(&[&["config", "device", "add", "c1", name], more].concat());
            }
            Need::NoDevice(name) if seen.instances["c1"].devices.contains(name) => {
                self.must(&["config", "device", "remove", "c1", name]);
            }
            Need::NoBackups(name) => {
                for backup in &seen.instances[name].backups {
                    let path = format!("/1.0/instances/{name}/backups/{backup}");
                    self.must(&["query", "--wait", "-X", "DELETE", &path]);
                }
            }
            Need::Network(name) if !seen.networks.contains(name) => {
                // It has the address that this one is to have.
                self.must(&["network", "delete", "crashbr2"][..if seen.networks.contains("crashbr2") { 3 } else { 0 }]);
                self.must(&["network", "create", name, "ipv4.address=10.98.0.1/24", "ipv6.address=none"]);
            }
            Need::NoNetwork(name) if seen.networks.contains(name) => self.must(&["network", "delete", name]),
            Need::Profile(key, value) if seen.profile != value => {
                self.must(&["profile", "set", "default", &format!("{key}={value}")]);
            }
            _ => self.bring_volume(need, &seen),
        }
    }

    fn bring_volume(&self, need: Need, seen: &Seen) {
        let has = |name: &str, snapshot: &str| {
            seen.volumes.get(&format!("default/{name}")).is_some_and(|volume| volume.snapshots.contains_key(snapshot))
        };
        match need {
            Need::Volume(name) if !seen.volumes.contains_key(&format!("default/{name}")) => {
                self.must(&["storage", "volume", "create", "default", name]);
            }
            Need::NoVolume(volume) if seen.volumes.contains_key(volume) => {
                let (pool, name) = volume.split_once('/').unwrap_or_default();
                self.must(&["storage", "volume", "delete", pool, name]);
            }
            Need::VolumeSnapshot(name, snapshot) if !has(name, snapshot) => {
                self.must(&["storage", "volume", "snapshot", "default", name, snapshot]);
            }
            Need::NoVolumeSnapshot(name, snapshot) if has(name, snapshot) => {
                self.must(&["storage", "volume", "delete", "default", &format!("{name}/{snapshot}")]);
            }
            _ => {}
        }
    }

    #[track_caller]
    fn must(&self, words: &[&str]) {
        if !words.is_empty() {
            self.daemon.lxc(words).ok();
        }
    }

    /// Ends the monitor of `name` with SIGKILL, when it runs.
    pub fn kill_monitor(&self, seen: &Seen, name: &str) -> bool {
        let Some(init) = seen.instances.get(name).and_then(|instance| instance.pid) else { return false };
        let status = fs::read_to_string(format!("/proc/{init}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).and_then(|pid| pid.trim().parse().ok());
        let Some(monitor) = parent.and_then(Pid::from_raw) else { return false };
        kill_process(monitor, Signal::KILL).is_ok()
    }
}

/// The members of a list, which may be null.
pub fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What was written last into the volume at `path` of a pool, which nobody uses: in its tree, or in the topmost of its
/// layers that has something to say.
fn written(pool: &Path, path: &Path) -> Option<String> {
    let Ok(layers) = fs::read_link(path.join("layers")) else {
        return fs::read_to_string(path.join("rootfs/root/marker")).ok();
    };
    let layers = layers.to_string_lossy().into_owned();
    let trees = layers.split(':').map(|layer| pool.join(layer).join("upper/root/marker"));
    trees.filter_map(|file| fs::read_to_string(file).ok()).next()
}

/// Names of the own devices of an instance or snapshot.
fn devices(value: &Value) -> BTreeSet<String> {
    let names = value["devices"].as_object().into_iter().flat_map(|devices| devices.keys().cloned());
    names.filter(|name| name != "root").collect()
}

/// `limits.memory` of an instance or snapshot.
fn memory(value: &Value) -> String {
    value["config"]["limits.memory"].as_str().unwrap_or_default().to_string()
}
