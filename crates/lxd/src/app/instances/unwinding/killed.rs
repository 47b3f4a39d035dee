//! Moves and refreshes that a daemon was killed in, made by hand: the next one ends them or takes them back.

use corten_archive::watch::Watch;
use corten_db::table::snapshots;
use corten_host::undo::Undo;
use corten_storage::fill::Fill;
use corten_storage::volume::Volume;

use super::snapshots::take_one;
use super::world::in_world;
use crate::app::instances::intent::{self, Intent, Move, Renewal};
use crate::app::instances::{Instances, delete, recover, root};
use crate::app::storage::pools::Pools;

fn half_done(driver: &'static str) {
    in_world(&format!("killed-{driver}"), driver, |world| {
        let key = world.create("c1");
        take_one(world, &key, "s").expect("a snapshot");
        let instance = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let (pool, volume) = root::volume(&world.app, &instance).expect("it has one");
        let before = world.state();
        let meant = |intent: &Intent| {
            let mut undo = Undo::default();
            intent::note(&world.app, &key, intent, &mut undo).expect("written");
            undo.keep();
        };
        let to = |pool: &str, name: &str| {
            let (from_pool, project) = ("p".to_string(), "default".to_string());
            Intent::Move(Move { from_pool, pool: pool.into(), project, name: name.into() })
        };
        let end = |what: &str| {
            recover::recover(&world.app).expect("it can be ended");
            assert_eq!(world.state(), before, "{what}");
        };
        let moved = Volume { name: "c9".into(), ..volume.clone() };
        pool.rename_volume(&volume, &moved.name).expect("renamed").keep();
        meant(&to("p", "c9"));
        end("a volume's rows have not its name");
        world.pool("q", driver);
        let other = Pools::get(&world.app, "q").expect("a pool");
        let fill = Fill::Copy { pool: &pool, source: &volume, snapshots: &["s".to_string()], like: None };
        other.create_volume(&volume, &fill, &Watch::default()).expect("a copy").keep();
        meant(&to("q", "c1"));
        end("a copy on another pool that no row names");
        let row = world.app.view(|view| Ok(snapshots::get(view, instance.id, "s")?)).expect("read").expect("there");
        let row = snapshots::Snapshot { name: "t".into(), ..row };
        world.app.write(|tx| Ok(snapshots::insert(tx, &row)?)).expect("written");
        meant(&Intent::Refresh(Renewal::default()));
        end("a snapshot that was not copied yet");
        delete::delete(&world.app, &key, None).expect("it can go");
    });
}

#[test]
fn what_is_half_done_is_ended_on_dir() {
    half_done("dir");
}

#[test]
fn what_is_half_done_is_ended_on_overlay() {
    half_done("overlay");
}
