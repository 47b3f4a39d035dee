//! Every step of every verb made to fail once: after each failure the world is as before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use corten_api::instance::{InstancePut, InstancesPost};
use corten_api::network::NetworksPost;
use corten_api::storage_pool::StoragePoolsPost;
use corten_db::table::{instances, storage_volumes};
use corten_host::undo::every_step_unwinds;
use corten_storage::fill::ImageFiles;

use super::claims::Key;
use super::create::{self, Origin};
use super::stop::{self, Way};
use super::{Instances, delete, rename, start, update};
use crate::app::App;
use crate::app::dirs::Dirs;
use crate::app::images::source::Ready;
use crate::rest::events::Events;

/// An app on a folder of its own, in namespaces of this thread's own.
struct World {
    app: Arc<App>,
    folder: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

/// Tells `tell` in a thread with namespaces of its own; without root it says so and tells nothing.
fn in_world(name: &str, driver: &'static str, tell: impl FnOnce(&World) + Send) {
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
        let post = StoragePoolsPost { name: "p".into(), driver: driver.into(), ..StoragePoolsPost::default() };
        crate::app::storage::create::create(&app, &post).expect("a pool");
        World { app, folder, _runtime: runtime }
    }

    fn image(&self) -> Ready {
        let file = self.folder.join("image.tar");
        let script = "mkdir -p rootfs/bin rootfs/sbin rootfs/dev rootfs/proc rootfs/sys rootfs/root
                      cp /bin/busybox rootfs/bin/; ln -sf ../bin/busybox rootfs/sbin/init
                      printf 'architecture: x86_64\\ncreation_date: 1\\n' > metadata.yaml; tar -cf image.tar metadata.yaml rootfs";
        let made = Command::new("sh").args(["-ec", script]).current_dir(&self.folder).status().expect("sh runs");
        assert!(made.success(), "busybox-static is installed");
        Ready {
            fingerprint: "f".repeat(64),
            architecture: self.app.host.architecture.clone(),
            properties: BTreeMap::new(),
            profiles: Vec::new(),
            files: ImageFiles { meta: file, rootfs: None },
        }
    }

    fn post(&self, name: &str) -> InstancesPost {
        let disk = [("type", "disk"), ("path", "/"), ("pool", "p")];
        let disk = disk.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let devices = BTreeMap::from([("root".to_string(), disk)]);
        InstancesPost { name: name.into(), devices, ..InstancesPost::default() }
    }

    fn create(&self, name: &str) -> Key {
        let origin = Origin::Image(Box::new(self.image()));
        create::create(&self.app, "default", &self.post(name), &origin, None).expect("it can be made");
        ("default".to_string(), name.to_string())
    }

    /// What is there of instances: rows, and files below the daemon's folder but for databases and logs.
    fn state(&self) -> (Vec<String>, Vec<String>, Vec<PathBuf>) {
        let (rows, volumes) = self
            .app
            .view(|view| Ok((instances::list(view, None)?, storage_volumes::list(view, None, None, None)?)))
            .expect("the database answers");
        let rows = rows.iter().map(|row| format!("{:?}", (&row.name, &row.config, &row.devices))).collect();
        let volumes = volumes.iter().map(|volume| format!("{volume:?}")).collect();
        let mut files = Vec::new();
        for part in ["containers", "storage-pools/p/containers"] {
            list(&self.folder.join("lxd").join(part), 2, &mut files);
        }
        files.sort();
        (rows, volumes, files)
    }

    /// Interfaces of this world, and control groups of containers called `name`.
    fn kernel(&self, name: &str) -> (Vec<String>, Vec<PathBuf>) {
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

fn list(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        into.push(entry.path());
        if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&entry.path(), depth - 1, into);
        }
    }
}

fn creation(driver: &'static str) {
    in_world(&format!("create-{driver}"), driver, |world| {
        let origin = Origin::Image(Box::new(world.image()));
        // The image is brought to the pool once, and stays.
        world.create("first");
        delete::delete(&world.app, &("default".into(), "first".into()), None).expect("it can go");
        let before = world.state();
        assert!(before.0.is_empty() && before.2.is_empty(), "{before:?}");
        let make = || create::create(&world.app, "default", &world.post("c1"), &origin, None);
        every_step_unwinds(make, |step| assert_eq!(world.state(), before, "after step {step}"));
        delete::delete(&world.app, &("default".into(), "c1".into()), None).expect("it can go");
        assert_eq!(world.state(), before);
    });
}

#[test]
fn creation_unwinds_on_dir() {
    creation("dir");
}

#[test]
fn creation_unwinds_on_overlay() {
    creation("overlay");
}

fn starting(driver: &'static str) {
    let name = if driver == "dir" { "unwind-start-d" } else { "unwind-start-o" };
    in_world(name, driver, |world| {
        let post = NetworksPost {
            name: "unwindbr0".into(),
            config: BTreeMap::from([
                ("ipv4.address".to_string(), "none".to_string()),
                ("ipv6.address".to_string(), "none".to_string()),
            ]),
            ..NetworksPost::default()
        };
        crate::app::networks::create::create(&world.app, &world.app.project("default").expect("the project"), &post)
            .expect("a bridge");
        let key = world.create(name);
        let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let mut put = super::view::show(&instance, corten_api::status::StatusCode::Stopped).writable();
        let nic = [("type", "nic"), ("network", "unwindbr0"), ("name", "eth0")];
        let nic = nic.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        put.devices.insert("eth0".to_string(), nic);
        update::update(&world.app, &key, &put, None).expect("a NIC");
        let (before, kernel) = (world.state(), world.kernel(name));
        every_step_unwinds(
            || start::start(&world.app, &key, None),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(world.kernel(name), kernel, "after step {step}");
                assert!(world.app.instances.running.get(&key).is_none(), "after step {step}");
            },
        );
        let app = world.app.clone();
        std::thread::spawn(move || super::ended::listen(&app));
        stop::stop(&world.app, &key, Way::Force, None).expect("it can be stopped");
        delete::delete(&world.app, &key, None).expect("it can go");
        crate::app::networks::change::delete(&world.app, "default", "unwindbr0").expect("it can go");
    });
}

#[test]
fn a_start_unwinds_on_dir() {
    starting("dir");
}

#[test]
fn a_start_unwinds_on_overlay() {
    starting("overlay");
}

#[test]
fn a_rename_unwinds() {
    in_world("rename", "dir", |world| {
        let key = world.create("before");
        let before = world.state();
        every_step_unwinds(
            || rename::rename(&world.app, &key, "after", None),
            |step| assert_eq!(world.state(), before, "after step {step}"),
        );
        delete::delete(&world.app, &("default".into(), "after".into()), None).expect("it can go");
    });
}

#[test]
fn a_refused_update_changes_nothing() {
    in_world("update", "dir", |world| {
        let key = world.create("c1");
        let before = world.state();
        let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let good = super::view::show(&instance, corten_api::status::StatusCode::Stopped).writable();
        let mut bad: Vec<InstancePut> = vec![good.clone(), good.clone(), good.clone(), good];
        bad[0].config.insert("no.such.key".into(), "1".into());
        bad[1].config.insert("limits.memory".into(), "much".into());
        bad[2].devices.remove("root");
        bad[3].profiles = vec!["no-such-profile".into()];
        for put in bad {
            update::update(&world.app, &key, &put, None).expect_err("it is wrong");
            assert_eq!(world.state(), before);
        }
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}
