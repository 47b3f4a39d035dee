//! Storage pools: made, shown, changed, kept over a restart, and removed.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::story;

#[test]
fn pools_are_made_shown_changed_and_removed() {
    story(|host| {
        let daemon = host.daemon();
        host.sh("mkdir store");
        let source = host.folder().join("store");
        daemon.lxc(["storage", "create", "store_lxd", "dir", &format!("source={}", source.display())]).ok();
        assert_eq!(daemon.get("/1.0/storage-pools"), json!(["/1.0/storage-pools/store_lxd"]));
        let mut pool = daemon.get("/1.0/storage-pools/store_lxd");
        // Nobody is `null` to the original, and an empty list here.
        assert!(pool["used_by"].as_array().is_none_or(Vec::is_empty), "{pool}");
        pool["used_by"] = json!([]);
        let wanted = json!({
            "config": {"source": source}, "description": "", "name": "store_lxd", "driver": "dir", "used_by": [],
            "status": "Created", "locations": ["none"],
        });
        assert_eq!(pool, wanted);
        daemon.lxc(["storage", "set", "store_lxd", "rsync.bwlimit", "1MB"]).ok();
        assert_eq!(daemon.lxc(["storage", "get", "store_lxd", "rsync.bwlimit"]).ok(), "1MB\n");
        daemon
            .lxc_with(
                ["storage", "edit", "store_lxd"],
                format!("config:\n  source: {}\ndescription: words\n", source.display()).as_bytes(),
            )
            .ok();
        assert_eq!(daemon.get("/1.0/storage-pools/store_lxd")["description"], "words");
        let resources = daemon.get("/1.0/storage-pools/store_lxd/resources");
        assert!(resources["space"]["total"].as_u64() > Some(0), "{resources}");
        let info = daemon.lxc(["storage", "info", "store_lxd"]);
        assert!(info.ok().contains("driver: dir"), "{}", info.out);
        daemon.lxc(["storage", "delete", "store_lxd"]).ok();
        assert_eq!(daemon.get("/1.0/storage-pools"), json!([]));
        host.sh("test -d store; test -z \"$(ls -A store)\"; test ! -e one/storage-pools/store_lxd");
    });
}

#[test]
fn bad_pools_are_refused_and_leave_nothing() {
    story(|host| {
        let daemon = host.daemon();
        host.sh("mkdir full; touch full/file");
        let full = format!("source={}", host.folder().join("full").display());
        let inside = format!("source={}", daemon.dir.join("images").display());
        let cases: [(&[&str], &str); 7] = [
            (&["a b", "dir"], "Storage name cannot contain white space"),
            (&["p", "nothing"], "Unknown driver"),
            (&["p", "dir", "source=/nonexistent"], "Source path '/nonexistent' doesn't exist"),
            (&["p", "dir", &full], "isn't empty"),
            (&["p", "dir", &inside], "is within the LXD directory"),
            (&["p", "dir", "zfs.pool_name=x"], "Invalid option \"zfs.pool_name\""),
            (&["p", "dir", "rsync.bwlimit=fast"], "Invalid value for option \"rsync.bwlimit\""),
        ];
        for (arguments, words) in cases {
            let refused = daemon.lxc(["storage", "create"].iter().chain(arguments));
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
            assert_eq!(daemon.get("/1.0/storage-pools"), json!([]), "{arguments:?}");
            host.sh("test -z \"$(ls -A one/storage-pools)\"; test -e full/file");
        }
        daemon.lxc(["storage", "create", "p", "dir"]).ok();
        let again = daemon.lxc(["storage", "create", "p", "dir"]);
        assert!(again.refused().contains("The storage pool already exists"), "{}", again.err);
        let moved = daemon.lxc(["storage", "set", "p", "source", "/elsewhere"]);
        assert!(moved.refused().contains("Pool source cannot be changed"), "{}", moved.err);
        assert!(daemon.lxc(["storage", "show", "none"]).refused().contains("Storage pool not found"));
    });
}

#[test]
fn pools_are_there_after_a_restart() {
    story(|host| {
        let mut daemon = host.daemon();
        host.sh("mkdir store");
        let source = format!("source={}", host.folder().join("store").display());
        daemon.lxc(["storage", "create", "bound", "dir", &source]).ok();
        daemon.with_pool("overlay");
        daemon.import_busybox("busybox");
        daemon.lxc(["init", "busybox", "c1", "-s", "bound"]).ok();
        let users = daemon.get("/1.0/storage-pools/default")["used_by"].clone();
        assert_eq!(users, json!(["/1.0/profiles/default"]));
        daemon.lxc(["init", "busybox", "c2"]).ok();
        let users = daemon.get("/1.0/storage-pools/default")["used_by"].clone();
        assert!(users.as_array().is_some_and(|users| users.contains(&json!("/1.0/instances/c2"))), "{users}");
        daemon.kill();
        daemon.begin();
        daemon.lxc(["start", "c1", "c2"]).ok();
        daemon.lxc(["exec", "c1", "--", "touch", "/root/file"]).ok();
        host.sh("test -e store/containers/c1/rootfs/root/file");
        let environment = daemon.get("/1.0")["environment"].clone();
        assert!(environment["storage"].as_str().is_some_and(|text| text.contains("dir")), "{environment}");
    });
}

#[test]
fn volumes_are_made_changed_attached_and_removed() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["storage", "volume", "create", "default", "data", "user.a=b"]).ok();
        let volume = daemon.get("/1.0/storage-pools/default/volumes/custom/data");
        assert_eq!((&volume["config"], &volume["type"]), (&json!({"user.a": "b"}), &json!("custom")));
        assert_eq!((&volume["content_type"], &volume["location"]), (&json!("filesystem"), &json!("none")));
        let listed = daemon.get("/1.0/storage-pools/default/volumes");
        let wanted =
            ["/1.0/storage-pools/default/volumes/container/c1", "/1.0/storage-pools/default/volumes/custom/data"];
        assert_eq!(listed, json!(wanted));
        let again = daemon.lxc(["storage", "volume", "create", "default", "data"]);
        assert!(again.refused().contains("Volume by that name already exists"), "{}", again.err);
        for (arguments, words) in [
            (["b c", "user.a=b"], "Storage name cannot contain white space"),
            (["bad", "foo=bar"], "Invalid option for volume"),
            (["bad", "size=many"], "Invalid value for volume"),
        ] {
            let refused = daemon.lxc(["storage", "volume", "create", "default"].iter().chain(&arguments));
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
        }
        daemon.lxc(["storage", "volume", "attach", "default", "data", "c1", "/data"]).ok();
        let used = daemon.lxc(["storage", "volume", "delete", "default", "data"]);
        assert!(used.refused().contains("The storage volume is still in use"), "{}", used.err);
        daemon.lxc(["storage", "volume", "rename", "default", "data", "renamed"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["devices"]["data"]["source"], "renamed");
        assert_eq!(host.sh("ls one/storage-pools/default/custom"), "default_renamed\n");
        daemon.lxc(["storage", "create", "other", "dir"]).ok();
        // The original's `lxc` copies and deletes, which a volume in use forbids; the API moves it.
        let to = json!({"name": "moved", "pool": "other"}).to_string();
        let path = "/1.0/storage-pools/default/volumes/custom/renamed";
        daemon.lxc(["query", "--wait", "-X", "POST", "-d", &to, path]).ok();
        let device = daemon.get("/1.0/instances/c1")["devices"]["data"].clone();
        assert_eq!((&device["pool"], &device["source"]), (&json!("other"), &json!("moved")));
        assert_eq!(host.sh("ls one/storage-pools/default/custom"), "");
        daemon.lxc(["storage", "volume", "detach", "other", "moved", "c1"]).ok();
        daemon.lxc(["storage", "volume", "delete", "other", "moved"]).ok();
        assert_eq!(host.sh("ls one/storage-pools/other/custom"), "");
    });
}

#[test]
fn snapshots_of_volumes_come_back() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["storage", "volume", "create", "default", "data"]).ok();
        let file = "one/storage-pools/default/custom/default_data/file";
        host.sh(&format!("echo first > {file}"));
        daemon.lxc(["storage", "volume", "snapshot", "default", "data"]).ok();
        daemon.lxc(["storage", "volume", "snapshot", "default", "data", "mine"]).ok();
        let taken = daemon.lxc(["storage", "volume", "snapshot", "default", "data", "mine"]);
        assert!(taken.refused().contains("Snapshot \"mine\" already in use"), "{}", taken.err);
        let listed = daemon.get("/1.0/storage-pools/default/volumes/custom/data/snapshots");
        let path = "/1.0/storage-pools/default/volumes/custom/data/snapshots";
        assert_eq!(listed, json!([format!("{path}/snap0"), format!("{path}/mine")]));
        host.sh(&format!("echo second > {file}"));
        daemon.lxc(["storage", "volume", "restore", "default", "data", "snap0"]).ok();
        assert_eq!(host.sh(&format!("cat {file}")), "first\n");
        daemon.lxc(["storage", "volume", "copy", "default/data", "default/copy"]).ok();
        let copied = daemon.get("/1.0/storage-pools/default/volumes/custom/copy/snapshots");
        assert_eq!(copied.as_array().map(Vec::len), Some(2));
        daemon.lxc(["storage", "volume", "rename", "default", "data/mine", "data/yours"]).ok();
        daemon.lxc(["storage", "volume", "delete", "default", "data/snap0"]).ok();
        assert_eq!(host.sh("ls one/storage-pools/default/custom-snapshots/default_data"), "yours\n");
        daemon.lxc(["storage", "volume", "delete", "default", "data"]).ok();
        daemon.lxc(["storage", "volume", "delete", "default", "copy"]).ok();
        assert_eq!(
            host.sh("ls one/storage-pools/default/custom-snapshots one/storage-pools/default/custom | grep _ || true"),
            ""
        );
    });
}

fn keys_are_changed_and_used_pools_stay(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        let refused = |arguments: &[&str], words: &str| {
            let refused = daemon.lxc(arguments);
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
        };
        daemon.lxc(["storage", "set", "default", "user.owner", "me"]).ok();
        daemon.lxc(["storage", "set", "default", "rsync.bwlimit=2MB", "user.kind=x"]).ok();
        assert_eq!(daemon.lxc(["storage", "get", "default", "user.owner"]).ok(), "me\n");
        daemon.lxc(["storage", "unset", "default", "rsync.bwlimit"]).ok();
        // Of a pool's key that is not set LXD's client prints nothing, not even an empty line.
        assert_eq!(daemon.lxc(["storage", "get", "default", "rsync.bwlimit"]).ok(), "");
        refused(&["storage", "unset", "default", "nope"], "Invalid option \"nope\"");
        refused(&["storage", "set", "default", "rsync.compression=maybe"], "rsync.compression");
        refused(&["storage", "set", "default", "source=/elsewhere"], "Pool source cannot be changed");
        let shown = daemon.lxc(["storage", "show", "default"]).ok().to_string();
        daemon
            .lxc_with(
                ["storage", "edit", "default"],
                shown.replace("description: \"\"", "description: words").as_bytes(),
            )
            .ok();
        let pool = daemon.get("/1.0/storage-pools/default");
        assert_eq!((&pool["description"], &pool["config"]["user.owner"]), (&json!("words"), &json!("me")));
        let info = daemon.lxc(["storage", "info", "default"]);
        for words in [&format!("driver: {driver}"), "description: words", "total space: ", "space used: ", "used by:"] {
            assert!(info.ok().contains(words), "{words} is missing in {}", info.out);
        }
        // A pool stays while an instance, a volume or a profile uses it.
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["storage", "volume", "create", "default", "data"]).ok();
        let in_use = "The storage pool is currently in use";
        refused(&["storage", "delete", "default"], in_use);
        daemon.lxc(["delete", "c1"]).ok();
        refused(&["storage", "delete", "default"], in_use);
        daemon.lxc(["storage", "volume", "delete", "default", "data"]).ok();
        refused(&["storage", "delete", "default"], in_use);
        daemon.lxc(["profile", "device", "remove", "default", "root"]).ok();
        // Images that lie ready in it go with it.
        daemon.lxc(["storage", "delete", "default"]).ok();
        assert_eq!(host.sh("ls one/storage-pools"), "");
    });
}

#[test]
fn keys_are_changed_and_used_pools_stay_on_dir() {
    keys_are_changed_and_used_pools_stay("dir");
}

#[test]
fn keys_are_changed_and_used_pools_stay_on_overlay() {
    keys_are_changed_and_used_pools_stay("overlay");
}

#[test]
fn an_overlay_pool_is_refused_where_the_file_system_cannot_hold_it() {
    story(|host| {
        let daemon = host.daemon();
        host.sh("mkdir plain; mount -t ramfs ramfs plain");
        let source = format!("source={}", host.folder().join("plain").display());
        let refused = daemon.lxc(["storage", "create", "p", "overlay", &source]);
        let words = "cannot hold an overlay pool: it has no extended attributes";
        assert!(refused.refused().contains(words), "{} is not {words}", refused.err);
        assert_eq!(daemon.get("/1.0/storage-pools"), json!([]));
        assert_eq!(host.sh("ls plain one/storage-pools"), "one/storage-pools:\n\nplain:\n");
        // A plain folder is all that the other driver wants.
        daemon.lxc(["storage", "create", "p", "dir", &source]).ok();
        daemon.lxc(["storage", "delete", "p"]).ok();
        host.sh("umount plain");
    });
}
