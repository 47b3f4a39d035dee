//! Images that must not become volumes, and that leave nothing.

use std::fs;

use corten_archive::watch::Watch;
use corten_host::command::Command;
use corten_storage::fill::{Fill, ImageFiles};

use crate::sandbox::{self, container, listing};

#[test]
fn bad_images_leave_nothing() {
    sandbox::run("hostile::bad_images_leave_nothing", |sandbox| {
        for driver in ["dir", "overlay"] {
            let pool = sandbox.pool(driver);
            let before = listing(pool.directory());
            for (name, files, words) in bad_images(sandbox) {
                let fill = Fill::Image { fingerprint: "0123", files: &files };
                let outcome = pool.create_volume(&container("c1"), &fill, &Watch::default()).map(|_| ());
                let error = outcome.err().unwrap_or_else(|| panic!("{driver}, {name}: it was taken"));
                assert!(error.to_string().contains(words), "{driver}, {name}: {error}");
                assert_eq!(listing(pool.directory()), before, "{driver}, {name}");
            }
            pool.delete().expect("deleted");
        }
    });
}

fn bad_images(sandbox: &sandbox::Sandbox) -> Vec<(&'static str, ImageFiles, &'static str)> {
    let disk = sandbox.disk();
    let one = |name: &str, bytes: &[u8]| {
        let meta = disk.join(name);
        fs::write(&meta, bytes).expect("written");
        ImageFiles { meta, rootfs: None }
    };
    let good = fs::read(sandbox.unified_image("-z").meta).expect("readable");
    let split = sandbox.split_image();
    let squashfs = fs::read(split.rootfs.as_ref().expect("two files")).expect("readable");
    let no_rootfs = ImageFiles { meta: split.meta.clone(), rootfs: None };
    let cut_squashfs = disk.join("cut.squashfs");
    fs::write(&cut_squashfs, &squashfs[..squashfs.len() / 3]).expect("written");
    let full = disk.join("full.tar");
    let zeros = disk.join("rootfs");
    fs::create_dir_all(&zeros).expect("made");
    fs::File::create(zeros.join("big")).and_then(|file| file.set_len(600 << 20)).expect("a large file");
    let tar = Command::new("tar", "tar").arg("-C").arg(&disk).arg("-czf").arg(&full).arg("rootfs");
    tar.run().expect("an archive");
    fs::remove_dir_all(&zeros).expect("removed");
    let linked = |name: &str, path: &str, squash: bool| {
        let tree = disk.join(name);
        fs::create_dir_all(tree.join("rootfs")).expect("made");
        fs::create_dir_all(tree.join("templates")).expect("made");
        let _ = fs::remove_dir(tree.join(path));
        std::os::unix::fs::symlink("/etc", tree.join(path)).expect("linked");
        let meta = disk.join(format!("{name}.image"));
        if squash {
            corten_archive::squashfs::pack(&tree, &meta, "gzip").expect("packed");
        } else {
            let tar = Command::new("tar", "tar").arg("-C").arg(&tree).arg("-cf").arg(&meta).arg(".");
            tar.run().expect("an archive");
        }
        fs::remove_dir_all(&tree).expect("removed");
        ImageFiles { meta, rootfs: None }
    };
    vec![
        ("metadata is a link", linked("a", "metadata.yaml", false), "must be a plain file"),
        ("metadata is a link in a squashfs", linked("b", "metadata.yaml", true), "must be a plain file"),
        ("templates is a link", linked("c", "templates", true), "must be a plain directory"),
        ("a template is a link", linked("d", "templates/x", false), "must be a plain file"),
        ("the root is a link", linked("e", "rootfs", false), "Image is missing a rootfs"),
        ("the root is a link in a squashfs", linked("f", "rootfs", true), "Image is missing a rootfs"),
        ("garbage", one("garbage", &[7; 1000]), "Unsupported compression"),
        ("truncated", one("truncated", &good[..good.len() / 2]), "Unpack failed"),
        ("no root", no_rootfs, "Image is missing a rootfs"),
        ("cut squashfs", ImageFiles { meta: split.meta, rootfs: Some(cut_squashfs) }, "ailed"),
        ("too large", ImageFiles { meta: full, rootfs: None }, "Unable to unpack image, run out of disk space"),
    ]
}
