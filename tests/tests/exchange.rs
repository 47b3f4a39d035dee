//! Backups and images go to Debian's LXD and come from it. Skipped where that is not installed.
#![forbid(unsafe_code)]

use stories::{Daemon, story};

const FILL: &str = "cd /root; echo one > file; ln file second; ln -s /nowhere link; mkfifo pipe; chown 1000:1000 file
                    dd if=/dev/zero of=holes bs=1 count=1 seek=50000000 2>/dev/null; chmod 4711 file";

const LOOK: &str = "cd /root; stat -c '%n %f %u:%g %h %s' * | sort; cat file";

fn with_container(daemon: &Daemon, driver: &str, name: &str) -> String {
    daemon.with_pool(driver);
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", name, "-c", "user.x=y"]).ok();
    daemon.lxc(["exec", name, "--", "sh", "-c", FILL]).ok();
    let seen = daemon.lxc(["exec", name, "--", "sh", "-c", LOOK]).ok().to_string();
    daemon.lxc(["stop", name, "--force"]).ok();
    daemon.lxc(["snapshot", name, "s0"]).ok();
    daemon.lxc(["storage", "volume", "create", "default", &format!("{name}-data"), "user.a=b"]).ok();
    daemon.lxc(["storage", "volume", "snapshot", "default", &format!("{name}-data"), "s0"]).ok();
    seen
}

/// Sends the container, an image made of it and the volume as files.
fn send(from: &Daemon, to: &Daemon, name: &str, seen: &str) {
    let file = |what: &str| format!("{name}-{what}");
    let data = file("data");
    from.lxc(["export", name, &file("backup.tar.gz")]).ok();
    from.lxc(["publish", name, "--alias", name]).ok();
    from.lxc(["image", "export", name, &file("image")]).ok();
    from.lxc(["storage", "volume", "export", "default", &data, &file("volume.tar.gz")]).ok();

    to.lxc(["import", &file("backup.tar.gz")]).ok();
    assert_eq!(to.get(&format!("/1.0/instances/{name}"))["config"]["user.x"], "y");
    for restored in [false, true] {
        if restored {
            to.lxc(["restore", name, "s0"]).ok();
        }
        to.lxc(["start", name]).ok();
        assert_eq!(to.lxc(["exec", name, "--", "sh", "-c", LOOK]).ok(), seen, "{name}, restored: {restored}");
        to.lxc(["stop", name, "--force"]).ok();
    }
    to.lxc(["delete", name]).ok();

    to.lxc(["image", "import", &format!("{}.tar.gz", file("image")), "--alias", name]).ok();
    to.lxc(["launch", name, name]).ok();
    assert_eq!(to.lxc(["exec", name, "--", "sh", "-c", LOOK]).ok(), seen, "{name} of an image");
    to.lxc(["delete", name, "--force"]).ok();

    to.lxc(["storage", "volume", "import", "default", &file("volume.tar.gz")]).ok();
    let volume = to.get(&format!("/1.0/storage-pools/default/volumes/custom/{data}"));
    assert_eq!(volume["config"]["user.a"], "b");
    let snapshots = to.get(&format!("/1.0/storage-pools/default/volumes/custom/{data}/snapshots"));
    assert_eq!(snapshots.as_array().map(Vec::len), Some(1));
    to.lxc(["storage", "volume", "delete", "default", &data]).ok();
}

fn exchange(driver: &'static str) {
    story(|host| {
        let Some(original) = Daemon::debian(host.folder(), "original") else { return };
        let ours = host.daemon();
        let of_original = with_container(&original, "dir", "theirs");
        let of_ours = with_container(&ours, driver, "ours");
        send(&original, &ours, "theirs", &of_original);
        send(&ours, &original, "ours", &of_ours);
    });
}

#[test]
fn files_go_both_ways_with_debians_lxd_on_dir() {
    exchange("dir");
}

#[test]
fn files_go_both_ways_with_debians_lxd_on_overlay() {
    exchange("overlay");
}
