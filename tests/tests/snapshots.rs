//! Snapshots of containers: taken, looked at, renamed, restored and removed, on each kind of pool.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::{Daemon, story};

/// The names of the snapshots of an instance, oldest first.
fn names(daemon: &Daemon, instance: &str) -> Vec<String> {
    let list = daemon.get(&format!("/1.0/instances/{instance}/snapshots?recursion=1"));
    let name = |one: &serde_json::Value| one["name"].as_str().expect("a name").to_string();
    list.as_array().expect("a list").iter().map(name).collect()
}

fn taken_and_removed(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        daemon.lxc(["init", "busybox", "c1"]).ok();
        for _ in 0..2 {
            daemon.lxc(["snapshot", "c1"]).ok();
        }
        daemon.lxc(["snapshot", "c1", "mine"]).ok();
        assert_eq!(names(&daemon, "c1"), ["snap0", "snap1", "mine"]);
        let paths = ["snap0", "snap1", "mine"].map(|name| format!("/1.0/instances/c1/snapshots/{name}"));
        assert_eq!(daemon.get("/1.0/instances/c1/snapshots"), json!(paths));
        let shown = daemon.get("/1.0/containers/c1/snapshots/mine");
        assert_eq!((&shown["expires_at"], &shown["stateful"]), (&json!("0001-01-01T00:00:00Z"), &json!(false)));
        assert_eq!(shown["expanded_devices"]["root"]["pool"], "default");
        assert_eq!(shown["profiles"], json!(["default"]));
        host.sh("test -d one/snapshots/c1/mine/rootfs; grep -q 'name: mine' one/containers/c1/backup.yaml");
        host.sh(
            "test $(stat -c %a one/snapshots/c1/mine/) = 100; test $(stat -c %a one/containers/c1/backup.yaml) = 400",
        );
        daemon.lxc(["move", "c1/mine", "c1/yours"]).ok();
        host.sh("test -d one/snapshots/c1/yours; test ! -e one/snapshots/c1/mine; grep -q yours one/containers/c1/backup.yaml");
        assert_eq!(names(&daemon, "c1"), ["snap0", "snap1", "yours"]);
        let listed = daemon.get("/1.0/storage-pools/default/volumes/container/c1/snapshots");
        assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed}");
        daemon.lxc(["delete", "c1/snap0", "c1/snap1"]).ok();
        assert_eq!(names(&daemon, "c1"), ["yours"]);
        daemon.lxc(["rename", "c1", "c2"]).ok();
        host.sh("test -d one/snapshots/c2/yours; test ! -e one/snapshots/c1; test -d one/containers/c2/rootfs; test ! -e one/containers/c1");
        daemon.lxc(["delete", "c2/yours"]).ok();
        host.sh("test ! -L one/snapshots/c2; test ! -e one/storage-pools/default/containers-snapshots/c2");
        daemon.lxc(["snapshot", "c2"]).ok();
        daemon.lxc(["delete", "c2"]).ok();
        host.sh("test -z \"$(ls -A one/snapshots one/containers one/storage-pools/default/containers* | grep -v :)\"");
    });
}

#[test]
fn snapshots_on_a_dir_pool() {
    taken_and_removed("dir");
}

#[test]
fn snapshots_on_an_overlay_pool() {
    taken_and_removed("overlay");
}

fn restored(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let sh = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]).ok().to_string();
        sh("echo one > /root/file; mkdir /root/only; echo kept > /root/kept");
        daemon.lxc(["snapshot", "c1", "first"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running", "it runs on after its snapshot");
        assert_eq!(sh("cat /root/file"), "one\n");
        sh("echo two > /root/file; rm -r /root/only /root/kept; touch /root/late");
        daemon.lxc(["config", "set", "c1", "limits.processes=100", "user.late=yes"]).ok();
        daemon.lxc(["storage", "volume", "set", "default", "container/c1", "user.a=b"]).ok();
        daemon.lxc(["snapshot", "c1", "second"]).ok();
        let uuid = daemon.lxc(["config", "get", "c1", "volatile.uuid"]).ok().to_string();
        daemon.lxc(["restore", "c1", "first"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running", "it runs again after a restore");
        assert_eq!(sh("cat /root/file /root/kept; test -d /root/only; test ! -e /root/late"), "one\nkept\n");
        assert_eq!(daemon.lxc(["config", "get", "c1", "user.late"]).ok(), "\n");
        assert_eq!(daemon.lxc(["config", "get", "c1", "volatile.uuid"]).ok(), uuid);
        daemon.lxc(["stop", "c1", "--force"]).ok();
        daemon.lxc(["restore", "c1", "second"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Stopped");
        assert_eq!(daemon.lxc(["config", "get", "c1", "user.late"]).ok(), "yes\n");
        let volume = daemon.get("/1.0/storage-pools/default/volumes/container/c1");
        assert_eq!(volume["config"]["user.a"], "b");
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(sh("cat /root/file; test -e /root/late"), "two\n");
        assert_eq!(names(&daemon, "c1"), ["first", "second"]);
    });
}

#[test]
fn a_container_is_restored_on_a_dir_pool() {
    restored("dir");
}

#[test]
fn a_container_is_restored_on_an_overlay_pool() {
    restored("overlay");
}

#[test]
fn what_cannot_be_is_refused() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["snapshot", "c1", "s"]).ok();
        let cases: [(&[&str], &str); 8] = [
            (&["snapshot", "c1", "s"], "already exists"),
            (&["snapshot", "c1", "a b"], "Invalid instance snapshot name: Cannot contain space or / characters"),
            (&["snapshot", "c1", "a/b"], "Invalid snapshot name: Cannot contain \"/\""),
            (&["snapshot", "c1", ".."], "Invalid snapshot name"),
            (&["snapshot", "c1", "--stateful"], "Unable to create a stateful snapshot. The instance isn't running"),
            (&["restore", "c1", "none"], "Snapshot c1/none does not exist"),
            (&["snapshot", "none"], "Instance not found"),
            (
                &["delete", "c1/none"],
                r#"Failed to fetch snapshot "none" of instance "c1" in project "default": InstanceSnapshot not found"#,
            ),
        ];
        for (arguments, words) in cases {
            let refused = daemon.lxc(arguments);
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
            assert_eq!(names(&daemon, "c1"), ["s"], "{arguments:?}");
        }
        daemon.lxc(["snapshot", "c1", "t"]).ok();
        let taken = daemon.lxc(["move", "c1/s", "c1/t"]);
        assert!(taken.refused().contains("Name 'c1/t' already in use"), "{}", taken.err);
    });
}
