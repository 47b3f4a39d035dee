//! Small images, made from Debian's own packages.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that are links to busybox in the small image.
const APPLETS: [&str; 40] = [
    "sh", "ls", "cat", "echo", "ps", "ip", "udhcpc", "mount", "umount", "sleep", "id", "hostname", "true", "false",
    "stat", "poweroff", "reboot", "passwd", "ping", "free", "top", "kill", "env", "pwd", "wc", "dd", "tty", "stty",
    "touch", "rm", "mkdir", "chown", "grep", "sed", "seq", "md5sum", "head", "route", "nc", "usleep",
];

/// The first process of the small image: waits for signals, and reaps.
const INITTAB: &str = "::sysinit:/bin/true\nconsole::respawn:/bin/sh -c 'echo console ready; exec /bin/sleep 100000'\n\
                       ::ctrlaltdel:/bin/poweroff\n::shutdown:/bin/true\n";

/// What `udhcpc` runs when it has a lease.
const UDHCPC: &str = "#!/bin/sh\ncase $1 in bound|renew) ip addr flush dev $interface; ip addr add $ip/$mask dev $interface;\n\
                      for r in $router; do ip route add default via $r; done;; esac\n";

/// Makes the root file system and `metadata.yaml` of a busybox image in `folder`.
///
/// # Panics
/// When busybox (Debian's busybox-static) is not installed.
pub fn busybox_tree(folder: &Path) {
    let root = folder.join("rootfs");
    for dir in ["bin", "sbin", "dev", "proc", "sys", "etc", "tmp", "root", "run", "var", "mnt", "etc/udhcpc"] {
        std::fs::create_dir_all(root.join(dir)).expect("a fresh folder");
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
    for applet in APPLETS {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).expect("a fresh folder");
    }
    std::os::unix::fs::symlink("../bin/busybox", root.join("sbin/init")).expect("a fresh folder");
    let files = [
        ("etc/inittab", INITTAB),
        ("etc/hostname", "busybox\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n"),
        ("etc/shadow", "root::19000:0:99999:7:::\n"),
        ("etc/group", "root:x:0:\nuser:x:1000:\n"),
        ("etc/udhcpc/default.script", UDHCPC),
    ];
    for (path, text) in files {
        std::fs::write(root.join(path), text).expect("a fresh folder");
    }
    use std::os::unix::fs::PermissionsExt;
    let script = root.join("etc/udhcpc/default.script");
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let metadata = "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  architecture: x86_64\n  \
                    description: Busybox x86_64\n  name: busybox-x86_64\n  os: Busybox\n";
    std::fs::write(folder.join("metadata.yaml"), metadata).expect("a fresh folder");
}

/// A unified busybox image as `folder/busybox.tar.gz`.
pub fn busybox(folder: &Path) -> PathBuf {
    let tree = folder.join("busybox-tree");
    let file = folder.join("busybox.tar.gz");
    if !file.exists() {
        busybox_tree(&tree);
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&tree).arg("--numeric-owner").arg("-czf").arg(&file).args(["metadata.yaml", "rootfs"]);
        crate::run::run(tar, b"").ok();
    }
    file
}

/// A unified busybox image as one squashfs, `folder/busybox.squashfs`; its content differs from [`busybox`]'s.
///
/// # Panics
/// When mksquashfs (Debian's squashfs-tools) fails.
pub fn busybox_squashfs(folder: &Path) -> PathBuf {
    let (tree, file) = (folder.join("busybox-squashed-tree"), folder.join("busybox.squashfs"));
    if !file.exists() {
        busybox_tree(&tree);
        let mut make = Command::new("mksquashfs");
        make.arg(&tree).arg(&file).args(["-quiet", "-no-progress", "-noappend"]);
        crate::run::run(make, b"").ok();
    }
    file
}

/// Packages of the Debian image beside the smallest system: what the article types, and an init.
const DEBIAN_PACKAGES: &str =
    "systemd,systemd-sysv,dbus,iproute2,iputils-ping,procps,login,passwd,isc-dhcp-client,libpam-systemd";

/// A Debian 12 system whose init is systemd, as a split image: `metadata.tar` and `rootfs.squashfs` in a folder that all
/// runs of a build share. Made once, by mmdebstrap from the machine's own package sources; call it before
/// [`crate::story`], since a story's own network reaches nothing.
///
/// # Panics
/// When mmdebstrap or mksquashfs fail.
pub fn debian() -> PathBuf {
    let folder = target_folder().join("debian-image");
    std::fs::create_dir_all(&folder).expect("the build's folder is ours");
    // Several tests that run at once wait for the one that makes it.
    let lock = std::fs::File::create(folder.join("lock")).expect("the build's folder is ours");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("a lock");
    let (rootfs, metadata) = (folder.join("rootfs.squashfs"), folder.join("metadata.tar"));
    if rootfs.exists() && metadata.exists() {
        return folder;
    }
    let scratch = folder.join(format!("making-{}", std::process::id()));
    std::fs::create_dir(&scratch).expect("the build's folder is ours");
    let mut make = Command::new("mmdebstrap");
    make.args(["--quiet", "--variant=minbase", "--include", DEBIAN_PACKAGES, "bookworm"]).arg(scratch.join("rootfs"));
    crate::run::run(make, b"").ok();
    let finish = "cd \"$0\"; rm -f rootfs/etc/hostname; rm -rf rootfs/var/cache/apt/* rootfs/var/lib/apt/lists/*; : > rootfs/etc/machine-id
                  printf 'architecture: x86_64\\ncreation_date: 1700000000\\nproperties:\\n  description: Debian 12\\n  os: Debian\\n' > metadata.yaml
                  tar -cf metadata.tar metadata.yaml; mksquashfs rootfs rootfs.squashfs -quiet -no-progress -comp zstd -noappend
                  mv rootfs.squashfs ..; mv metadata.tar ..; cd ..; rm -rf \"$0\"";
    let mut shell = Command::new("sh");
    shell.args(["-ec", finish]).arg(&scratch);
    crate::run::run(shell, b"").ok();
    folder
}

/// A folder beside the build's programs.
fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let debug = test.ancestors().find(|folder| folder.join("deps").is_dir()).expect("a test is in a build's folder");
    debug.join("stories")
}
