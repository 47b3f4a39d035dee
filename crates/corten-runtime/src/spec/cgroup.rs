//! The control groups of a container: where they are and what is written into them.

use corten_host::cgroup::{Layout, Limit};
use serde::{Deserialize, Serialize};

/// The groups of a container, made in every hierarchy of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// The group of the container's processes, relative to each hierarchy's base: `lxc.payload.NAME`.
    pub payload: String,
    /// The group of the monitor: `lxc.monitor.NAME`.
    pub monitor: String,
    /// The host's hierarchies, when the caller has looked already; else the monitor looks.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// Set on the payload group before the first process enters it.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Which devices may be used; empty leaves all open (a user namespace closes them by itself).
    #[serde(default)]
    pub devices: Vec<DeviceRule>,
}

impl Cgroup {
    /// The groups as LXD names them, without limits.
    pub fn named(name: &str) -> Cgroup {
        Cgroup {
            payload: format!("lxc.payload.{name}"),
            monitor: format!("lxc.monitor.{name}"),
            layout: None,
            limits: Vec::new(),
            devices: Vec::new(),
        }
    }
}

/// One line of the device list, as in the v1 documentation: `a`, or `c 1:3 rwm`. Later lines win.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    /// Opens (`true`) or closes the devices.
    pub allow: bool,
    /// `a` for all, or `b|c MAJOR|*:MINOR|* [r][w][m]`.
    pub rule: String,
}
