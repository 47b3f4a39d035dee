//! The `overlay` driver: layers, their sharing and their end.

use std::fs;
use std::path::Path;

use corten_archive::watch::Watch;
use corten_storage::driver::{Root, View};
use corten_storage::fill::{Fill, ImageFiles};
use corten_storage::mounts;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;

use crate::dir::{limit_holds, read, verbs_unwind, write};
use crate::sandbox::{self, check_rootfs, container, listing};

const FINGERPRINT: &str = "0123456789abcdef";

fn launch(pool: &Pool, name: &str, files: &ImageFiles) -> Volume {
    let volume = container(name);
    let fill = Fill::Image { fingerprint: FINGERPRINT, files };
    pool.create_volume(&volume, &fill, &Watch::default()).expect("created").keep();
    volume
}

fn count(path: &Path) -> usize {
    fs::read_dir(path).expect("readable").count()
}

#[test]
fn every_form_of_image_is_a_layer() {
    sandbox::run("overlay::every_form_of_image_is_a_layer", |sandbox| {
        let pool = sandbox.pool("overlay");
        let empty = listing(pool.directory());
        // The last ones are no options of tar but other makers of images. No kernel mounts a squashfs of lzma, so those
        // are unpacked instead.
        for form in ["-z", "--zstd", "-j", "-J", "--lzma", "-S", "split", "squashfs", "split lzma", "squashfs lzma"] {
            let files = &match form {
                "split" => sandbox.split_image(),
                "squashfs" => sandbox.squashfs_image("gzip"),
                "split lzma" => sandbox.split_image_by("lzma"),
                "squashfs lzma" => sandbox.squashfs_image("lzma"),
                option => sandbox.unified_image(option),
            };
            assert!(!pool.has_image(FINGERPRINT));
            let c1 = launch(&pool, "c1", files);
            assert!(pool.has_image(FINGERPRINT));
            let held = ["rootfs.squashfs", "image.squashfs"]
                .map(|name| pool.directory().join("images").join(FINGERPRINT).join(name).exists());
            assert_eq!(held, [form == "split", form == "squashfs"], "{form}");
            let mounted = pool.mount_volume(&c1, View::Content).expect("mounted");
            check_rootfs(&mounted.path().join("rootfs"));
            assert_eq!(
                fs::read_to_string(mounted.path().join("metadata.yaml")).expect("there"),
                "architecture: x86_64\n"
            );
            assert!(mounted.path().join("templates/hostname.tpl").is_file());
            mounted.release().expect("released");
            let Root::Overlay { lower, upper, work } = pool.root(&c1).expect("a root") else { panic!("an overlay") };
            assert_eq!((lower.len(), upper.parent()), (1, work.parent()));
            check_rootfs(&lower[0]);
            assert!(pool.mount_volume(&c1, View::Content).is_err());
            assert!(pool.mount_volume(&c1, View::Files).is_ok());
            assert!(pool.delete_volume(&c1).is_err());
            pool.release_root(&c1);
            pool.delete_volume(&c1).expect("deleted");
            pool.delete_image(FINGERPRINT).expect("deleted");
            assert_eq!(listing(pool.directory()), empty);
        }
    });
}

#[test]
fn an_image_goes_with_its_last_container() {
    sandbox::run("overlay::an_image_goes_with_its_last_container", |sandbox| {
        let pool = sandbox.pool("overlay");
        let empty = listing(pool.directory());
        let files = sandbox.split_image();
        let c1 = launch(&pool, "c1", &files);
        pool.delete_image(FINGERPRINT).expect("marked");
        assert!(!pool.has_image(FINGERPRINT));
        assert_eq!(read(&pool, &c1, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
        // The same image comes back without being unpacked again: its files need not even be there.
        fs::remove_file(&files.meta).expect("removed");
        let c2 = launch(&pool, "c2", &files);
        pool.delete_image(FINGERPRINT).expect("marked");
        pool.delete_volume(&c1).expect("deleted");
        pool.unmount().expect("unmounted");
        pool.mount().expect("mounted again, and the image is still needed");
        assert_eq!(read(&pool, &c2, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
        pool.delete_volume(&c2).expect("deleted");
        assert_eq!(listing(pool.directory()), empty);
    });
}

#[test]
fn snapshots_are_stacked() {
    sandbox::run("overlay::snapshots_are_stacked", |sandbox| {
        let pool = sandbox.pool("overlay");
        let watch = Watch::default();
        let files = sandbox.unified_image("-z");
        let c1 = launch(&pool, "c1", &files);
        let layers = pool.directory().join("layers");
        pool.snapshot_volume(&c1, "fresh", &watch).expect("snapshot").keep();
        assert_eq!(count(&layers), 1, "nothing was written, so the image is the snapshot");
        write(&pool, &c1, "etc/new", "one");
        fs_remove(&pool, &c1, "etc/passwd");
        pool.snapshot_volume(&c1, "s1", &watch).expect("snapshot").keep();
        write(&pool, &c1, "etc/new", "two");
        pool.snapshot_volume(&c1, "s2", &watch).expect("snapshot").keep();
        write(&pool, &c1, "etc/new", "three");
        assert_eq!(count(&layers), 3);
        for (name, text) in [("s1", "one"), ("s2", "two")] {
            assert_eq!(read(&pool, &c1.snapshot(name), "etc/new"), text);
            assert!(read(&pool, &c1.snapshot(name), "etc/passwd").contains("No such file"));
        }
        assert!(read(&pool, &c1.snapshot("fresh"), "etc/passwd").starts_with("root:"));
        pool.delete_snapshot(&c1, "s1").expect("deleted");
        assert_eq!(count(&layers), 3, "the container still needs the layer");
        pool.restore_volume(&c1, "s2", &watch).expect("restored");
        assert_eq!(read(&pool, &c1, "etc/new"), "two");
        pool.restore_volume(&c1, "fresh", &watch).expect("restored");
        assert!(read(&pool, &c1, "etc/passwd").starts_with("root:"));
        assert!(read(&pool, &c1, "etc/new").contains("No such file"));
        assert_eq!(count(&layers), 3);
        pool.delete_snapshot(&c1, "s2").expect("deleted");
        assert_eq!(count(&layers), 1, "nobody needs the two below any more");
        pool.delete_snapshot(&c1, "fresh").expect("deleted");
        pool.delete_volume(&c1).expect("deleted");
        assert_eq!(count(&layers), 0);
    });
}

fn fs_remove(pool: &Pool, volume: &Volume, path: &str) {
    let mounted = pool.mount_volume(volume, View::Content).expect("mounted");
    fs::remove_file(mounted.path().join("rootfs").join(path)).expect("removed");
    mounted.release().expect("released");
}

#[test]
fn a_running_container_keeps_its_layer() {
    sandbox::run("overlay::a_running_container_keeps_its_layer", |sandbox| {
        let pool = sandbox.pool("overlay");
        let watch = Watch::default();
        let files = sandbox.split_image();
        let c1 = launch(&pool, "c1", &files);
        write(&pool, &c1, "etc/new", "one");
        fs_remove(&pool, &c1, "etc/passwd");
        let before = pool.root(&c1).expect("a root");
        pool.snapshot_volume(&c1, "s1", &watch).expect("snapshot").keep();
        let fill = Fill::Copy { pool: &pool, source: &c1, snapshots: &[], like: None };
        let c2 = container("c2");
        pool.create_volume(&c2, &fill, &watch).expect("copied").keep();
        let (dir, undo) = Pool::create("dir", "d", &sandbox.lxd_dir(), &mut Default::default()).expect("a pool");
        undo.keep();
        dir.create_volume(&c1, &fill, &watch).expect("copied to another pool").keep();
        assert_eq!(read(&dir, &c1, "etc/new"), "one");
        assert!(read(&dir, &c1, "etc/passwd").contains("No such file"));
        assert_eq!(pool.snapshots(&c1).expect("listed"), ["s1"]);
        assert_eq!(count(&pool.directory().join("layers")), 4, "nothing is left of the copying");
        assert_eq!(pool.root(&c1).expect("a root"), before);
        pool.release_root(&c1);
        pool.release_root(&c1);
        for volume in [&c1, &c2, &c1.snapshot("s1")] {
            assert_eq!(read(&pool, volume, "etc/new"), "one");
            assert!(read(&pool, volume, "etc/passwd").contains("No such file"), "{}", volume.name);
        }
        write(&pool, &c2, "etc/new", "two");
        assert_eq!(read(&pool, &c1, "etc/new"), "one");
    });
}

#[test]
fn copies_between_pools_keep_everything() {
    sandbox::run("overlay::copies_between_pools_keep_everything", |sandbox| {
        let overlay = sandbox.pool("overlay");
        let (dir, undo) = Pool::create("dir", "d", &sandbox.lxd_dir(), &mut Default::default()).expect("a pool");
        undo.keep();
        let watch = Watch::default();
        let files = sandbox.unified_image("-z");
        let c1 = launch(&overlay, "c1", &files);
        overlay.snapshot_volume(&c1, "s0", &watch).expect("snapshot").keep();
        write(&overlay, &c1, "etc/new", "one");
        let snapshots = ["s0".to_string()];
        for (from, to) in [(&overlay, &dir), (&dir, &overlay)] {
            let target = if to.driver_name() == "dir" { c1.clone() } else { container("back") };
            let fill = Fill::Copy { pool: from, source: &c1, snapshots: &snapshots, like: None };
            to.create_volume(&target, &fill, &watch).expect("copied").keep();
            let mounted = to.mount_volume(&target, View::Content).expect("mounted");
            check_rootfs(&mounted.path().join("rootfs"));
            mounted.release().expect("released");
            assert_eq!(read(to, &target, "etc/new"), "one");
            assert!(read(to, &target.snapshot("s0"), "etc/new").contains("No such file"));
            assert!(!to.path(&target).join("upper").exists());
        }
        assert!(!dir.path(&c1).join("layers").exists());
    });
}

#[test]
fn a_daemon_that_was_killed_leaves_nothing() {
    sandbox::run("overlay::a_daemon_that_was_killed_leaves_nothing", |sandbox| {
        let pool = sandbox.pool("overlay");
        let files = sandbox.split_image();
        let c1 = launch(&pool, "c1", &files);
        // The first mount makes a directory in the overlay's own one, which stays.
        assert!(read(&pool, &c1, "etc/passwd").starts_with("root:"));
        let before = listing(pool.directory());
        std::mem::forget(pool.mount_volume(&c1, View::Content).expect("mounted"));
        fs::create_dir_all(pool.directory().join("layers/11-22/upper")).expect("made");
        fs::create_dir_all(pool.directory().join("images/.tmp-x/rootfs")).expect("made");
        let next = Pool::open("overlay", "p", &sandbox.lxd_dir(), pool.config()).expect("opened");
        next.mount().expect("mounted");
        let root = next.root(&c1).expect("a root");
        assert!(matches!(root, Root::Overlay { .. }));
        assert!(!mounts::is_mount_point(&pool.path(&c1).join("rootfs")).expect("looked"));
        assert_eq!(listing(pool.directory()), before);
    });
}

#[test]
fn many_at_once_share_one_image() {
    sandbox::run("overlay::many_at_once_share_one_image", |sandbox| {
        let pool = sandbox.pool("overlay");
        let empty = listing(pool.directory());
        let files = sandbox.split_image();
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (pool, files) = (&pool, &files);
                scope.spawn(move || {
                    for round in 0..10 {
                        let c1 = launch(pool, &format!("c{thread}-{round}"), files);
                        write(pool, &c1, "etc/new", "text");
                        pool.snapshot_volume(&c1, "s0", &Watch::default()).expect("snapshot").keep();
                        assert!(matches!(pool.root(&c1), Ok(Root::Overlay { .. })));
                        pool.release_root(&c1);
                        assert_eq!(read(pool, &c1.snapshot("s0"), "etc/new"), "text");
                        pool.delete_snapshot(&c1, "s0").expect("deleted");
                        pool.delete_volume(&c1).expect("deleted");
                    }
                });
            }
        });
        pool.delete_image(FINGERPRINT).expect("deleted");
        assert_eq!(listing(pool.directory()), empty);
    });
}

#[test]
fn the_host_and_the_instance_never_both_have_it() {
    sandbox::run("overlay::the_host_and_the_instance_never_both_have_it", |sandbox| {
        let pool = sandbox.pool("overlay");
        let files = sandbox.split_image();
        let c1 = launch(&pool, "c1", &files);
        let times = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for host in [true, false, true, false] {
                let (pool, c1, times) = (&pool, &c1, &times);
                scope.spawn(move || {
                    for _ in 0..200 {
                        if host && let Ok(mounted) = pool.mount_volume(c1, View::Content) {
                            assert!(!pool.is_running(c1));
                            times.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            mounted.release().expect("released");
                        }
                        if !host && pool.root(c1).is_ok() {
                            assert!(!mounts::is_mount_point(&pool.path(c1).join("rootfs")).expect("looked"));
                            pool.release_root(c1);
                        }
                    }
                });
            }
        });
        assert!(times.into_inner() > 0);
    });
}

#[test]
fn every_step_of_every_verb_unwinds() {
    sandbox::run("overlay::every_step_of_every_verb_unwinds", |sandbox| verbs_unwind(sandbox, "overlay"));
}

#[test]
fn a_limit_is_a_project_quota() {
    sandbox::run("overlay::a_limit_is_a_project_quota", |sandbox| limit_holds(sandbox, "overlay"));
}
