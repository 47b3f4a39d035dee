//! Where a test with mounts runs: a private mount namespace and a filesystem that goes with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use corten_host::command::Command;
use corten_host::loop_device::LoopDevice;
use corten_host::mount::{self, options::Options};
use corten_host::rooted::remove;
use corten_storage::fill::ImageFiles;
use corten_storage::mounts;
use corten_storage::pool::Pool;
use corten_storage::volume::{Kind, Volume};

/// Set in the process that already is in its own namespace.
const INSIDE: &str = "CORTEN_STORAGE_TEST_INSIDE";

/// Runs `body` in a mount namespace of its own. `name` is the test's full name, by which it is found again.
pub fn run(name: &str, body: fn(&Sandbox)) {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED {name}: it mounts filesystems, which needs root");
        return;
    }
    if std::env::var_os(INSIDE).is_some() {
        let sandbox = Sandbox::new(name);
        body(&sandbox);
        return;
    }
    let program = std::env::current_exe().expect("this program has a path");
    let again = Command::new("unshare", "util-linux")
        .args(["-m", "--propagation", "private", "env", &format!("{INSIDE}=1")])
        .arg(program)
        .args(["--exact", name, "--nocapture", "--test-threads=1"]);
    if let Err(error) = again.run() {
        panic!("{error}");
    }
}

/// An LXD_DIR on an ext4 of its own, with project quotas.
pub struct Sandbox {
    base: PathBuf,
    /// Whether the kernel has project quotas.
    pub has_quotas: bool,
}

impl Sandbox {
    fn new(name: &str) -> Sandbox {
        let base =
            std::env::temp_dir().join(format!("corten-storage-{}-{}", name.replace("::", "-"), std::process::id()));
        fs::create_dir_all(base.join("disk")).expect("the temporary directory can be written");
        let file = base.join("ext4");
        fs::File::create_new(&file).and_then(|file| file.set_len(512 << 20)).expect("a file for the filesystem");
        let mounted = |features: &str, words: &[&str]| {
            let make = Command::new("mkfs.ext4", "e2fsprogs").args(["-q", "-F", "-O", features]).arg(&file);
            make.run().expect("a filesystem");
            let device = LoopDevice::attach(&file, false).expect("a loop device");
            mount::new("ext4", &device.path().to_string_lossy(), &Options::parse(words))
        };
        // Kernels without CONFIG_QFMT_V2 refuse a filesystem with quotas.
        let quotas = mounted("project,quota", &["prjquota"]);
        let has_quotas = quotas.is_ok();
        let tree = quotas.or_else(|_| mounted("^quota", &[])).expect("mounted");
        mount::attach(tree, rustix::fs::CWD, &base.join("disk")).expect("attached");
        fs::create_dir(base.join("disk/lxd")).expect("an LXD_DIR");
        Sandbox { base, has_quotas }
    }

    /// The directory of the sandbox's own filesystem.
    pub fn disk(&self) -> PathBuf {
        self.base.join("disk")
    }

    /// LXD_DIR.
    pub fn lxd_dir(&self) -> PathBuf {
        self.base.join("disk/lxd")
    }

    /// A pool of this driver.
    pub fn pool(&self, driver: &str) -> Pool {
        let mut config = BTreeMap::new();
        let (pool, undo) = Pool::create(driver, "p", &self.lxd_dir(), &mut config).expect("a pool");
        undo.keep();
        assert_eq!(config["source"], self.lxd_dir().join("storage-pools/p").to_string_lossy());
        pool
    }

    /// Makes the tree of an image's root: programs, links, a directory of another owner.
    pub fn rootfs(&self, at: &Path) {
        for directory in ["bin", "etc/sub", "tmp", "home/user"] {
            fs::create_dir_all(at.join(directory)).expect("made");
        }
        // Nothing that compresses: a cut archive must lack something.
        let noise = (0..100_000u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 ^ ((n * n) >> 7) as u8);
        fs::write(at.join("bin/busybox"), noise.collect::<Vec<u8>>()).expect("written");
        fs::set_permissions(at.join("bin/busybox"), fs::Permissions::from_mode(0o4755)).expect("mode");
        fs::hard_link(at.join("bin/busybox"), at.join("bin/sh")).expect("linked");
        symlink("/etc/sub/../passwd", at.join("etc/link")).expect("linked");
        fs::write(at.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").expect("written");
        std::os::unix::fs::chown(at.join("home/user"), Some(1000), Some(1000)).expect("owned");
        fs::set_permissions(at.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("mode");
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("mode");
    }

    /// An image in one file, compressed with `option` of GNU tar.
    pub fn unified_image(&self, option: &str) -> ImageFiles {
        let tree = self.tree();
        let meta = self.disk().join("unified.tar");
        let tar = Command::new("tar", "tar").arg("-C").arg(&tree).arg(option).arg("-cf").arg(&meta).arg(".");
        tar.run().expect("an archive");
        ImageFiles { meta, rootfs: None }
    }

    /// An image in two files, the root as squashfs.
    pub fn split_image(&self) -> ImageFiles {
        self.split_image_by("gzip")
    }

    /// The same, compressed otherwise.
    pub fn split_image_by(&self, compressor: &str) -> ImageFiles {
        let tree = self.tree();
        let (meta, rootfs) = (self.disk().join("meta.tar.xz"), self.disk().join("rootfs.squashfs"));
        let tar =
            Command::new("tar", "tar").arg("-C").arg(&tree).arg("-cJf").arg(&meta).args(["metadata.yaml", "templates"]);
        tar.run().expect("an archive");
        corten_archive::squashfs::pack(&tree.join("rootfs"), &rootfs, compressor).expect("a squashfs");
        ImageFiles { meta, rootfs: Some(rootfs) }
    }

    /// An image in one squashfs.
    pub fn squashfs_image(&self, compressor: &str) -> ImageFiles {
        let meta = self.disk().join("unified.squashfs");
        corten_archive::squashfs::pack(&self.tree(), &meta, compressor).expect("a squashfs");
        ImageFiles { meta, rootfs: None }
    }

    fn tree(&self) -> PathBuf {
        let tree = self.disk().join("tree");
        remove::tree(&tree).expect("removed");
        fs::create_dir_all(tree.join("templates")).expect("made");
        self.rootfs(&tree.join("rootfs"));
        // Names of the overlay driver's own, which must not arrive there.
        fs::write(tree.join("unwanted"), "").expect("written");
        fs::write(tree.join("rootfs.squashfs"), "no squashfs").expect("written");
        fs::write(tree.join("metadata.yaml"), "architecture: x86_64\n").expect("written");
        fs::write(tree.join("templates/hostname.tpl"), "{{ container.name }}\n").expect("written");
        tree
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The namespace takes its mounts with it; the loop device follows, and then the file may go.
        let _ = mounts::unmount_all(&self.base.join("disk"));
        remove::tree(&self.base).expect("removed");
    }
}

/// What the copy of [`Sandbox::rootfs`] must look like.
pub fn check_rootfs(at: &Path) {
    let look = |path: &str| fs::symlink_metadata(at.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(look("bin/busybox").mode() & 0o7777, 0o4755);
    assert_eq!(look("bin/busybox").size(), 100_000);
    assert_eq!(look("bin/busybox").ino(), look("bin/sh").ino());
    assert_eq!((look("home/user").uid(), look("home/user").gid()), (1000, 1000));
    assert_eq!(look("tmp").mode() & 0o7777, 0o1777);
    assert_eq!(fs::read_link(at.join("etc/link")).expect("a link"), Path::new("/etc/sub/../passwd"));
    assert_eq!(look("").mode() & 0o7777, 0o755);
}

/// All paths below a directory with type and size, mounts not entered; what must be the same before and after.
pub fn listing(at: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut waiting = vec![at.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("readable") {
            let path = entry.expect("readable").path();
            let metadata = fs::symlink_metadata(&path).expect("there");
            let mounted = mounts::is_mount_point(&path).expect("looked");
            let size = if metadata.is_dir() { 0 } else { metadata.size() };
            lines.push(format!("{} {:o} {size} {mounted}", path.display(), metadata.mode()));
            if metadata.is_dir() && !mounted {
                waiting.push(path);
            }
        }
    }
    lines.sort();
    lines
}

/// A container's volume.
pub fn container(name: &str) -> Volume {
    Volume { id: Some(7), ..Volume::new(Kind::Container, name).owned_by(100_000) }
}
