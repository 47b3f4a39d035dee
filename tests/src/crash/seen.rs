//! The world of a crash trial: what is there to be seen of it, and how it is brought where a verb can begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::verb::{Need, Verb};
use crate::{Daemon, Ran};

/// A daemon and where it is.
pub struct World {
    pub daemon: Daemon,
    pub driver: String,
    pub folder: PathBuf,
    /// An image that is not imported at the start.
    pub other_image: PathBuf,
    /// Its fingerprint.
    pub other: String,
}

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
}

/// What a snapshot keeps of its instance, and a restore brings back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub marker: Option<String>,
    pub memory: String,
}

impl Kept {
    /// What a snapshot that is taken now keeps.
    pub fn of(instance: &Instance) -> Kept {
        Kept { marker: instance.marker.clone(), memory: instance.memory.clone() }
    }
}

/// All that verbs change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub instances: BTreeMap<String, Instance>,
    /// Fingerprints of images.
    pub images: BTreeSet<String>,
}

impl Seen {
    /// The same but for which process is an instance's first.
    pub fn is_like(&self, other: &Seen) -> bool {
        self.without_pids() == other.without_pids()
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
    /// The pool's directory.
    pub fn pool(&self) -> PathBuf {
        self.daemon.dir.join("storage-pools/default")
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
            images: entries(&images).map(|image| text(&image["fingerprint"])).collect(),
        }
    }

    fn instance(&self, value: &Value) -> Instance {
        let name = value["name"].as_str().unwrap_or_default();
        let pid = value["state"]["pid"].as_i64().filter(|pid| *pid > 0);
        let marker = match pid {
            Some(pid) => fs::read_to_string(format!("/proc/{pid}/root/root/marker")).ok(),
            None => self.marker(&self.pool().join("containers").join(name)),
        };
        let snapshots = entries(&value["snapshots"]).map(|snapshot| {
            let snap = snapshot["name"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let marker = self.marker(&self.pool().join("containers-snapshots").join(name).join(snap));
            (snap.to_string(), Kept { marker, memory: memory(snapshot) })
        });
        Instance { pid, marker, snapshots: snapshots.collect(), memory: memory(value) }
    }

    /// What was written last into the volume at `path`, which nobody uses: in its tree, or in the topmost of its layers
    /// that has something to say.
    fn marker(&self, path: &Path) -> Option<String> {
        let Ok(layers) = fs::read_link(path.join("layers")) else {
            return fs::read_to_string(path.join("rootfs/root/marker")).ok();
        };
        let layers = layers.to_string_lossy().into_owned();
        let trees = layers.split(':').map(|layer| self.pool().join(layer).join("upper/root/marker"));
        trees.filter_map(|file| fs::read_to_string(file).ok()).next()
    }

    /// Brings everything to where `verb` can begin.
    pub fn prepare(&mut self, verb: &Verb, marker: u64) {
        for need in verb.needs {
            if let Need::Marked = need {
                self.mark(marker);
            }
            self.bring(*need);
        }
        self.mark(marker);
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
                self.must(&["snapshot", name, snapshot]);
            }
            Need::NoSnapshot(name, snapshot) if has_snapshot(name, snapshot) => {
                self.must(&["delete", &format!("{name}/{snapshot}")]);
            }
            Need::OtherImage if !seen.images.contains(&self.other) => {
                self.must(&["image", "import", &self.other_image.display().to_string()]);
            }
            Need::NoOtherImage if seen.images.contains(&self.other) => self.must(&["image", "delete", &self.other]),
            _ => {}
        }
    }

    #[track_caller]
    fn must(&self, words: &[&str]) {
        self.daemon.lxc(words).ok();
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

/// `limits.memory` of an instance or snapshot.
fn memory(value: &Value) -> String {
    value["config"]["limits.memory"].as_str().unwrap_or_default().to_string()
}
