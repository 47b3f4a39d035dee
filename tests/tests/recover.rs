//! `lxd recover`: what a pool holds is taken up again by a server that does not know it.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::{Daemon, Host, story};

fn with_contents(daemon: &Daemon, driver: &str) {
    daemon.with_pool(driver);
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1", "-c", "user.x=y"]).ok();
    daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo one > /root/file"]).ok();
    daemon.lxc(["snapshot", "c1", "s0"]).ok();
    daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo two > /root/file; chown 1000 /root/file"]).ok();
    daemon.lxc(["storage", "volume", "create", "default", "v1"]).ok();
    daemon.lxc(["storage", "volume", "snapshot", "default", "v1", "snap0"]).ok();
}

/// Takes the rows away, as a disaster would.
fn forget(daemon: &Daemon) {
    for query in [
        "PRAGMA foreign_keys=ON; DELETE FROM instances",
        "PRAGMA foreign_keys=ON; DELETE FROM storage_volumes WHERE type != 1",
    ] {
        daemon.lxd(["sql", "global", query], b"").ok();
    }
}

fn look(daemon: &Daemon) {
    let config = daemon.get("/1.0/instances/c1")["config"].clone();
    assert_eq!(config["user.x"], "y");
    daemon.lxc(["start", "c1"]).ok();
    let seen = daemon.lxc(["exec", "c1", "--", "sh", "-c", "cat /root/file; stat -c %u /root/file"]).ok().to_string();
    assert_eq!(seen, "two\n1000\n");
    daemon.lxc(["stop", "c1", "--force"]).ok();
    daemon.lxc(["restore", "c1", "s0"]).ok();
    daemon.lxc(["start", "c1"]).ok();
    assert_eq!(daemon.lxc(["exec", "c1", "--", "cat", "/root/file"]).ok(), "one\n");
    daemon.lxc(["stop", "c1", "--force"]).ok();
    let snapshots = daemon.get("/1.0/storage-pools/default/volumes/custom/v1/snapshots");
    assert_eq!(snapshots, json!(["/1.0/storage-pools/default/volumes/custom/v1/snapshots/snap0"]));
}

fn recovering(driver: &'static str) {
    story(|host| {
        let mut daemon = host.daemon();
        with_contents(&daemon, driver);
        let nothing = daemon.lxd(["recover"], b"no\nyes\n");
        assert!(nothing.ok().ends_with("No unknown volumes found. Nothing to do.\n"), "{}", nothing.out);
        // A container that runs on is taken up as it runs.
        forget(&daemon);
        daemon.kill();
        daemon.begin();
        let found = daemon.lxd(["recover"], b"no\nyes\nyes\n").ok().to_string();
        for line in [
            "This LXD server currently has the following storage pools:\n - default (backend=",
            " - Container \"c1\" on pool \"default\" in project \"default\" (includes 1 snapshots)\n",
            " - Volume \"v1\" on pool \"default\" in project \"default\" (includes 1 snapshots)\n",
            "Starting recovery...\n",
        ] {
            assert!(found.contains(line), "{found} has no {line}");
        }
        assert_eq!(daemon.lxc(["exec", "c1", "--", "cat", "/root/file"]).ok(), "two\n");
        daemon.lxc(["stop", "c1", "--force"]).ok();
        look(&daemon);
        // What is missing is told; who says no gets nothing.
        daemon.lxc(["profile", "create", "p1"]).ok();
        daemon.lxc(["profile", "add", "c1", "p1"]).ok();
        daemon.lxc(["exec", "c1", "true"]).refused();
        forget(&daemon);
        daemon.lxc(["profile", "delete", "p1"]).ok();
        let missing = daemon.lxd(["recover"], b"no\nyes\n");
        assert!(
            missing
                .out
                .contains("You are currently missing the following:\n - Profile \"p1\" in project \"default\"\n"),
            "{}",
            missing.out
        );
        daemon.lxc(["profile", "create", "p1"]).ok();
        daemon.lxd(["recover"], b"no\nyes\nno\n").ok();
        assert_eq!(daemon.get("/1.0/instances"), json!([]));
        daemon.lxd(["recover"], b"no\nyes\nyes\n").ok();
        daemon.lxc(["delete", "c1"]).ok();
        daemon.lxc(["storage", "volume", "delete", "default", "v1"]).ok();
    });
}

#[test]
fn lost_records_of_snapshots_are_made_again() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["snapshot", "c1", "s0"]).ok();
        daemon.lxd(["sql", "global", "DELETE FROM storage_volumes_snapshots"], b"").ok();
        let words = "Instance snapshot record count doesn't match instance snapshot volume record count";
        assert!(daemon.lxc(["start", "c1"]).refused().contains(words));
        daemon.kill();
        daemon.begin();
        let shown = daemon.lxc(["storage", "volume", "show", "default", "container/c1/s0"]).ok().to_string();
        assert!(shown.contains("Auto repaired"), "{shown}");
        daemon.lxc(["start", "c1"]).ok();
    });
}

#[test]
fn a_pool_gives_everything_back_on_dir() {
    recovering("dir");
}

#[test]
fn a_pool_gives_everything_back_on_overlay() {
    recovering("overlay");
}

/// The answers that name the pool `default` of a driver at `source`, and want all of it.
fn answers(driver: &str, source: &std::path::Path) -> Vec<u8> {
    format!("yes\ndefault\n{driver}\n{}\n\nno\nyes\nyes\n", source.display()).into_bytes()
}

fn to_another_server(host: &Host, from: Daemon, driver: &str) {
    let config = from.get("/1.0/instances/c1")["config"].clone();
    from.lxc(["stop", "c1", "--force"]).ok();
    let source = host.folder().join("moved");
    host.sh(&format!("cp -a {}/storage-pools/default moved", from.dir.display()));
    drop(from);
    let daemon = host.another_daemon("fresh");
    let asked = daemon.lxd(["recover"], &answers(driver, &source));
    assert!(asked.ok().contains(&format!(" - NEW: \"default\" (backend={driver:?}, source=")), "{}", asked.out);
    assert_eq!(daemon.get("/1.0/instances/c1")["config"]["volatile.uuid"], config["volatile.uuid"]);
    assert_eq!(daemon.get("/1.0/storage-pools/default")["driver"], driver);
    look(&daemon);
    daemon.lxc(["delete", "c1"]).ok();
    daemon.lxc(["storage", "volume", "delete", "default", "v1"]).ok();
}

#[test]
fn a_pool_moves_to_another_server() {
    story(|host| {
        for driver in ["dir", "overlay"] {
            let daemon = host.another_daemon(driver);
            with_contents(&daemon, driver);
            let pool = daemon.dir.join("storage-pools/default");
            let answers = answers(driver, &pool);
            daemon.lxc(["stop", "c1", "--force"]).ok();
            // The server has lost all that it knew, the pool's own row too.
            forget(&daemon);
            let query = "PRAGMA foreign_keys=ON; DELETE FROM storage_volumes; DELETE FROM storage_pools";
            daemon.lxd(["sql", "global", query], b"").ok();
            daemon.lxd(["recover"], &answers).ok();
            look(&daemon);
        }
    });
}

#[test]
fn a_pool_that_debians_lxd_wrote_is_taken_up() {
    story(|host| {
        let Some(daemon) = Daemon::debian(host.folder(), "original") else { return };
        with_contents(&daemon, "dir");
        to_another_server(host, daemon, "dir");
    });
}
