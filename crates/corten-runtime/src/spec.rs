//! What a container is to be, as plain data: the daemon builds it, the monitor carries it out.
//!
//! A spec can be written as JSON by hand (`lxd-monitor run SPEC.json`); every field but `name`, `run_dir`, `root` and
//! `cgroup` has a default.

pub mod cgroup;
pub mod check;
pub mod mounts;
pub mod process;
pub mod security;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use cgroup::{Cgroup, DeviceRule};
pub use mounts::{Create, DeviceNode, Link, Mount, NodeKind, Root, Source};
pub use process::{ExecSpec, Process, Rlimit};
pub use security::{IdMap, IdRange, InterceptedMounts, Kernel, Security};

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What the container is called in messages; for LXD `project_name`, or the bare name in the default project.
    pub name: String,
    /// A directory of this container alone: the monitor's socket, its state file and device nodes live there.
    /// It must exist, and belong to root.
    pub run_dir: PathBuf,
    /// Where the monitor writes warnings; `None` sends them to nowhere.
    #[serde(default)]
    pub log: Option<PathBuf>,
    /// The monitor's title as `ps` shows it. LXD looks for `[lxc monitor] <containers path> <name>`.
    #[serde(default)]
    pub title: String,
    /// The host name inside; empty leaves the host's.
    #[serde(default)]
    pub hostname: String,
    /// Its control groups.
    pub cgroup: Cgroup,
    /// The ids of the user namespace; `None` makes a privileged container without one.
    #[serde(default)]
    pub idmap: Option<IdMap>,
    /// The root file system.
    pub root: Root,
    /// How `/proc`, `/sys`, `/dev` and the cgroup tree look inside.
    #[serde(default)]
    pub kernel: Kernel,
    /// What else is mounted, in this order, after `/proc`, `/sys`, `/dev` and the cgroup tree.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Device nodes beside the standard ones.
    #[serde(default)]
    pub nodes: Vec<DeviceNode>,
    /// Network interfaces given to the container.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Its first process.
    pub init: Process,
    /// What its processes may not do.
    #[serde(default)]
    pub security: Security,
    /// Resource limits of the first process, inherited by all.
    #[serde(default)]
    pub rlimits: Vec<Rlimit>,
    /// Kernel parameters to set inside, `net.ipv4.ip_forward` style, with their values.
    #[serde(default)]
    pub sysctls: Vec<(String, String)>,
    /// `oom_score_adj` of the first process, -1000 to 1000 (proc(5)).
    #[serde(default)]
    pub oom_score_adj: Option<i32>,
    /// How many of the console's last bytes are kept; 0 keeps none. LXD's "auto" is 128 KiB.
    #[serde(default = "default_console_ring")]
    pub console_ring: u32,
    /// Where the ring of the console is written when the container ends; LXD's `console.log`.
    #[serde(default)]
    pub console_log: Option<PathBuf>,
    /// The processes take the machine for one of 32 bits (personality(2), `PER_LINUX32`).
    #[serde(default)]
    pub linux32: bool,
    /// Makes the step of this name fail, one of [`crate::monitor::steps::ALL`]: for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_step: Option<String>,
    /// Gives the container a core-scheduling cookie of its own (prctl(2), PR_SCHED_CORE).
    #[serde(default)]
    pub core_scheduling: bool,
}

fn default_console_ring() -> u32 {
    128 * 1024
}

impl Spec {
    /// A spec with nothing but what every container needs; the rest is filled in by assignment.
    pub fn new(name: &str, run_dir: impl Into<PathBuf>, root: Root) -> Spec {
        Spec {
            name: name.to_string(),
            run_dir: run_dir.into(),
            log: None,
            title: format!("[lxc monitor] {name}"),
            hostname: name.to_string(),
            cgroup: Cgroup::named(name),
            idmap: None,
            root,
            kernel: Kernel::default(),
            mounts: Vec::new(),
            nodes: Vec::new(),
            links: Vec::new(),
            init: Process::init(),
            security: Security::default(),
            rlimits: Vec::new(),
            sysctls: Vec::new(),
            oom_score_adj: None,
            console_ring: default_console_ring(),
            console_log: None,
            linux32: false,
            fail_step: None,
            core_scheduling: false,
        }
    }
}
