//! Snapshots: taken, renamed, removed and restored from, with each step failing once.

use corten_host::undo::{every_step_unwinds, fail_step};

use super::world::{World, in_world};
use crate::app::instances::claims::Key;
use crate::app::instances::snapshots::{by_clock, change, remove, rename, take};
use crate::app::instances::{Instances, delete, restore, snapshots, update, view};

/// Takes a snapshot.
pub fn take_one(world: &World, key: &Key, name: &str) -> corten_api::error::Result<()> {
    let wanted = take::Wanted { name: name.into(), expires: None, stateful: false };
    take::take(&world.app, key, &wanted, None)
}

/// The text of the instance's backup file.
fn described(world: &World, key: &Key) -> String {
    let path = world.folder.join("lxd/storage-pools/p/containers").join(&key.1).join("backup.yaml");
    std::fs::read_to_string(path).expect("an instance has its file")
}

fn taking(driver: &'static str) {
    in_world(&format!("snapshot-{driver}"), driver, |world| {
        let key = world.create("c1");
        let (before, file) = (world.state(), described(world, &key));
        let clean = |step| {
            assert_eq!(world.state(), before, "after step {step}");
            assert_eq!(described(world, &key), file, "after step {step}");
        };
        every_step_unwinds(|| take_one(world, &key, "s"), clean);
        assert!(described(world, &key).contains("name: s"));
        take_one(world, &key, "s").expect_err("there is one");
        remove::remove(&world.app, &key, "s", None).expect("it can go");
        assert_eq!((world.state(), described(world, &key)), (before.clone(), file.clone()));
        take_one(world, &key, "s").expect("it is gone");
        delete::delete(&world.app, &key, None).expect("it can go with its snapshots");
        assert!(world.state().0.is_empty() && world.state().2.is_empty(), "{:?}", world.state());
    });
}

#[test]
fn taking_a_snapshot_unwinds_on_dir() {
    taking("dir");
}

#[test]
fn taking_a_snapshot_unwinds_on_overlay() {
    taking("overlay");
}

fn removing(driver: &'static str) {
    in_world(&format!("unsnapshot-{driver}"), driver, |world| {
        let key = world.create("c1");
        let (before, file) = (world.state(), described(world, &key));
        for step in 0.. {
            take_one(world, &key, "s").expect("a snapshot");
            fail_step(Some(step));
            let outcome = remove::remove(&world.app, &key, "s", None);
            fail_step(None);
            // What is gone does not come back, and what is left can be removed.
            if outcome.is_err() {
                remove::remove(&world.app, &key, "s", None).expect("it can be done again");
            }
            assert_eq!((world.state(), described(world, &key)), (before.clone(), file.clone()), "after step {step}");
            // The first step only writes down what is meant: a disk that is full must not keep a snapshot.
            if outcome.is_ok() && step > 0 {
                assert!(step > 1, "it has steps");
                break;
            }
        }
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}

#[test]
fn a_removal_of_a_snapshot_that_fails_can_be_done_again_on_dir() {
    removing("dir");
}

#[test]
fn a_removal_of_a_snapshot_that_fails_can_be_done_again_on_overlay() {
    removing("overlay");
}

fn changing(driver: &'static str) {
    in_world(&format!("snapshots-{driver}"), driver, |world| {
        let key = world.create("c1");
        take_one(world, &key, "old").expect("a snapshot");
        let root = world.folder.join("lxd/storage-pools/p/containers/c1");
        std::fs::write(root.join("metadata.yaml"), "changed\n").expect("it is ours");
        let before = world.state();
        let text = || std::fs::read_to_string(root.join("metadata.yaml")).expect("it is ours");
        every_step_unwinds(
            || restore::restore(&world.app, &key, "old", false, None),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(text(), "changed\n", "after step {step}");
            },
        );
        assert_ne!(text(), "changed\n");
        every_step_unwinds(
            || rename::rename(&world.app, &key, "old", "new", None),
            |step| assert_eq!(world.state(), before, "after step {step}"),
        );
        remove::remove(&world.app, &key, "new", None).expect("it can go");
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}

#[test]
fn changing_snapshots_unwinds_on_dir() {
    changing("dir");
}

#[test]
fn changing_snapshots_unwinds_on_overlay() {
    changing("overlay");
}

/// The names of the snapshots, once there are so many.
fn names_of(world: &World, key: &Key, count: usize) -> Vec<String> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let taken = snapshots::of(&world.app, &instance).expect("the database answers");
        if taken.len() == count {
            return taken.into_iter().map(|one| one.name).collect();
        }
        assert!(std::time::Instant::now() < deadline, "{taken:?}");
        std::thread::yield_now();
    }
}

#[test]
fn the_clock_takes_and_removes_snapshots() {
    in_world("clock", "overlay", |world| {
        let key = world.create("c1");
        let set = |pairs: &[(&str, &str)]| {
            let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
            let mut put = view::show(&instance, corten_api::status::StatusCode::Stopped).writable();
            put.config.extend(pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())));
            update::update(&world.app, &key, &put, None).expect("good keys");
        };
        set(&[("snapshots.schedule", "30 6 * * *"), ("snapshots.pattern", "auto%d"), ("snapshots.expiry", "1d")]);
        let at = |time: &str| by_clock::take_due(&world.app, time.parse().expect("a time")).expect("read");
        at("2026-11-23T06:30");
        set(&[("snapshots.schedule.stopped", "true")]);
        at("2026-11-23T06:29");
        at("2026-11-23T06:30");
        assert_eq!(names_of(world, &key, 1), ["auto0"], "only when it is due, and only of what may be stopped");
        by_clock::remove_expired(&world.app).expect("read");
        at("2026-11-24T06:30");
        assert_eq!(names_of(world, &key, 2), ["auto0", "auto1"], "they live for a day");
        let past = corten_api::time::Time::from_unix(1_700_000_000, 0);
        change::change(&world.app, &key, "auto0", past, None).expect("it is there");
        by_clock::remove_expired(&world.app).expect("read");
        assert_eq!(names_of(world, &key, 1), ["auto1"]);
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}
