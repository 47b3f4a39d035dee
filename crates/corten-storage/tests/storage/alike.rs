//! Whatever is done to volumes, `overlay` shows what `dir` shows: random stories told to both.

use std::fs;
use std::path::Path;

use corten_archive::watch::Watch;
use corten_storage::driver::View;
use corten_storage::error::Result;
use corten_storage::fill::Fill;
use corten_storage::pool::Pool;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::sandbox::{self, container};

/// Something that happens to one of three containers; paths and snapshots are of few, so that stories cross.
#[derive(Clone, Debug)]
enum Event {
    Write(u8, u8),
    Remove(u8, u8),
    MakeDirectory(u8, u8),
    Snapshot { of: u8, name: u8, running: bool },
    Restore(u8, u8),
    DeleteSnapshot(u8, u8),
    Copy { from: u8, to: u8, running: bool },
    CopySnapshot { from: u8, name: u8, to: u8 },
    Refill { from: u8, to: u8, running: bool },
    Rename(u8, u8),
    Delete(u8),
    Remount,
}

fn event() -> impl Strategy<Value = Event> {
    let (c, s, f) = (0..3u8, 0..3u8, 0..6u8);
    prop_oneof![
        4 => (c.clone(), f.clone()).prop_map(|(c, f)| Event::Write(c, f)),
        2 => (c.clone(), f.clone()).prop_map(|(c, f)| Event::Remove(c, f)),
        2 => (c.clone(), f).prop_map(|(c, f)| Event::MakeDirectory(c, f)),
        3 => (c.clone(), s.clone(), any::<bool>()).prop_map(|(of, name, running)| Event::Snapshot { of, name, running }),
        2 => (c.clone(), s.clone()).prop_map(|(c, s)| Event::Restore(c, s)),
        2 => (c.clone(), s.clone()).prop_map(|(c, s)| Event::DeleteSnapshot(c, s)),
        2 => (c.clone(), c.clone(), any::<bool>()).prop_map(|(from, to, running)| Event::Copy { from, to, running }),
        2 => (c.clone(), c.clone(), any::<bool>()).prop_map(|(from, to, running)| Event::Refill { from, to, running }),
        2 => (c.clone(), s, c.clone()).prop_map(|(from, name, to)| Event::CopySnapshot { from, name, to }),
        1 => (c.clone(), c.clone()).prop_map(|(from, to)| Event::Rename(from, to)),
        1 => c.prop_map(Event::Delete),
        1 => Just(Event::Remount),
    ]
}

/// Paths of the image's root, and new ones; some are below others. None is of a file with several names: written to in
/// an overlay, such a name becomes a file of its own.
const PATHS: [&str; 6] = ["etc/passwd", "etc/sub", "etc/sub/new", "new", "new/deep", "home/user"];

/// Tells the event to a pool. Its outcome must be the same on every pool, so that failures are results as well.
fn tell(pool: &Pool, event: &Event, number: usize) -> Result<()> {
    let watch = Watch::default();
    let name = |n: u8| format!("c{n}");
    let c = |n: u8| container(&name(n));
    let s = |n: u8| format!("s{n}");
    let at = |n: u8, work: &dyn Fn(&Path)| -> Result<()> {
        let mounted = pool.mount_volume(&c(n), View::Content)?;
        work(&mounted.path().join("rootfs"));
        mounted.release()
    };
    let running = |n: u8, running: bool, work: &dyn Fn() -> Result<()>| -> Result<()> {
        if running {
            pool.root(&c(n))?;
        }
        let outcome = work();
        if running {
            pool.release_root(&c(n));
        }
        outcome
    };
    // What the file system says about a path (a file where a directory should be) is the same on both, too.
    match *event {
        Event::Write(n, f) => at(n, &|root| drop(fs::write(root.join(PATHS[usize::from(f)]), format!("{number}")))),
        Event::Remove(n, f) => at(n, &|root| {
            let path = root.join(PATHS[usize::from(f)]);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }),
        Event::MakeDirectory(n, f) => at(n, &|root| drop(fs::create_dir_all(root.join(PATHS[usize::from(f)])))),
        Event::Snapshot { of, name, running: is } => {
            running(of, is, &|| pool.snapshot_volume(&c(of), &s(name), &watch).map(corten_host::undo::Undo::keep))
        }
        Event::Restore(n, name) => pool.restore_volume(&c(n), &s(name), &watch),
        Event::DeleteSnapshot(n, name) => pool.delete_snapshot(&c(n), &s(name)),
        Event::Copy { from, to, running: is } => running(from, is, &|| {
            let snapshots = pool.snapshots(&c(from))?;
            let fill = Fill::Copy { pool, source: &c(from), snapshots: &snapshots, like: None };
            pool.create_volume(&c(to), &fill, &watch).map(corten_host::undo::Undo::keep)
        }),
        Event::Refill { from, to, running: is } => running(from, is, &|| {
            pool.refill_volume(&c(to), &Fill::Copy { pool, source: &c(from), snapshots: &[], like: None }, &watch)
        }),
        Event::CopySnapshot { from, name, to } => {
            let fill = Fill::Copy { pool, source: &c(from).snapshot(&s(name)), snapshots: &[], like: None };
            pool.create_volume(&c(to), &fill, &watch).map(corten_host::undo::Undo::keep)
        }
        Event::Rename(from, to) => pool.rename_volume(&c(from), &name(to)).map(corten_host::undo::Undo::keep),
        Event::Delete(n) => {
            for snapshot in pool.snapshots(&c(n))? {
                pool.delete_snapshot(&c(n), &snapshot)?;
            }
            pool.delete_volume(&c(n))
        }
        Event::Remount => pool.unmount().and_then(|()| pool.mount()),
    }
}

/// Everything that the pool's containers and snapshots show.
pub fn look(pool: &Pool) -> Vec<String> {
    let mut lines = Vec::new();
    for n in 0..3 {
        let c = container(&format!("c{n}"));
        let mut volumes = vec![c.clone()];
        volumes.extend(pool.snapshots(&c).expect("listed").iter().map(|name| c.snapshot(name)));
        for volume in volumes.iter().filter(|volume| pool.has_volume(volume)) {
            let mounted = pool.mount_volume(volume, View::Content).expect("mounted");
            let rootfs = mounted.path().join("rootfs");
            let mut waiting = vec![rootfs.clone()];
            while let Some(path) = waiting.pop() {
                let is_directory = path.symlink_metadata().expect("there").is_dir();
                let content = if is_directory { None } else { fs::read(&path).ok() };
                let relative = path.strip_prefix(&rootfs).expect("below").display();
                lines.push(format!(
                    "{} {relative} {is_directory} {:?}",
                    volume.name,
                    content
                        .map(|bytes| bytes.len() * 1000 + bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>())
                ));
                if is_directory {
                    waiting.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
                }
            }
            mounted.release().expect("released");
        }
    }
    lines.sort();
    lines
}

#[test]
fn overlay_shows_what_dir_shows() {
    sandbox::run("alike::overlay_shows_what_dir_shows", |sandbox| {
        let files = sandbox.split_image();
        let stories = prop::collection::vec(event(), 1..25);
        let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&stories, |story| {
            let pools = ["dir", "overlay"].map(|driver| {
                // A story that failed is told again, shorter, on what it left.
                let old = Pool::open(driver, driver, &sandbox.lxd_dir(), Default::default()).expect("opened");
                old.delete().expect("deleted");
                let (pool, undo) =
                    Pool::create(driver, driver, &sandbox.lxd_dir(), &mut Default::default()).expect("a pool");
                undo.keep();
                let fill = Fill::Image { fingerprint: "0123", files: &files };
                pool.create_volume(&container("c0"), &fill, &Watch::default()).expect("created").keep();
                pool
            });
            for (number, event) in story.iter().enumerate() {
                let [dir, overlay] = pools.each_ref().map(|pool| tell(pool, event, number));
                prop_assert_eq!(dir.is_ok(), overlay.is_ok(), "{:?}: {:?}, {:?}", event, dir, overlay);
                let [dir, overlay] = pools.each_ref().map(look);
                prop_assert_eq!(dir, overlay, "after {:?}", event);
            }
            for n in 0..3 {
                tell(&pools[1], &Event::Delete(n), 0).expect("deleted");
            }
            pools[1].delete_image("0123").expect("deleted");
            let left = fs::read_dir(pools[1].directory().join("layers")).expect("readable").count();
            prop_assert_eq!(left, 0, "layers that nobody needs");
            pools.iter().for_each(|pool| pool.delete().expect("deleted"));
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    });
}
