//! Where each controller lives on this host: hierarchy, version, path. Found out once, from the mount table.

use std::path::{Path, PathBuf};

use super::{Controller, Error, Result, Version};
use crate::file;
use crate::proc::mounts::{self, Mount};

/// One mounted tree of groups.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The directory below which groups are made: the group of the host's PID 1, so that no group of ours ends below
    /// a service that a service manager may kill.
    pub base: PathBuf,
    /// Which interface it speaks.
    pub version: Version,
    /// Its controllers; a named hierarchy (`name=systemd`) has none.
    pub controllers: Vec<Controller>,
    /// The kernel's names, as in /proc/self/cgroup: `cpu,cpuacct`, `name=systemd`, empty for version 2.
    pub label: String,
}

/// Where one controller is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The hierarchy that has it.
    pub hierarchy: &'a Hierarchy,
    /// The interface it speaks there.
    pub version: Version,
}

/// All hierarchies of this host. It can be sent to another process, which then need not look again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Layout {
    hierarchies: Vec<Hierarchy>,
}

/// What a kernel may or may not offer inside a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Feature {
    BlkioWeight,
    MemorySwap,
    MemorySwappiness,
    MemoryPeak,
}

impl Layout {
    /// Looks at this host.
    ///
    /// # Errors
    /// [`Error::NoHierarchy`] when no cgroup filesystem is mounted; [`Error::File`] when /proc cannot be read.
    pub fn discover() -> Result<Layout> {
        Layout::discover_in(Path::new("/proc"))
    }

    /// The same with another directory in place of /proc, for tests.
    ///
    /// # Errors
    /// See [`Layout::discover`].
    pub fn discover_in(proc: &Path) -> Result<Layout> {
        let mounts = mounts::parse(&file::read(proc.join("self/mountinfo"))?);
        let groups = file::read(proc.join("1/cgroup"))?;
        Layout::from_tables(&mounts, &groups)
    }

    /// The layout from a mount table and the text of /proc/1/cgroup. Only the file `cgroup.controllers` of version 2
    /// is read.
    ///
    /// # Errors
    /// See [`Layout::discover`].
    pub fn from_tables(mounts: &[Mount], groups: &str) -> Result<Layout> {
        let mut hierarchies = Vec::new();
        for line in groups.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(label), Some(path)) = (fields.next(), fields.next()) else { continue };
            let Some(mount) = mount_of(mounts, label) else { continue };
            let base = base_of(mount, path);
            let (version, controllers) = if label.is_empty() {
                (Version::V2, unified_controllers(&base)?)
            } else {
                let named = label.split(',').flat_map(|name| Controller::named(name, Version::V1));
                (Version::V1, named.collect())
            };
            let (mount, label) = (mount.mount_point.clone(), label.to_string());
            hierarchies.push(Hierarchy { mount, base, version, controllers, label });
        }
        if hierarchies.is_empty() {
            return Err(Error::NoHierarchy);
        }
        Ok(Layout { hierarchies })
    }

    /// The same with one more hierarchy, mounted by the caller.
    #[must_use]
    pub fn with(mut self, hierarchy: Hierarchy) -> Layout {
        self.hierarchies.push(hierarchy);
        self
    }

    /// Every hierarchy of the host, named ones included, in the kernel's order.
    pub fn hierarchies(&self) -> &[Hierarchy] {
        &self.hierarchies
    }

    /// The unified hierarchy, when it is mounted.
    pub fn unified(&self) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| hierarchy.version == Version::V2)
    }

    /// Whether version 2 is all there is.
    pub fn is_pure_v2(&self) -> bool {
        self.hierarchies.iter().all(|hierarchy| hierarchy.version == Version::V2)
    }

    /// LXD's word for the layout: `cgroup2`, `hybrid` or `legacy`.
    pub fn mode(&self) -> &'static str {
        match (self.is_pure_v2(), self.unified()) {
            (true, _) => "cgroup2",
            (false, Some(_)) => "hybrid",
            (false, None) => "legacy",
        }
    }

    /// Where `controller` is; `None` when this host does not have it.
    ///
    /// Device filters and freezing are parts of every group of version 2, so they are found there when version 1 does
    /// not have them.
    pub fn controller(&self, controller: Controller) -> Option<Place<'_>> {
        let place = |hierarchy: &'_ Hierarchy| hierarchy.controllers.contains(&controller);
        let inherent = matches!(controller, Controller::Devices | Controller::Freezer);
        self.hierarchies
            .iter()
            .find(|hierarchy| place(hierarchy))
            .or_else(|| self.unified().filter(|_| inherent))
            .map(|hierarchy| Place { hierarchy, version: hierarchy.version })
    }

    /// Whether the kernel offers `feature`, seen by its file. The root of version 2 has few files, so groups just
    /// below it are looked at too.
    pub fn supports(&self, feature: Feature) -> bool {
        let (controller, v1, v2): (_, &[&str], &[&str]) = match feature {
            Feature::BlkioWeight => {
                (Controller::Blkio, &["blkio.weight", "blkio.bfq.weight"], &["io.weight", "io.bfq.weight"])
            }
            Feature::MemorySwap => (Controller::Memory, &["memory.memsw.limit_in_bytes"], &["memory.swap.max"]),
            Feature::MemorySwappiness => (Controller::Memory, &["memory.swappiness"], &[]),
            Feature::MemoryPeak => (Controller::Memory, &["memory.max_usage_in_bytes"], &["memory.peak"]),
        };
        let Some(place) = self.controller(controller) else { return false };
        let has = |dir: &Path, files: &[&str]| files.iter().any(|name| dir.join(name).exists());
        match place.version {
            Version::V1 => has(&place.hierarchy.base, v1),
            Version::V2 => {
                let children = std::fs::read_dir(&place.hierarchy.base).into_iter().flatten().flatten();
                has(&place.hierarchy.base, v2) || children.map(|child| child.path()).any(|child| has(&child, v2))
            }
        }
    }
}

/// The mount that shows the hierarchy called `label`: one at the customary place if there are several, the youngest
/// of those, since it may cover an older one.
fn mount_of<'a>(mounts: &'a [Mount], label: &str) -> Option<&'a Mount> {
    let shows = |mount: &&Mount| match label {
        "" => mount.fs_type == "cgroup2",
        _ => {
            mount.fs_type == "cgroup" && label.split(',').all(|name| mount.super_options.split(',').any(|o| o == name))
        }
    };
    let customary = |mount: &&Mount| mount.mount_point.starts_with("/sys/fs/cgroup");
    let all = || mounts.iter().filter(shows);
    all().rfind(customary).or_else(|| all().next_back())
}

/// The directory of PID 1's group, seen through `mount`. systemd keeps itself in `init.scope`, beside which groups
/// are made; a path that leads out of the own cgroup namespace (`/..`) means the mount's own root.
fn base_of(mount: &Mount, path: &str) -> PathBuf {
    let path = path.strip_suffix("/init.scope").unwrap_or(path);
    let root = mount.root.to_string_lossy();
    let below = if root == "/" { Some(path) } else { path.strip_prefix(&*root) };
    match below.map(|path| path.trim_start_matches('/')) {
        Some(path) if !path.is_empty() && !path.starts_with("..") => mount.mount_point.join(path),
        _ => mount.mount_point.clone(),
    }
}

fn unified_controllers(base: &Path) -> Result<Vec<Controller>> {
    let names = file::read_if_there(base.join("cgroup.controllers"))?.unwrap_or_default();
    Ok(names.split_whitespace().flat_map(|name| Controller::named(name, Version::V2)).collect())
}

#[cfg(test)]
mod tests;
