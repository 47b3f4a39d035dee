//! Publishing, backups and imports: whichever step fails, nothing is left.

use corten_api::image::{ImageAlias, ImagesPost};
use corten_api::storage_pool::StoragePoolsPost;
use corten_api::storage_pool_volume::StorageVolumesPost;
use corten_api::time::Time;
use corten_archive::compress::Algorithm;
use corten_db::Which;
use corten_db::console;
use corten_db::table::backups::{self, Of};
use corten_db::table::storage_pools;
use corten_host::undo::{every_step_unwinds, fail_step};

use super::super::claims::Key;
use super::super::snapshots::take;
use super::super::{Instances, delete};
use super::world::{World, in_world};
use crate::app::backups::create::Wanted;
use crate::app::backups::{Owner, change, import, instance, receive};
use crate::app::images::delete as image_delete;
use crate::app::images::publish::{self, Source};
use crate::app::projects::quota::Quota;
use crate::app::recover::{self, scan};
use crate::app::storage::custom::{self, Place};

fn publishing(driver: &'static str) {
    in_world(&format!("publish-{driver}"), driver, |world| {
        let key = world.create("c1");
        let scope = world.app.project("default").expect("it is always there");
        let source = Source { instance: key.1.clone(), snapshot: None };
        let alias = ImageAlias { name: "a".into(), description: String::new() };
        let post = ImagesPost { aliases: vec![alias], ..ImagesPost::default() };
        let op = world.operation();
        let images = || {
            let all = world.app.list_images(&scope, false).expect("the database answers");
            (world.files("images").len(), all.len())
        };
        let before = world.state();
        every_step_unwinds(
            || publish::publish(&world.app, &scope, &source, &post, &op),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(images(), (0, 0), "after step {step}");
            },
        );
        assert_eq!(images(), (1, 1));
        // Its end: a step that fails leaves an image that can be deleted again.
        for step in 0.. {
            let all = world.app.list_images(&scope, false).expect("the database answers");
            fail_step(Some(step));
            let outcome = image_delete::delete(&world.app, "default", &all[0].fingerprint, None);
            fail_step(None);
            if outcome.is_ok() {
                break;
            }
            assert_eq!(images().1, 1, "after step {step}: it is still known");
        }
        assert_eq!((world.state(), images()), (before, (0, 0)));
        delete::delete(&world.app, &key, None).expect("it can go: nothing holds it");
    });
}

#[test]
fn publishing_unwinds_on_dir() {
    publishing("dir");
}

#[test]
fn publishing_unwinds_on_overlay() {
    publishing("overlay");
}

fn recovering(driver: &'static str) {
    in_world(&format!("recover-{driver}"), driver, |world| {
        let key = with_snapshot(world, "c1");
        let place = Place { pool: "p".into(), project: "default".into(), name: "v1".into() };
        custom::create(&world.app, &place, &StorageVolumesPost::default(), None).expect("a volume");
        let disaster = "DELETE FROM instances; DELETE FROM storage_volumes; DELETE FROM storage_pools";
        console::run(&world.app.db, Which::Global, disaster).expect("the rows go");
        let before = world.state();
        let source = world.folder.join("lxd/storage-pools/p").display().to_string();
        let post = StoragePoolsPost {
            name: "p".into(),
            driver: driver.into(),
            config: [("source".to_string(), source)].into(),
            ..StoragePoolsPost::default()
        };
        let pools = || world.app.view(|view| Ok(storage_pools::list(view)?.len())).expect("the database answers");
        every_step_unwinds(
            || {
                let mut found = scan::scan(&world.app, std::slice::from_ref(&post))?;
                recover::import::import(&world.app, &mut found)
            },
            |step| {
                let mut now = world.state();
                // The links of what nobody knows any more are as good as none.
                now.2.retain(|path| before.2.contains(path));
                let mut then = before.clone();
                then.2.retain(|path| now.2.contains(path));
                assert_eq!(now, then, "after step {step}");
                assert_eq!(pools(), 0, "after step {step}");
            },
        );
        assert_eq!(pools(), 1);
        delete::delete(&world.app, &key, None).expect("it can go, with its snapshot");
        custom::delete(&world.app, &place).expect("it can go");
    });
}

#[test]
fn recovering_unwinds_on_dir() {
    recovering("dir");
}

#[test]
fn recovering_unwinds_on_overlay() {
    recovering("overlay");
}

fn wanted(name: &str) -> Wanted {
    let algorithm = Algorithm::parse("none").expect("known");
    Wanted { name: name.into(), expires: Time::ZERO, without_snapshots: false, algorithm }
}

fn with_snapshot(world: &World, name: &str) -> Key {
    let key = world.create(name);
    let snapshot = take::Wanted { name: "s0".into(), expires: None, stateful: false };
    take::take(&world.app, &key, &snapshot, None).expect("a snapshot");
    key
}

fn backups(driver: &'static str) {
    in_world(&format!("backup-{driver}"), driver, |world| {
        let key = with_snapshot(world, "c1");
        let found = Instances::find(&world.app, &key.0, &key.1).expect("it is there");
        let owner = Owner::instance(&world.app, &found);
        let op = world.operation();
        let kept = || {
            let rows = world.app.view(|view| Ok(backups::all(view, Of::Instance)?)).expect("the database answers");
            let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
            (names, world.files("backups/instances"), world.files("backups").len())
        };
        let (before, none) = (world.state(), kept());
        every_step_unwinds(
            || instance::backup(&world.app, &found, &wanted("b0"), &op),
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(kept(), none, "after step {step}");
            },
        );
        let one = kept();
        every_step_unwinds(
            || change::rename(&world.app, &owner, "b0", "b1", None),
            |step| assert_eq!(kept(), one, "after step {step}"),
        );
        // What a client would have fetched.
        let file = std::fs::read(owner.folder.join("b1")).expect("it is there");
        delete::delete(&world.app, &key, None).expect("it can go, with its backups");
        assert_eq!(kept(), none);
        let before = world.state();
        let quota = Quota::new(None);
        every_step_unwinds(
            || {
                let sent = receive::receive(&world.app, file.as_slice(), &quota)?;
                import::import(&world.app, &import::look(&world.app, "default", sent, "", "c2")?, &op)
            },
            |step| {
                assert_eq!(world.state(), before, "after step {step}");
                assert_eq!(kept(), none, "after step {step}");
            },
        );
        assert_eq!(kept(), none);
        delete::delete(&world.app, &("default".into(), "c2".into()), None).expect("it can go");
        assert_eq!(world.state(), before);
    });
}

#[test]
fn backups_unwind_on_dir() {
    backups("dir");
}

#[test]
fn backups_unwind_on_overlay() {
    backups("overlay");
}
