//! Copies, refreshes and moves, with each step failing once.

use corten_api::instance::{InstanceSource, InstancesPost};
use corten_host::undo::every_step_unwinds;

use super::snapshots::take_one;
use super::world::{World, in_world};
use crate::app::instances::claims::Key;
use crate::app::instances::copy::Source;
use crate::app::instances::create::{self, Origin};
use crate::app::instances::relocate::{self, Target};
use crate::app::instances::{delete, refresh};

fn source(world: &World, name: &str) -> Source {
    let asked = InstanceSource { source: name.into(), ..InstanceSource::default() };
    Source::find(&world.app, "default", &asked).expect("it is there")
}

/// Copies `from` to `to` on this pool.
fn copy(world: &World, from: &str, to: &str, pool: &str) -> corten_api::error::Result<()> {
    let mut post = InstancesPost { name: to.into(), profiles: Some(Vec::new()), ..world.post(to) };
    for disk in post.devices.values_mut() {
        disk.insert("pool".into(), pool.into());
    }
    let source = source(world, from);
    source.complete(&mut post)?;
    create::create(&world.app, "default", &post, &Origin::Copy(Box::new(source)), None)
}

fn key(name: &str) -> Key {
    ("default".into(), name.into())
}

fn copying(driver: &'static str) {
    in_world(&format!("copy-{driver}"), driver, |world| {
        let other = if driver == "dir" { "overlay" } else { "dir" };
        world.pool("q", other);
        let c1 = world.create("c1");
        take_one(world, &c1, "s").expect("a snapshot");
        let before = world.state();
        for (from, pool) in [("c1", "p"), ("c1", "q"), ("c1/s", "p"), ("c1/s", "q")] {
            let clean = |step| assert_eq!(world.state(), before, "{from} to {pool}, after step {step}");
            every_step_unwinds(|| copy(world, from, "c2", pool), clean);
            copy(world, from, "c2", pool).expect_err("there is one");
            delete::delete(&world.app, &key("c2"), None).expect("it can go");
            assert_eq!(world.state(), before, "{from} to {pool}");
        }
        copy(world, "c1", "c1", "p").expect_err("onto itself");
        delete::delete(&world.app, &c1, None).expect("it can go");
    });
}

#[test]
fn copying_unwinds_on_dir() {
    copying("dir");
}

#[test]
fn copying_unwinds_on_overlay() {
    copying("overlay");
}

fn refreshing(driver: &'static str) {
    in_world(&format!("refresh-{driver}"), driver, |world| {
        let c1 = world.create("c1");
        take_one(world, &c1, "old").expect("a snapshot");
        copy(world, "c1", "c2", "p").expect("a copy");
        take_one(world, &c1, "new").expect("a snapshot");
        take_one(world, &key("c2"), "own").expect("a snapshot");
        let source = source(world, "c1");
        refreshed(world, || refresh::refresh(&world.app, &key("c2"), &source, false));
    });
}

/// Lets `c2` become what `c1` is, which has a snapshot `new` where that has one of its own, with each step failing once.
pub fn refreshed(world: &World, refresh: impl FnMut() -> corten_api::error::Result<()>) {
    let before = world.state();
    every_step_unwinds(refresh, |step| assert_eq!(world.state().0, before.0, "after step {step}"));
    let rows = world.state().0.join("\n");
    assert!(rows.contains(r#"("c2", "new""#) && !rows.contains(r#""own""#), "{rows}");
    for name in ["c1", "c2"] {
        delete::delete(&world.app, &key(name), None).expect("it can go");
    }
    assert!(world.state().2.is_empty(), "{:?}", world.state());
}

#[test]
fn refreshing_unwinds_on_dir() {
    refreshing("dir");
}

#[test]
fn refreshing_unwinds_on_overlay() {
    refreshing("overlay");
}

fn moving(driver: &'static str) {
    in_world(&format!("move-{driver}"), driver, |world| {
        world.pool("q", if driver == "dir" { "overlay" } else { "dir" });
        let c1 = world.create("c1");
        take_one(world, &c1, "s").expect("a snapshot");
        let places = [("c1", Some("q")), ("c2", Some("p")), ("c3", None), ("c3", Some("q"))];
        let mut at = c1;
        for (name, pool) in places {
            let before = world.state();
            let to = Target { key: key(name), pool: pool.map(str::to_string), alone: false };
            every_step_unwinds(
                || relocate::relocate(&world.app, &at, &to, None),
                |step| assert_eq!(world.state(), before, "to {name} on {pool:?}, after step {step}"),
            );
            at = key(name);
        }
        delete::delete(&world.app, &at, None).expect("it can go");
        assert!(world.state().0.is_empty() && world.state().2.is_empty(), "{:?}", world.state());
    });
}

#[test]
fn moving_unwinds_on_dir() {
    moving("dir");
}

#[test]
fn moving_unwinds_on_overlay() {
    moving("overlay");
}
