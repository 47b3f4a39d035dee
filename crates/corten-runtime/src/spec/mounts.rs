//! What a container sees as files: its root, mounts, device nodes, and the network interfaces it is given.

use std::path::PathBuf;

use corten_host::netlink::cable::Cable;
use serde::{Deserialize, Serialize};

/// The root file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Where the files are.
    pub source: Source,
    /// The files carry the ids of the container (0 is root) and are mapped by the mount; otherwise they have been
    /// shifted on disk already. Means nothing in a privileged container.
    #[serde(default)]
    pub idmapped: bool,
    /// Nothing may be written.
    #[serde(default)]
    pub readonly: bool,
}

/// Where a root's files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A directory. Mounts below it come along.
    Tree {
        /// The directory.
        path: PathBuf,
    },
    /// Layers, joined by overlayfs inside the container's user namespace, with `userxattr`.
    Overlay {
        /// Read-only layers, the uppermost first.
        lower: Vec<PathBuf>,
        /// The layer that takes the changes.
        upper: PathBuf,
        /// An empty directory beside `upper` (same parent directory).
        work: PathBuf,
    },
}

/// One mount. Sources are the host's, targets are inside the container and never leave it, whatever links lie there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// A path on the host for a bind mount; else what the file system wants as its source (`tmpfs`, a block device).
    pub source: PathBuf,
    /// A directory of the host that `source`, which lies below it, must not lead out of, whatever links there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<PathBuf>,
    /// Where it goes, from the container's root; a leading slash changes nothing.
    pub target: PathBuf,
    /// The file system; `None` is a bind mount. One whose source is a path, a block device, is mounted on the host's side.
    #[serde(default)]
    pub fstype: Option<String>,
    /// Mount options as in fstab(5): `ro`, `nosuid`, `nodev`, `noexec`, `rbind`, `relatime`, …, `private`, `rslave`,
    /// and for a file system also its own (`size=1m`).
    #[serde(default)]
    pub options: Vec<String>,
    /// The source's ids are mapped as the container's (not for file systems that are mounted inside).
    #[serde(default)]
    pub idmapped: bool,
    /// Its attributes, such as `ro`, are not the container's to change.
    #[serde(default)]
    pub locked: bool,
    /// A missing source or target, or a refusal of the kernel, is passed over.
    #[serde(default)]
    pub optional: bool,
    /// What is made when the target is missing.
    #[serde(default)]
    pub create: Create,
}

impl Mount {
    /// Whether it is made on the host's side; the rest is mounted inside, with the container's rights.
    pub fn is_hosts(&self) -> bool {
        self.fstype.is_none() || self.source.is_absolute()
    }

    /// A recursive bind mount which makes its target.
    pub fn bind(source: impl Into<PathBuf>, target: impl Into<PathBuf>, create: Create) -> Mount {
        Mount {
            source: source.into(),
            target: target.into(),
            options: vec!["rbind".to_string()],
            create,
            ..Mount::default()
        }
    }
}

/// What is made when a mount's target is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Create {
    /// Nothing: it has to be there.
    #[default]
    No,
    /// An empty file, with its directories.
    File,
    /// A directory, with those above it.
    Dir,
}

/// A device node, made on the host side and bound into the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNode {
    /// Where it goes, from the container's root: `dev/net/tun`.
    pub path: PathBuf,
    /// Character or block.
    pub kind: NodeKind,
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Permission bits.
    pub mode: u32,
    /// Owner, as seen inside.
    #[serde(default)]
    pub uid: u32,
    /// Group, as seen inside.
    #[serde(default)]
    pub gid: u32,
}

/// The two kinds of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A character device.
    Char,
    /// A block device.
    Block,
}

/// A network interface given to the container before its first process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name on the host; empty with `cable`.
    #[serde(default)]
    pub host: String,
    /// A pair of interfaces to be made now, one end on the host and the other inside: quicker than moving one.
    #[serde(default)]
    pub cable: Option<Cable>,
    /// Its name inside.
    pub name: String,
    /// A real interface: comes back to the host under this name when the container ends.
    #[serde(default)]
    pub return_as: Option<String>,
}
