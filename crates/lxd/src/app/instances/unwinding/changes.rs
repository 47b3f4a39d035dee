//! Changes of what runs, and removal.

use std::collections::BTreeMap;

use corten_host::undo::{every_step_unwinds, fail_step};

use super::super::stop::{self, Way};
use super::super::{Instances, delete, ended, limits, start, update, view};
use super::world::in_world;

#[test]
fn a_live_update_unwinds() {
    let name = "unwind-update";
    in_world(name, "dir", |world| {
        let key = world.create(name);
        start::start(&world.app, &key, None).expect("it starts");
        let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let mut put = view::show(&instance, corten_api::status::StatusCode::Running).writable();
        let nic = [("type", "nic"), ("nictype", "p2p"), ("name", "eth0")];
        let nic: BTreeMap<_, _> = nic.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        put.devices.insert("eth0".to_string(), nic);
        put.config.insert("limits.memory".into(), "64MiB".into());
        put.config.insert("limits.processes".into(), "100".into());
        put.config.insert("security.syscalls.intercept.mount.allowed".into(), "ext4".into());
        let limit = || {
            let group = limits::group(&world.app, &instance).expect("it runs");
            let files = ["memory.limit_in_bytes", "memory.max", "pids.max"];
            let paths = group.members().iter().flat_map(|member| files.map(|file| member.path.join(file)));
            paths.filter_map(|path| std::fs::read_to_string(path).ok()).collect::<Vec<_>>()
        };
        let (before, kernel, unlimited) = (world.state(), world.kernel(name), limit());
        every_step_unwinds(
            || update::update(&world.app, &key, &put, None),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(world.kernel(name), kernel, "after step {step}");
                assert_eq!(limit(), unlimited, "after step {step}");
            },
        );
        assert_ne!(limit(), unlimited);
        let app = world.app.clone();
        std::thread::spawn(move || ended::listen(&app));
        stop::stop(&world.app, &key, Way::Force, None).expect("it can be stopped");
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}

#[test]
fn a_delete_that_fails_can_be_done_again() {
    in_world("delete", "dir", |world| {
        let before = world.state();
        for step in 0.. {
            let key = world.create("c1");
            fail_step(Some(step));
            let outcome = delete::delete(&world.app, &key, None);
            fail_step(None);
            if outcome.is_ok() {
                // The first step only writes down what is meant: a disk that is full must not keep an instance.
                if step > 0 {
                    assert!(step > 2, "it has steps");
                    break;
                }
            } else {
                assert_eq!(world.state().0.len(), 1, "after step {step}: it is still known");
                delete::delete(&world.app, &key, None).expect("it can be done again");
            }
            assert_eq!(world.state(), before, "after step {step}");
        }
    });
}
