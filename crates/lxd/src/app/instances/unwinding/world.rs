//! An app with a pool of its own, in namespaces of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use corten_api::instance::InstancesPost;
use corten_api::storage_pool::StoragePoolsPost;
use corten_db::View;
use corten_db::table::{instances, snapshots, storage_volumes, volume_snapshots};
use corten_storage::fill::ImageFiles;

use super::super::claims::Key;
use super::super::create::{self, Origin};
use crate::app::App;
use crate::app::dirs::Dirs;
use crate::app::images::source::Ready;
use crate::rest::events::Events;
use crate::rest::operation::{Op, Plan};

/// An app on a folder of its own, in namespaces of this thread's own.
pub struct World {
    /// The app.
    pub app: Arc<App>,
    /// Where its `lxd` folder is.
    pub folder: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

/// Tells `tell` in a thread with namespaces of its own; without root it says so and tells nothing.
pub fn in_world(name: &str, driver: &'static str, tell: impl FnOnce(&World) + Send) {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: {name} needs root");
        return;
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            corten_host::namespace::enter_private().expect("root may have namespaces");
            let world = World::new(name, driver);
            tell(&world);
            std::fs::remove_dir_all(&world.folder).expect("it is ours");
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

impl World {
    fn new(name: &str, driver: &str) -> World {
        let folder = std::env::temp_dir().join(format!("corten-unwind-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let dirs = Dirs::at(Some(folder.join("lxd")), None);
        let runtime = crate::boot::runtime().expect("threads");
        let app = crate::boot::open(dirs, &runtime, Arc::new(Events::default())).expect("an app");
        let world = World { app, folder, _runtime: runtime };
        world.pool("p", driver);
        world
    }

    /// Makes a pool.
    pub fn pool(&self, name: &str, driver: &str) {
        let post = StoragePoolsPost { name: name.into(), driver: driver.into(), ..StoragePoolsPost::default() };
        crate::app::storage::create::create(&self.app, &post).expect("a pool");
    }

    /// A busybox image.
    pub fn image(&self) -> Ready {
        let file = self.folder.join("image.tar");
        let script = "mkdir -p rootfs/bin rootfs/sbin rootfs/dev rootfs/proc rootfs/sys rootfs/root
                      cp /bin/busybox rootfs/bin/; ln -sf ../bin/busybox rootfs/sbin/init
                      printf 'architecture: x86_64\\ncreation_date: 1\\n' > metadata.yaml; tar -cf image.tar metadata.yaml rootfs";
        let made = Command::new("sh").args(["-ec", script]).current_dir(&self.folder).status().expect("sh runs");
        assert!(made.success(), "busybox-static is installed");
        Ready {
            id: 0,
            fingerprint: "f".repeat(64),
            architecture: self.app.host.architecture.clone(),
            properties: BTreeMap::new(),
            profiles: Vec::new(),
            files: ImageFiles { meta: file, rootfs: None },
        }
    }

    /// The request for a container on the pool `p`.
    pub fn post(&self, name: &str) -> InstancesPost {
        let disk = [("type", "disk"), ("path", "/"), ("pool", "p")];
        let disk = disk.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let devices = BTreeMap::from([("root".to_string(), disk)]);
        InstancesPost { name: name.into(), devices, ..InstancesPost::default() }
    }

    /// Makes a container from the image.
    pub fn create(&self, name: &str) -> Key {
        let origin = Origin::Image(Box::new(self.image()));
        create::create(&self.app, "default", &self.post(name), &origin, None).expect("it can be made");
        ("default".to_string(), name.to_string())
    }

    /// What is there of instances: rows, and files below the daemon's folder but for databases and logs.
    pub fn state(&self) -> (Vec<String>, Vec<String>, Vec<PathBuf>) {
        let read = |view: &View<'_>| {
            let rows = instances::list(view, None)?;
            let rows = rows.iter().map(|row| format!("{:?}", (&row.name, &row.config, &row.devices)));
            let taken = snapshots::list(view, None)?;
            let taken = taken.iter().map(|row| format!("{:?}", (&row.instance, &row.name, &row.config)));
            let volumes = storage_volumes::list(view, None, None, None)?;
            // The ids that a custom volume's files have are its own affair: they are looked at by every start.
            let volumes = volumes.into_iter().map(|mut volume| {
                volume.config.retain(|key, _| !key.starts_with("volatile.idmap."));
                format!("{volume:?}")
            });
            let copies = volume_snapshots::list(view)?;
            let copies = copies.iter().map(|copy| format!("{:?}", (copy.volume_id, &copy.name)));
            Ok((rows.chain(taken).collect(), volumes.chain(copies).collect()))
        };
        let (rows, volumes) = self.app.view(read).expect("the database answers");
        let mut files = Vec::new();
        for part in ["containers", "snapshots"] {
            list(&self.folder.join("lxd").join(part), 2, &mut files);
        }
        for pool in ["p", "q"] {
            for part in ["containers", "containers-snapshots"] {
                list(&self.folder.join("lxd/storage-pools").join(pool).join(part), 2, &mut files);
            }
        }
        files.sort();
        (rows, volumes, files)
    }

    /// Files in this folder of the daemon's, and in those directly below.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        list(&self.folder.join("lxd").join(folder), 3, &mut files);
        files.sort();
        files
    }

    /// An operation of a client, for work that this thread does.
    pub fn operation(&self) -> Op {
        self.app.operations.token(Plan::new("default", "Test")).expect("an operation")
    }

    /// Interfaces of this world, and control groups of containers called `name`.
    pub fn kernel(&self, name: &str) -> (Vec<String>, Vec<PathBuf>) {
        let names = |path: &str| {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut names: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let mut groups = Vec::new();
        for hierarchy in std::iter::once(String::new()).chain(names("/sys/fs/cgroup")) {
            let path = Path::new("/sys/fs/cgroup").join(hierarchy).join(format!("lxc.payload.{name}"));
            groups.extend(path.is_dir().then_some(path));
        }
        (names("/sys/class/net"), groups)
    }
}

/// Adds what is in a folder, and in those below it, to `into`.
pub fn list(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        into.push(entry.path());
        if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&entry.path(), depth - 1, into);
        }
    }
}
