//! Custom volumes as disks of containers: whose files they are, who may share them, and what outlives the daemon.
#![forbid(unsafe_code)]

use stories::daemon::Daemon;
use stories::story;

/// A daemon with a pool, an image, and the volume `data`.
fn with_volume(daemon: &Daemon, driver: &str, keys: &[&str]) {
    daemon.with_pool(driver);
    daemon.import_busybox("busybox");
    daemon.lxc(["storage", "volume", "create", "default", "data"].iter().chain(keys)).ok();
}

fn owner(daemon: &Daemon, name: &str, path: &str) -> String {
    daemon.lxc(["exec", name, "--", "stat", "-c", "%u:%g", path]).ok().trim().to_string()
}

#[test]
fn a_volume_is_attached_used_and_detached() {
    story(|host| {
        let mut daemon = host.daemon();
        with_volume(&daemon, "overlay", &[]);
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        daemon.lxc(["storage", "volume", "attach", "default", "data", "c1", "/srv/data"]).ok();
        daemon.lxc(["exec", "c1", "--", "touch", "/srv/data/file"]).ok();
        assert_eq!(owner(&daemon, "c1", "/srv/data/file"), "0:0");
        host.sh("test -e one/storage-pools/default/custom/default_data/file");
        let users = daemon.get("/1.0/storage-pools/default/volumes/custom/data")["used_by"].clone();
        assert_eq!(users, serde_json::json!(["/1.0/instances/c1"]));
        assert!(daemon.lxc(["storage", "volume", "delete", "default", "data"]).refused().contains("still in use"));

        // The next daemon knows that it is used.
        daemon.kill();
        daemon.begin();
        daemon.lxc(["exec", "c1", "--", "stat", "/srv/data/file"]).ok();
        let changed = daemon.lxc(["storage", "volume", "set", "default", "data", "security.shifted=true"]);
        assert!(changed.refused().contains("Cannot modify shifting with running instances using the volume"));

        daemon.lxc(["storage", "volume", "detach", "default", "data", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "stat", "/srv/data/file"]).refused();
        daemon.lxc(["storage", "volume", "set", "default", "data", "security.shifted=true"]).ok();

        // A profile brings it, read-only, to whoever has the profile.
        daemon.lxc(["storage", "volume", "attach-profile", "default", "data", "default", "data", "/srv/data"]).ok();
        daemon.lxc(["exec", "c1", "--", "stat", "/srv/data/file"]).ok();
        daemon.lxc(["profile", "device", "set", "default", "data", "readonly=true"]).ok();
        daemon.lxc(["exec", "c1", "--", "touch", "/srv/data/other"]).refused();
        daemon.lxc(["restart", "-f", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "touch", "/srv/data/other"]).refused();
        daemon.lxc(["exec", "c1", "--", "stat", "/srv/data/file"]).ok();
        daemon.lxc(["storage", "volume", "detach-profile", "default", "data", "default"]).ok();
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["storage", "volume", "delete", "default", "data"]).ok();
    });
}

#[test]
fn files_belong_to_one_id_map_at_a_time() {
    story(|host| {
        let daemon = host.daemon();
        with_volume(&daemon, "dir", &[]);
        let disk = ["disk", "pool=default", "source=data", "path=/data"];
        let add = |name: &str| daemon.lxc(["config", "device", "add", name, "data"].iter().chain(&disk));
        let on_disk = || host.sh("stat -c %u one/storage-pools/default/custom/default_data").trim().to_string();
        daemon.lxc(["launch", "busybox", "priv", "-c", "security.privileged=true"]).ok();
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        daemon.lxc(["launch", "busybox", "c2", "-c", "security.idmap.isolated=true"]).ok();
        add("priv").ok();
        assert_eq!(on_disk(), "0");
        daemon.lxc(["exec", "priv", "--", "touch", "/data/file"]).ok();
        let refused = add("c1");
        assert!(
            refused.refused().contains("Idmaps of container \"priv\" and storage volume \"data\" are not identical")
        );
        daemon.lxc(["config", "device", "remove", "priv", "data"]).ok();
        add("c1").ok();
        assert_ne!(on_disk(), "0");
        assert_eq!(owner(&daemon, "c1", "/data/file"), "0:0");
        add("c2").refused();
        daemon.lxc(["delete", "-f", "c1"]).ok();
        add("c2").ok();
        assert_eq!(owner(&daemon, "c2", "/data/file"), "0:0");
        daemon.lxc(["delete", "-f", "priv", "c2"]).ok();
    });
}

#[test]
fn shifted_volumes_are_shared_by_all_and_unmapped_ones_are_left_alone() {
    story(|host| {
        let daemon = host.daemon();
        with_volume(&daemon, "dir", &["security.shifted=true"]);
        daemon.lxc(["storage", "volume", "create", "default", "raw", "security.unmapped=true"]).ok();
        let kinds: [(&str, &[&str]); 4] = [
            ("c1", &[]),
            ("c2", &["-c", "security.privileged=true"]),
            ("c3", &["-c", "security.idmap.isolated=true"]),
            ("c4", &["-c", "security.idmap.isolated=true"]),
        ];
        for (name, keys) in kinds {
            daemon.lxc(["launch", "busybox", name].iter().chain(keys)).ok();
            daemon.lxc(["storage", "volume", "attach", "default", "data", name, "/data"]).ok();
            daemon.lxc(["storage", "volume", "attach", "default", "raw", name, "/raw"]).ok();
        }
        daemon.lxc(["exec", "c1", "--", "sh", "-c", "touch /data/a && chown 123:456 /data/a"]).ok();
        for (name, _) in kinds {
            assert_eq!(owner(&daemon, name, "/data/a"), "123:456", "{name}");
            let raw = if name == "c2" { "0:0" } else { "65534:65534" };
            assert_eq!(owner(&daemon, name, "/raw"), raw, "{name}");
        }
        host.sh("test \"$(stat -c %u:%g one/storage-pools/default/custom/default_data/a)\" = 123:456");
        daemon.lxc(["restart", "-f", "c3"]).ok();
        assert_eq!(owner(&daemon, "c3", "/data/a"), "123:456");
        daemon.lxc(["delete", "-f", "c1", "c2", "c3", "c4"]).ok();
    });
}

#[test]
fn volumes_that_are_not_there_are_refused() {
    story(|host| {
        let daemon = host.daemon();
        with_volume(&daemon, "dir", &[]);
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let cases: [(&[&str], &str); 4] = [
            (&["pool=default", "source=none", "path=/x"], "Failed loading custom volume: Storage volume not found"),
            (&["pool=none", "source=data", "path=/x"], "Failed to get storage pool \"none\": Storage pool not found"),
            (&["pool=default", "source=container/c1", "path=/x"], "Using instance storage volumes is not supported"),
            (&["pool=default", "source=data", "path=/x", "shift=true"], "cannot be used with custom storage volumes"),
        ];
        for (options, words) in cases {
            let refused = daemon.lxc(["config", "device", "add", "c1", "d", "disk"].iter().chain(options));
            assert!(refused.refused().contains(words), "{options:?}: {} is not {words}", refused.err);
        }
    });
}
