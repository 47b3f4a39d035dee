//! A volume: what it is for, what is in it, its name on the pool and where that is on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a volume is for; decides the directory it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The root volume of a container.
    Container,
    /// The root volume of a virtual machine.
    VirtualMachine,
    /// An unpacked image that instances are made from.
    Image,
    /// A volume that users make and attach.
    Custom,
}

/// One line for each kind: its name in the API, its directory, the mode of that directory, and whether it has
/// snapshots.
const KINDS: [(Kind, &str, &str, u32, bool); 4] = [
    // Containers run as other users than root; each has a directory below with mode 0100, so 0711 is enough.
    (Kind::Container, "container", "containers", 0o711, true),
    (Kind::VirtualMachine, "virtual-machine", "virtual-machines", 0o700, true),
    (Kind::Image, "image", "images", 0o700, false),
    (Kind::Custom, "custom", "custom", 0o700, true),
];

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Container, Kind::VirtualMachine, Kind::Image, Kind::Custom];

    fn row(self) -> &'static (Kind, &'static str, &'static str, u32, bool) {
        KINDS.iter().find(|row| row.0 == self).unwrap_or(&KINDS[0])
    }

    /// The name in the API: `container`, `virtual-machine`, `image`, `custom`.
    pub fn api_name(self) -> &'static str {
        self.row().1
    }

    /// The kind with this name in the API.
    pub fn from_api_name(name: &str) -> Option<Kind> {
        KINDS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The directory in the pool.
    pub fn directory(self) -> &'static str {
        self.row().2
    }

    /// The directory in the pool for snapshots of this kind; `None` for a kind without snapshots.
    pub fn snapshot_directory(self) -> Option<String> {
        let (_, _, directory, _, snapshots) = self.row();
        snapshots.then(|| format!("{directory}-snapshots"))
    }

    /// Permission bits of both directories.
    pub fn directory_mode(self) -> u32 {
        self.row().3
    }

    /// Permission bits of a volume's own directory: an instance's is closed to all but its root.
    pub fn volume_mode(self) -> u32 {
        if matches!(self, Kind::Container | Kind::VirtualMachine) { 0o100 } else { 0o711 }
    }
}

/// What is in a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A tree of files.
    Filesystem,
    /// One raw disk.
    Block,
}

impl Content {
    /// The name in the API: `filesystem`, `block`.
    pub fn api_name(self) -> &'static str {
        match self {
            Content::Filesystem => "filesystem",
            Content::Block => "block",
        }
    }

    /// The content with this name in the API.
    pub fn from_api_name(name: &str) -> Option<Content> {
        [Content::Filesystem, Content::Block].into_iter().find(|content| content.api_name() == name)
    }
}

/// A volume or a snapshot of one, as the caller describes it; that it exists on the pool is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What it is for.
    pub kind: Kind,
    /// What is in it.
    pub content: Content,
    /// Its name on the pool (see [`storage_name`]); a snapshot's is `VOLUME/SNAPSHOT`.
    pub name: String,
    /// Its configuration, defaults of the pool filled in.
    pub config: BTreeMap<String, String>,
    /// The host's user id that the volume's directory belongs to: what root of the container is outside.
    pub owner: u32,
    /// The volume's row in the database, from which its project id for quotas is made; `None` means no quota.
    pub id: Option<u32>,
}

impl Volume {
    /// A volume of files without configuration that belongs to root.
    pub fn new(kind: Kind, name: impl Into<String>) -> Volume {
        let (content, config) = (Content::Filesystem, BTreeMap::new());
        Volume { kind, content, name: name.into(), config, owner: 0, id: None }
    }

    /// The same volume owned by this user of the host.
    #[must_use]
    pub fn owned_by(mut self, uid: u32) -> Volume {
        self.owner = uid;
        self
    }

    /// The snapshot `name` of this volume.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Volume {
        Volume { name: format!("{}/{name}", self.name), ..self.clone() }
    }

    /// Whether this is a snapshot.
    pub fn is_snapshot(&self) -> bool {
        self.name.contains('/')
    }

    /// The volume's name and, of a snapshot, the snapshot's.
    pub fn names(&self) -> (&str, Option<&str>) {
        match self.name.split_once('/') {
            Some((volume, snapshot)) => (volume, Some(snapshot)),
            None => (&self.name, None),
        }
    }

    /// Where the volume is below the pool's directory.
    pub fn path(&self, pool: &Path) -> PathBuf {
        if self.is_snapshot() {
            pool.join(format!("{}-snapshots", self.kind.directory())).join(&self.name)
        } else {
            pool.join(self.kind.directory()).join(&self.name)
        }
    }

    /// The directory of this volume's snapshots below the pool's directory; of a snapshot, the one it is in.
    pub fn snapshots_path(&self, pool: &Path) -> PathBuf {
        pool.join(format!("{}-snapshots", self.kind.directory())).join(self.names().0)
    }
}

/// The name on the pool of something called `name` in `project`: LXD puts the project before it, for instances only
/// outside the default project, for custom volumes always, for images never.
pub fn storage_name(kind: Kind, project: &str, name: &str) -> String {
    match kind {
        Kind::Image => name.to_string(),
        Kind::Custom => format!("{project}_{name}"),
        Kind::Container | Kind::VirtualMachine if project == "default" => name.to_string(),
        Kind::Container | Kind::VirtualMachine => format!("{project}_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_where_lxd_has_them() {
        let pool = Path::new("/p");
        let c1 = Volume::new(Kind::Container, storage_name(Kind::Container, "default", "c1"));
        assert_eq!(c1.path(pool), Path::new("/p/containers/c1"));
        assert_eq!(c1.snapshot("s0").path(pool), Path::new("/p/containers-snapshots/c1/s0"));
        assert_eq!(c1.snapshot("s0").names(), ("c1", Some("s0")));
        assert_eq!(c1.snapshots_path(pool), Path::new("/p/containers-snapshots/c1"));
        let data = Volume::new(Kind::Custom, storage_name(Kind::Custom, "default", "data"));
        assert_eq!(data.path(pool), Path::new("/p/custom/default_data"));
        assert_eq!(storage_name(Kind::Container, "web", "c1"), "web_c1");
        assert_eq!(storage_name(Kind::Image, "web", "0ab"), "0ab");
    }

    #[test]
    fn every_kind_has_its_row() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_api_name(kind.api_name()), Some(kind));
        }
        assert_eq!(Kind::Image.snapshot_directory(), None);
        assert_eq!(Kind::VirtualMachine.snapshot_directory().as_deref(), Some("virtual-machines-snapshots"));
    }
}
