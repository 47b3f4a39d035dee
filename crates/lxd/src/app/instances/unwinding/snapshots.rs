//! Snapshots: taken, renamed, removed and restored from, with each step failing once.

use corten_host::undo::every_step_unwinds;

use super::world::{World, in_world};
use crate::app::instances::claims::Key;
use crate::app::instances::snapshots::{remove, rename, take};
use crate::app::instances::{delete, restore};

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
