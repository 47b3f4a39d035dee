//! Every step of every verb made to fail once: after each failure the world is as before.

mod access_lists;
mod archives;
mod changes;
mod copies;
mod forwards;
mod killed;
mod migration;
mod snapshots;
mod world;

use std::collections::BTreeMap;

use corten_api::instance::InstancePut;
use corten_api::network::NetworksPost;
use corten_api::storage_pool_volume::StorageVolumesPost;
use corten_host::undo::every_step_unwinds;

use super::create::{self, Origin};
use super::stop::{self, Way};
use super::{Instances, delete, rename, start, update};
use crate::app::storage::custom::{self, Place};
use crate::app::storage::pools::Pools;
use world::in_world;

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
        let data = Place { pool: "p".into(), project: "default".into(), name: "data".into() };
        custom::create(&world.app, &data, &StorageVolumesPost::default(), None).expect("a volume");
        let disk = [("type", "disk"), ("pool", "p"), ("source", "data"), ("path", "/data")];
        let disk = disk.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        put.devices.insert("data".to_string(), disk);
        let socket = world.folder.join("proxy.sock");
        let listen = format!("unix:{}", socket.display());
        let proxy = [("type", "proxy"), ("listen", listen.as_str()), ("connect", "tcp:127.0.0.1:80")];
        let proxy = proxy.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        put.devices.insert("proxy".to_string(), proxy);
        let is_used = || Pools::get(&world.app, "p").expect("open").is_running(&data.volume(&BTreeMap::new()));
        update::update(&world.app, &key, &put, None).expect("a NIC");
        let (before, kernel) = (world.state(), world.kernel(name));
        every_step_unwinds(
            || start::start(&world.app, &key, None),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(world.kernel(name), kernel, "after step {step}");
                assert!(world.app.instances.running.get(&key).is_none(), "after step {step}");
                assert!(!is_used(), "after step {step}");
                assert!(!socket.exists(), "after step {step}");
            },
        );
        assert!(is_used() && socket.exists());
        let app = world.app.clone();
        std::thread::spawn(move || super::ended::listen(&app));
        stop::stop(&world.app, &key, Way::Force, None).expect("it can be stopped");
        assert!(!is_used() && !socket.exists());
        delete::delete(&world.app, &key, None).expect("it can go");
        custom::delete(&world.app, &data).expect("it can go");
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
