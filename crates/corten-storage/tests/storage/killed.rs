//! A daemon that is killed in the middle of a change: the next one finds the volume as it was, or changed whole.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use corten_archive::watch::Watch;
use corten_host::undo::{Undo, at_step};
use corten_storage::error::Result;
use corten_storage::fill::{Fill, ImageFiles};
use corten_storage::pool::Pool;

use crate::alike::look;
use crate::dir::write;
use crate::sandbox::{self, Sandbox, container};

const FINGERPRINT: &str = "0123";

/// A change, and its name for those who read of its failure.
type Verb = (&'static str, fn(&Pool, &ImageFiles) -> Result<()>);

const VERBS: &[Verb] = &[
    ("create", |pool, files| {
        let fill = Fill::Image { fingerprint: FINGERPRINT, files };
        pool.create_volume(&container("c1"), &fill, &Watch::default()).map(Undo::keep)
    }),
    ("snapshot", |pool, _| pool.snapshot_volume(&container("c0"), "s1", &Watch::default()).map(Undo::keep)),
    ("restore", |pool, _| pool.restore_volume(&container("c0"), "s0", &Watch::default())),
    ("copy", |pool, _| {
        let (c0, snapshots) = (container("c0"), ["s0".to_string()]);
        let fill = Fill::Copy { pool, source: &c0, snapshots: &snapshots, like: None };
        pool.create_volume(&container("c2"), &fill, &Watch::default()).map(Undo::keep)
    }),
    ("rename", |pool, _| pool.rename_volume(&container("c0"), "c2").map(Undo::keep)),
    ("rename a snapshot", |pool, _| pool.rename_snapshot(&container("c0"), "s0", "s1").map(Undo::keep)),
];

#[test]
fn nothing_is_half_done_on_dir() {
    sandbox::run("killed::nothing_is_half_done_on_dir", |sandbox| killed_everywhere(sandbox, "dir"));
}

#[test]
fn nothing_is_half_done_on_overlay() {
    sandbox::run("killed::nothing_is_half_done_on_overlay", |sandbox| killed_everywhere(sandbox, "overlay"));
}

fn killed_everywhere(sandbox: &Sandbox, driver: &str) {
    let files = sandbox.unified_image("-z");
    for (name, verb) in VERBS {
        let pool = prepare(sandbox, driver, &files);
        let before = look(&pool);
        verb(&pool, &files).expect("nobody is killed");
        let after = look(&pool);
        assert_ne!(before, after, "{name} changes something");
        pool.delete().expect("deleted");
        let mut step = 0;
        while killed_at(step, prepare(sandbox, driver, &files), *verb, files.clone()) {
            let next = Pool::open(driver, "p", &sandbox.lxd_dir(), Default::default()).expect("opened");
            next.mount().expect("mounted");
            let found = look(&next);
            assert!(found == before || found == after, "{driver}: {name} killed at step {step}: {found:#?}");
            assert_eq!(notes(next.directory()), Vec::<String>::new(), "{driver}: {name} killed at step {step}");
            // It can be done again, or undone, by the usual means.
            if found == before {
                verb(&next, &files).unwrap_or_else(|error| panic!("{driver}: {name} after step {step}: {error}"));
            }
            next.delete().expect("deleted");
            step += 1;
        }
        assert!(step > 0, "{name} has steps");
    }
}

/// A pool with a container that has a snapshot and was written to after it.
fn prepare(sandbox: &Sandbox, driver: &str, files: &ImageFiles) -> Pool {
    let old = Pool::open(driver, "p", &sandbox.lxd_dir(), Default::default()).expect("opened");
    old.delete().expect("deleted");
    let pool = sandbox.pool(driver);
    let (c0, watch) = (container("c0"), Watch::default());
    pool.create_volume(&c0, &Fill::Image { fingerprint: FINGERPRINT, files }, &watch).expect("created").keep();
    write(&pool, &c0, "etc/new", "one");
    pool.snapshot_volume(&c0, "s0", &watch).expect("snapshot").keep();
    write(&pool, &c0, "etc/new", "two");
    pool
}

/// Runs the change on a thread that stops for ever when it begins this step: to the disk it is as if it were killed.
/// False when the change ends before.
fn killed_at(step: usize, pool: Pool, verb: fn(&Pool, &ImageFiles) -> Result<()>, files: ImageFiles) -> bool {
    let (sender, receiver) = channel();
    let stopped: Sender<bool> = sender.clone();
    std::thread::spawn(move || {
        at_step(step, move || {
            stopped.send(true).expect("somebody waits");
            loop {
                std::thread::park();
            }
        });
        verb(&pool, &files).expect("nothing else is wrong");
        sender.send(false).expect("somebody waits");
    });
    receiver.recv().expect("one of both happens")
}

/// Names in the pool that are of something under way.
fn notes(pool: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["containers", "containers-snapshots", "images", "layers"] {
        let Ok(entries) = fs::read_dir(pool.join(directory)) else { continue };
        let names = entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
        found.extend(names.filter(|name| name.starts_with('.')));
    }
    found
}
