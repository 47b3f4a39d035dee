//! The `dir` driver: every verb, and every step of it undone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use corten_archive::watch::Watch;
use corten_host::undo::every_step_unwinds;
use corten_storage::driver::{Root, View};
use corten_storage::fill::Fill;
use corten_storage::mounts;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume};

use crate::sandbox::{self, Sandbox, check_rootfs, container, listing};

const FINGERPRINT: &str = "0123456789abcdef";

#[test]
fn volumes_live_and_go() {
    sandbox::run("dir::volumes_live_and_go", |sandbox| {
        let pool = sandbox.pool("dir");
        let empty = listing(pool.directory());
        let watch = Watch::default();
        for (number, files) in
            [sandbox.unified_image("-z"), sandbox.split_image(), sandbox.squashfs_image("zstd")].iter().enumerate()
        {
            let c1 = container(&format!("c{number}"));
            let fill = Fill::Image { fingerprint: FINGERPRINT, files };
            pool.create_volume(&c1, &fill, &watch).expect("created").keep();
            let path = pool.path(&c1);
            let metadata = fs::metadata(&path).expect("there");
            assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (0o100, 100_000));
            check_rootfs(&path.join("rootfs"));
            assert_eq!(fs::read_to_string(path.join("metadata.yaml")).expect("there"), "architecture: x86_64\n");
            assert!(path.join("templates/hostname.tpl").is_file());
            assert_eq!(pool.root(&c1).expect("a root"), Root::Tree(path.join("rootfs")));
            pool.release_root(&c1);
            assert!(pool.create_volume(&c1, &fill, &watch).is_err());
            story_of_snapshots(&pool, &c1, &watch);
            pool.delete_volume(&c1).expect("deleted");
            assert_eq!(listing(pool.directory()), empty);
        }
        pool.delete().expect("deleted");
        assert!(!pool.directory().exists());
    });
}

fn story_of_snapshots(pool: &Pool, c1: &Volume, watch: &Watch) {
    let file = pool.path(c1).join("rootfs/etc/new");
    fs::write(&file, "one").expect("written");
    pool.snapshot_volume(c1, "s0", watch).expect("snapshot").keep();
    fs::write(&file, "two").expect("written");
    pool.rename_snapshot(c1, "s0", "s1").expect("renamed").keep();
    assert_eq!(pool.snapshots(c1).expect("listed"), ["s1"]);
    let s1 = c1.snapshot("s1");
    let mounted = pool.mount_volume(&s1, View::Content).expect("mounted");
    assert_eq!(fs::read_to_string(mounted.path().join("rootfs/etc/new")).expect("there"), "one");
    assert!(fs::write(mounted.path().join("rootfs/etc/new"), "x").is_err());
    mounted.release().expect("released");
    assert!(!mounts::is_mount_point(&pool.path(&s1)).expect("looked"));
    let copy = container("copy");
    let snapshots = ["s1".to_string()];
    let fill = Fill::Copy { pool, source: c1, snapshots: &snapshots, like: None };
    pool.create_volume(&copy, &fill, watch).expect("copied").keep();
    check_rootfs(&pool.path(&copy).join("rootfs"));
    assert_eq!(pool.snapshots(&copy).expect("listed"), ["s1"]);
    pool.restore_volume(&copy, "s1", watch).expect("restored");
    assert_eq!(fs::read_to_string(pool.path(&copy).join("rootfs/etc/new")).expect("there"), "one");
    assert_eq!(fs::read_to_string(&file).expect("there"), "two");
    assert_eq!(pool.delete_volume(&copy).unwrap_err().to_string(), "Cannot remove a volume that has snapshots");
    pool.rename_volume(&copy, "other").expect("renamed").keep();
    let other = container("other");
    pool.delete_snapshot(&other, "s1").expect("deleted");
    pool.delete_volume(&other).expect("deleted");
    pool.delete_snapshot(c1, "s1").expect("deleted");
}

#[test]
fn every_step_of_every_verb_unwinds() {
    sandbox::run("dir::every_step_of_every_verb_unwinds", |sandbox| verbs_unwind(sandbox, "dir"));
}

/// The same for every driver: each verb fails at each step and leaves what was there.
pub fn verbs_unwind(sandbox: &Sandbox, driver: &str) {
    let watch = Watch::default();
    let lxd_dir = sandbox.lxd_dir();
    fs::create_dir_all(sandbox.disk().join("source")).expect("made");
    fs::create_dir_all(lxd_dir.join("storage-pools")).expect("made");
    let before = listing(&sandbox.disk());
    let pool = every_step_unwinds(
        || {
            let mut config =
                BTreeMap::from([("source".to_string(), sandbox.disk().join("source").to_string_lossy().into_owned())]);
            let (pool, undo) = Pool::create(driver, "p", &lxd_dir, &mut config)?;
            undo.keep();
            Ok::<_, corten_storage::error::Error>(pool)
        },
        |step| assert_eq!(listing(&sandbox.disk()), before, "step {step}"),
    );
    let files = sandbox.unified_image("-J");
    let c1 = container("c1");
    if pool.has_optimized_images() {
        let before = listing(pool.directory());
        every_step_unwinds(
            || pool.ensure_image(FINGERPRINT, &files, &watch),
            |step| assert_eq!(listing(pool.directory()), before, "step {step}"),
        );
    }
    let verb = |name: &str, work: &dyn Fn() -> corten_storage::error::Result<corten_host::undo::Undo>| {
        let before = listing(pool.directory());
        every_step_unwinds(
            || work().map(corten_host::undo::Undo::keep),
            |step| assert_eq!(listing(pool.directory()), before, "{name}, step {step}"),
        );
    };
    verb("create", &|| pool.create_volume(&c1, &Fill::Image { fingerprint: FINGERPRINT, files: &files }, &watch));
    verb("create empty", &|| pool.create_volume(&container("empty"), &Fill::Empty, &watch));
    write(&pool, &c1, "etc/new", "one");
    verb("snapshot", &|| pool.snapshot_volume(&c1, "s0", &watch));
    let snapshots = ["s0".to_string()];
    let copy = || {
        pool.create_volume(
            &container("c2"),
            &Fill::Copy { pool: &pool, source: &c1, snapshots: &snapshots, like: None },
            &watch,
        )
    };
    verb("copy", &copy);
    verb("rename", &|| pool.rename_volume(&container("c2"), "c3"));
    verb("rename a snapshot", &|| pool.rename_snapshot(&container("c3"), "s0", "s1"));
    let custom = Volume::new(Kind::Custom, "default_data");
    verb("create custom", &|| pool.create_volume(&custom, &Fill::Empty, &watch));
    write(&pool, &c1, "etc/new", "two");
    let before = listing(pool.directory());
    every_step_unwinds(
        || pool.restore_volume(&c1, "s0", &watch),
        |step| assert_eq!(listing(pool.directory()), before, "restore, step {step}"),
    );
    assert_eq!(read(&pool, &c1, "etc/new"), "one");
    pool.unmount().expect("unmounted");
    pool.mount().expect("mounted");
    pool.delete().expect("deleted");
    assert!(fs::read_dir(sandbox.disk().join("source")).expect("it stays").next().is_none());
}

/// Writes a file of a container's root through the host's view.
pub fn write(pool: &Pool, volume: &Volume, path: &str, text: &str) {
    let mounted = pool.mount_volume(volume, View::Content).expect("mounted");
    fs::write(mounted.path().join("rootfs").join(path), text).expect("written");
    mounted.release().expect("released");
}

/// Reads one.
pub fn read(pool: &Pool, volume: &Volume, path: &str) -> String {
    let mounted = pool.mount_volume(volume, View::Content).expect("mounted");
    let text = fs::read_to_string(mounted.path().join("rootfs").join(path)).unwrap_or_else(|error| error.to_string());
    mounted.release().expect("released");
    text
}

#[test]
fn bad_sources_have_lxds_words() {
    sandbox::run("dir::bad_sources_have_lxds_words", |sandbox| {
        let full = sandbox.disk().join("full");
        fs::create_dir_all(full.join("something")).expect("made");
        let inside = sandbox.lxd_dir().join("inside");
        fs::create_dir(&inside).expect("made");
        let missing = sandbox.disk().join("missing");
        let before = listing(&sandbox.disk());
        for (source, words) in [
            (&missing, format!("Source path '{}' doesn't exist", missing.display())),
            (&full, format!("Source path '{}' isn't empty", full.display())),
            (&inside, format!("Source path '{}' is within the LXD directory", inside.display())),
        ] {
            let mut config = BTreeMap::from([("source".to_string(), source.to_string_lossy().into_owned())]);
            let error = Pool::create("dir", "p", &sandbox.lxd_dir(), &mut config).map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), words);
        }
        for (name, words) in
            [("a/b", "Storage name cannot contain \"/\""), ("a b", "Storage name cannot contain white space")]
        {
            let error = Pool::create("dir", name, &sandbox.lxd_dir(), &mut BTreeMap::new()).map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), words);
        }
        fs::remove_dir(sandbox.lxd_dir().join("storage-pools")).expect("only this was made");
        assert_eq!(listing(&sandbox.disk()), before);
    });
}

#[test]
fn leftovers_go_when_the_pool_is_mounted() {
    sandbox::run("dir::leftovers_go_when_the_pool_is_mounted", |sandbox| {
        let pool = sandbox.pool("dir");
        let before = listing(pool.directory());
        fs::create_dir_all(pool.directory().join("containers/.tmp-c1-1-1/rootfs/bin")).expect("made");
        fs::create_dir_all(pool.directory().join("custom-snapshots/.tmp-x")).expect("made");
        pool.mount().expect("mounted");
        assert_eq!(listing(pool.directory()), before);
    });
}

#[test]
fn a_limit_is_a_project_quota() {
    sandbox::run("dir::a_limit_is_a_project_quota", |sandbox| limit_holds(sandbox, "dir"));
}

/// The same for every driver with quotas.
pub fn limit_holds(sandbox: &Sandbox, driver: &str) {
    let pool = &sandbox.pool(driver);
    if !sandbox.has_quotas {
        println!("SKIPPED a limit on {driver}: this kernel has no project quotas (CONFIG_QFMT_V2)");
        let c1 = container("c1");
        pool.create_volume(&c1, &Fill::Empty, &Watch::default()).expect("created").keep();
        pool.set_quota(&c1, Some(5 << 20)).expect("as LXD, this does nothing then");
        assert_eq!(pool.usage(&c1).expect("asked"), None);
        return;
    }
    let c1 = container("c1");
    pool.create_volume(&c1, &Fill::Empty, &Watch::default()).expect("created").keep();
    pool.set_quota(&c1, Some(5 << 20)).expect("limited");
    write(pool, &c1, "small", &"x".repeat(1 << 20));
    let used = pool.usage(&c1).expect("asked").expect("known");
    assert!((1 << 20..2 << 20).contains(&used), "{used}");
    let mounted = pool.mount_volume(&c1, View::Content).expect("mounted");
    let error = fs::write(mounted.path().join("rootfs/big"), vec![1; 6 << 20]).unwrap_err();
    assert!(matches!(error.kind(), std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::StorageFull), "{error}");
    mounted.release().expect("released");
    pool.set_quota(&c1, None).expect("unlimited");
    write(pool, &c1, "big", &"x".repeat(6 << 20));
    pool.delete_volume(&c1).expect("deleted");
}
