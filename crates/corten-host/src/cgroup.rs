//! Control groups of both versions behind one interface: where controllers live, groups, limits, figures.
//!
//! `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/` of the kernel are the source of file names and formats.

pub mod delegate;
pub mod devices;
pub mod entrance;
pub mod freezer;
pub mod group;
pub mod knobs;
pub mod layout;
pub mod member;
pub mod stats;
pub mod wait;

use std::path::PathBuf;

use crate::file;

pub use entrance::Entrance;
pub use group::Group;
pub use knobs::Limit;
pub use layout::Layout;

/// Which of the kernel's two interfaces a hierarchy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Version {
    /// The old one: several hierarchies, each with some controllers.
    V1,
    /// The unified one.
    V2,
}

/// What can be limited or counted. Names are those of version 1 where the versions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs, reason = "the names are the kernel's own")]
pub enum Controller {
    Cpu,
    CpuAcct,
    CpuSet,
    Memory,
    Pids,
    /// Access to device nodes: files on version 1, a program attached to the group on version 2.
    Devices,
    /// Stopping a group: its own controller on version 1, a part of every group on version 2.
    Freezer,
    /// Disks: `blkio` on version 1, `io` on version 2.
    Blkio,
    Hugetlb,
    NetPrio,
    NetCls,
    PerfEvent,
    Rdma,
    Misc,
}

/// The kernel's names: one controller may have one for each version.
const NAMES: [(Controller, &str, Option<&str>); 14] = [
    (Controller::Cpu, "cpu", Some("cpu")),
    // Version 2 counts processor time in every group that has `cpu`.
    (Controller::CpuAcct, "cpuacct", Some("cpu")),
    (Controller::CpuSet, "cpuset", Some("cpuset")),
    (Controller::Memory, "memory", Some("memory")),
    (Controller::Pids, "pids", Some("pids")),
    (Controller::Devices, "devices", None),
    (Controller::Freezer, "freezer", None),
    (Controller::Blkio, "blkio", Some("io")),
    (Controller::Hugetlb, "hugetlb", Some("hugetlb")),
    (Controller::NetPrio, "net_prio", None),
    (Controller::NetCls, "net_cls", None),
    (Controller::PerfEvent, "perf_event", None),
    (Controller::Rdma, "rdma", Some("rdma")),
    (Controller::Misc, "misc", Some("misc")),
];

impl Controller {
    /// What the kernel calls it in `version`; `None` when that version has no such controller.
    pub fn name(self, version: Version) -> Option<&'static str> {
        let (_, v1, v2) = NAMES.iter().find(|(controller, ..)| *controller == self)?;
        match version {
            Version::V1 => Some(v1),
            Version::V2 => *v2,
        }
    }

    /// The controllers that the kernel calls `name` in `version`.
    pub fn named(name: &str, version: Version) -> impl Iterator<Item = Controller> {
        let matches = move |controller: &Controller| controller.name(version) == Some(name);
        NAMES.iter().map(|(controller, ..)| *controller).filter(matches).collect::<Vec<_>>().into_iter()
    }
}

impl std::fmt::Display for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name(Version::V1).unwrap_or("unknown"))
    }
}

/// Why something about control groups could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of a group said no.
    #[error(transparent)]
    File(#[from] file::Error),
    /// This host cannot do it.
    #[error("cannot {what}: this host has no cgroup {controller} controller for it")]
    Unsupported {
        /// What was asked for, as a verb phrase: "limit memory".
        what: String,
        /// The controller that would be needed.
        controller: Controller,
    },
    /// No control group filesystem is mounted.
    #[error("no cgroup filesystem is mounted below /sys/fs/cgroup")]
    NoHierarchy,
    /// There is a group of that name with processes in it.
    #[error("the cgroup {} already exists and has {count} processes in it", .path.display())]
    InUse {
        /// Its directory in one of the hierarchies.
        path: PathBuf,
        /// How many processes it has.
        count: usize,
    },
    /// No group of that name exists in any hierarchy.
    #[error("there is no cgroup named {0:?}")]
    NotFound(String),
    /// A file of the kernel held something that its documentation does not promise.
    #[error("{} holds {found:?}, where {wanted} was expected", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it held.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// The time given for waiting is over.
    #[error("the cgroup {} was not {wanted} after {} ms", .path.display(), .after.as_millis())]
    Timeout {
        /// The group's directory.
        path: PathBuf,
        /// What was waited for: "frozen", "empty".
        wanted: &'static str,
        /// How long.
        after: std::time::Duration,
    },
    /// The kernel refused a program that filters device access.
    #[error("attaching the device filter to the cgroup {}: {source}", .path.display())]
    DeviceFilter {
        /// The group's directory.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
}

/// The outcome of what can fail with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
