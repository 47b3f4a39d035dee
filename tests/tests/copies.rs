//! Copies and moves of containers within a server, on and between both kinds of pools.
#![forbid(unsafe_code)]

use serde_json::{Value, json};
use stories::{Daemon, story};

/// A pool of each kind (`default` is of `driver`, `other` of the other one), the image, and a container that runs, with a
/// snapshot.
fn prepare(daemon: &Daemon, driver: &str) {
    daemon.with_pool(driver);
    daemon.lxc(["storage", "create", "other", if driver == "dir" { "overlay" } else { "dir" }]).ok();
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1", "-c", "user.a=b"]).ok();
    sh(daemon, "c1", "echo one > /root/file; mkdir -p /root/d/e; chown 1000:1000 /root/d");
    daemon.lxc(["snapshot", "c1", "first"]).ok();
    sh(daemon, "c1", "echo two > /root/file");
}

fn sh(daemon: &Daemon, instance: &str, script: &str) -> String {
    daemon.lxc(["exec", instance, "--", "sh", "-c", script]).ok().to_string()
}

fn config(daemon: &Daemon, instance: &str) -> Value {
    daemon.get(&format!("/1.0/instances/{instance}"))["config"].clone()
}

fn copied(driver: &str) {
    story(|host| {
        let daemon = host.daemon();
        prepare(&daemon, driver);
        let look = |name: &str, file: &str| {
            daemon.lxc(["start", name]).ok();
            assert_eq!(sh(&daemon, name, "cat /root/file; stat -c %u /root/d"), format!("{file}\n1000\n"), "{name}");
            daemon.lxc(["delete", name, "--force"]).ok();
        };
        for pool in ["default", "other"] {
            daemon.lxc(["copy", "c1", "c2", "-s", pool]).ok();
            assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running", "the source runs on");
            let (old, new) = (config(&daemon, "c1"), config(&daemon, "c2"));
            assert_eq!((&new["user.a"], &new["volatile.base_image"]), (&json!("b"), &old["volatile.base_image"]));
            assert_eq!(new["volatile.apply_template"], "copy");
            assert_ne!(new["volatile.uuid"], old["volatile.uuid"]);
            assert_eq!(daemon.get("/1.0/instances/c2/snapshots"), json!(["/1.0/instances/c2/snapshots/first"]));
            host.sh("test -d one/snapshots/c2/first/rootfs; grep -q first one/containers/c2/backup.yaml");
            look("c2", "two");
            daemon.lxc(["copy", "c1/first", "c3", "-s", pool]).ok();
            assert_eq!(daemon.get("/1.0/instances/c3/snapshots"), json!([]));
            look("c3", "one");
        }
        daemon.lxc(["copy", "c1", "c4", "--instance-only", "-c", "user.a=c", "-c", "user.d=e", "--ephemeral"]).ok();
        let made = daemon.get("/1.0/instances/c4");
        assert_eq!((&made["config"]["user.a"], &made["config"]["user.d"]), (&json!("c"), &json!("e")));
        assert_eq!((&made["ephemeral"], daemon.get("/1.0/instances/c4/snapshots")), (&json!(true), json!([])));
        let onto_itself = daemon.lxc(["copy", "c1", "c1"]);
        assert!(onto_itself.refused().contains("already exists"), "{}", onto_itself.err);
        daemon.lxc(["project", "create", "p", "-c", "features.images=false", "-c", "features.profiles=false"]).ok();
        daemon.lxc(["copy", "c1", "c1", "--target-project", "p"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1/snapshots?project=p").as_array().map(Vec::len), Some(1));
        daemon.lxc(["delete", "c1", "--project", "p"]).ok();
        daemon.lxc(["delete", "c1", "c4", "--force"]).ok();
        host.sh("test -z \"$(ls -A one/snapshots one/containers one/storage-pools/*/containers* | grep -v :)\"");
    });
}

#[test]
fn copies_from_a_dir_pool() {
    copied("dir");
}

#[test]
fn copies_from_an_overlay_pool() {
    copied("overlay");
}

fn refreshed(driver: &str) {
    story(|host| {
        let daemon = host.daemon();
        prepare(&daemon, driver);
        daemon.lxc(["copy", "c1", "c2", "-s", "other"]).ok();
        daemon.lxc(["copy", "c1", "c3"]).ok();
        sh(&daemon, "c1", "echo three > /root/file; rm -r /root/d");
        daemon.lxc(["snapshot", "c1", "second"]).ok();
        for (name, pool) in [("c2", "other"), ("c3", "default")] {
            daemon.lxc(["snapshot", name, "own"]).ok();
            daemon.lxc(["start", name]).ok();
            let refused = daemon.lxc(["copy", "c1", name, "--refresh", "-s", pool]);
            assert!(refused.refused().contains("Instance is running"), "{}", refused.err);
            daemon.lxc(["stop", name, "--force"]).ok();
            daemon.lxc(["copy", "c1", name, "--refresh", "--instance-only", "-s", pool]).ok();
            let taken = daemon.get(&format!("/1.0/instances/{name}/snapshots"));
            assert_eq!(taken.as_array().map(Vec::len), Some(2), "{taken}");
            daemon.lxc(["copy", "c1", name, "--refresh", "-s", pool]).ok();
            let paths = ["first", "second"].map(|snapshot| format!("/1.0/instances/{name}/snapshots/{snapshot}"));
            assert_eq!(daemon.get(&format!("/1.0/instances/{name}/snapshots")), json!(paths));
            daemon.lxc(["start", name]).ok();
            assert_eq!(sh(&daemon, name, "cat /root/file; test ! -e /root/d"), "three\n");
            daemon.lxc(["restore", name, "first"]).ok();
            assert_eq!(sh(&daemon, name, "cat /root/file"), "one\n");
        }
    });
}

#[test]
fn a_copy_is_refreshed_from_a_dir_pool() {
    refreshed("dir");
}

#[test]
fn a_copy_is_refreshed_from_an_overlay_pool() {
    refreshed("overlay");
}

fn moved(driver: &str) {
    story(|host| {
        let daemon = host.daemon();
        prepare(&daemon, driver);
        let refused = daemon.lxc(["move", "c1", "-s", "other"]);
        assert!(refused.refused().contains("Instance must be stopped to move between pools"), "{}", refused.err);
        daemon.lxc(["stop", "c1", "--force"]).ok();
        let uuid = config(&daemon, "c1")["volatile.uuid"].clone();
        daemon.lxc(["move", "c1", "-s", "other"]).ok();
        let now = daemon.get("/1.0/instances/c1");
        assert_eq!((&now["devices"]["root"]["pool"], &now["config"]["volatile.uuid"]), (&json!("other"), &uuid));
        host.sh("test -d one/storage-pools/other/containers-snapshots/c1/first; test -e one/snapshots/c1/first");
        host.sh("test -z \"$(ls -A one/storage-pools/default/containers one/storage-pools/default/containers-snapshots | grep -v :)\"");
        daemon.lxc(["move", "c1", "c2", "-s", "default"]).ok();
        host.sh("test ! -e one/containers/c1; test -d one/containers/c2/rootfs; grep -q 'name: c2' one/containers/c2/backup.yaml");
        daemon.lxc(["project", "create", "p", "-c", "features.images=false", "-c", "features.profiles=false"]).ok();
        daemon.lxc(["move", "c2", "c2", "--target-project", "p"]).ok();
        assert_eq!(daemon.get("/1.0/instances"), json!([]));
        host.sh("test -d one/containers/p_c2/rootfs; test -d one/snapshots/p_c2/first");
        daemon.lxc(["start", "c2", "--project", "p"]).ok();
        let cat = daemon.lxc(["exec", "c2", "--project", "p", "--", "cat", "/root/file"]);
        assert_eq!(cat.ok(), "two\n");
        daemon.lxc(["restore", "c2", "first", "--project", "p"]).ok();
        let cat = daemon.lxc(["exec", "c2", "--project", "p", "--", "cat", "/root/file"]);
        assert_eq!(cat.ok(), "one\n");
        daemon.lxc(["delete", "c2", "--force", "--project", "p"]).ok();
        host.sh("test -z \"$(ls -A one/snapshots one/containers one/storage-pools/*/containers* | grep -v :)\"");
    });
}

#[test]
fn a_container_moves_from_a_dir_pool() {
    moved("dir");
}

#[test]
fn a_container_moves_from_an_overlay_pool() {
    moved("overlay");
}

#[test]
fn volumes_are_copied_refreshed_and_moved() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["storage", "create", "other", "overlay"]).ok();
        let volume = |words: &[&str]| {
            daemon.lxc(["storage", "volume"].iter().chain(words)).ok();
        };
        let text = |pool: &str, name: &str| {
            host.sh(&format!("cat one/storage-pools/{pool}/custom/default_{name}/file")).trim().to_string()
        };
        let write = |word: &str| host.sh(&format!("echo {word} > one/storage-pools/default/custom/default_v/file"));
        volume(&["create", "default", "v", "user.a=b"]);
        write("one");
        volume(&["snapshot", "default", "v", "s"]);
        write("two");
        volume(&["copy", "default/v", "other/w"]);
        volume(&["copy", "default/v/s", "other/x"]);
        assert_eq!((text("other", "w"), text("other", "x")), ("two".to_string(), "one".to_string()));
        let snapshots = |pool: &str, name: &str| {
            let found = daemon.get(&format!("/1.0/storage-pools/{pool}/volumes/custom/{name}/snapshots"));
            found.as_array().map_or(0, Vec::len)
        };
        assert_eq!((snapshots("other", "w"), snapshots("other", "x")), (1, 0));
        write("three");
        volume(&["snapshot", "default", "v", "t"]);
        volume(&["copy", "default/v", "other/w", "--refresh"]);
        assert_eq!((text("other", "w").as_str(), snapshots("other", "w")), ("three", 2));
        volume(&["move", "other/w", "default/moved"]);
        assert_eq!((text("default", "moved").as_str(), snapshots("default", "moved")), ("three", 2));
        let shown = daemon.get("/1.0/storage-pools/default/volumes/custom/moved/snapshots/t");
        assert_eq!(shown["expires_at"], "0001-01-01T00:00:00Z");
    });
}
