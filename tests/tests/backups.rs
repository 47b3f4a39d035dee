//! Backups: instances and custom volumes leave as files, and come back as they were, whole or not at all.
#![forbid(unsafe_code)]

use serde_json::{Value, json};
use stories::{Daemon, Host, story};

/// What must come back.
const FILL: &str = "cd /root; echo one > file; ln file second; ln -s /nowhere link; mkfifo pipe; chown 1000:1000 file
                    dd if=/dev/zero of=holes bs=1 count=1 seek=50000000 2>/dev/null; chmod 4711 file";

/// Prints what of it must be the same.
const LOOK: &str = "cd /root; stat -c '%n %f %u:%g %s' * | sort; cat file";

fn with_container(daemon: &Daemon, driver: &str) {
    daemon.with_pool(driver);
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1", "-c", "user.x=y"]).ok();
    daemon.lxc(["exec", "c1", "--", "sh", "-c", FILL]).ok();
    daemon.lxc(["snapshot", "c1", "s0"]).ok();
    daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo two > /root/file; touch /root/new"]).ok();
}

/// All names below the daemon's folder of backups.
fn files(daemon: &Daemon) -> Vec<String> {
    let mut names = Vec::new();
    let mut waiting = vec![daemon.dir.join("backups")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
            if entry.path().is_dir() {
                waiting.push(entry.path());
            } else {
                names.push(entry.path().display().to_string());
            }
        }
    }
    names
}

/// What is remembered of an instance, without what differs from one to the next.
fn remembered(daemon: &Daemon, name: &str) -> Value {
    let mut shown = daemon.get(&format!("/1.0/instances/{name}"));
    for key in ["name", "status", "status_code", "last_used_at", "expanded_config", "expanded_devices"] {
        shown.as_object_mut().expect("an object").remove(key);
    }
    let config = shown["config"].as_object_mut().expect("keys");
    config.retain(|key, _| !key.starts_with("volatile.last_state.") && !key.starts_with("volatile.idmap."));
    config.retain(|key, _| !key.ends_with("host_name"));
    shown
}

fn there_and_back(driver: &'static str, compressions: &'static [(&'static str, &'static str)]) {
    story(|host| {
        let daemon = host.daemon();
        with_container(&daemon, driver);
        // Of the running container.
        daemon.lxc(["export", "c1", "running.tar.gz"]).ok();
        let list = host.sh("tar -tf running.tar.gz | grep -v /rootfs/.");
        for wanted in ["backup/index.yaml", "backup/snapshots/s0/rootfs/", "backup/container/backup.yaml"] {
            assert!(list.contains(wanted), "{list}");
        }
        assert!(list.starts_with("backup/index.yaml\n") && !list.contains("layers"), "{list}");
        let mut seen = daemon.lxc(["exec", "c1", "--", "sh", "-c", LOOK]).ok().to_string();
        daemon.lxc(["stop", "c1", "--force"]).ok();
        let before = remembered(&daemon, "c1");
        for (compression, ending) in compressions {
            let file = format!("c1{ending}");
            daemon.lxc(["export", "c1", &file, "--compression", compression]).ok();
            daemon.lxc(["delete", "c1"]).ok();
            daemon.lxc(["import", &file]).ok();
            assert_eq!(remembered(&daemon, "c1"), before, "{compression}");
            daemon.lxc(["start", "c1"]).ok();
            assert_eq!(daemon.lxc(["exec", "c1", "--", "sh", "-c", LOOK]).ok(), seen, "{compression}");
            daemon.lxc(["stop", "c1", "--force"]).ok();
            daemon.lxc(["restore", "c1", "s0"]).ok();
            daemon.lxc(["start", "c1"]).ok();
            assert_eq!(daemon.lxc(["exec", "c1", "--", "cat", "/root/file"]).ok(), "one\n", "{compression}");
            daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo two > /root/file; touch /root/new"]).ok();
            seen = daemon.lxc(["exec", "c1", "--", "sh", "-c", LOOK]).ok().to_string();
            daemon.lxc(["stop", "c1", "--force"]).ok();
        }
        assert!(daemon.lxc(["import", "running.tar.gz"]).refused().contains("already exists"));
        // Under another name, without snapshots.
        daemon.lxc(["export", "c1", "only.tar", "--instance-only", "--compression", "none"]).ok();
        assert!(!host.sh("tar -tf only.tar").contains("backup/snapshots"));
        daemon.lxc(["import", "only.tar", "c2"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c2/snapshots"), json!([]));
        assert_eq!(daemon.get("/1.0/instances/c1/snapshots").as_array().map(Vec::len), Some(1));
        // On another pool.
        daemon.lxc(["storage", "create", "other", if driver == "dir" { "overlay" } else { "dir" }]).ok();
        daemon.lxc(["import", "running.tar.gz", "c3", "-s", "other"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c3")["devices"]["root"]["pool"], "other");
        daemon.lxc(["start", "c3"]).ok();
        assert_eq!(daemon.lxc(["exec", "c3", "--", "cat", "/root/file"]).ok(), "two\n");
        daemon.lxc(["delete", "c3", "--force"]).ok();
        daemon.lxc(["storage", "delete", "other"]).ok();
        assert_eq!(files(&daemon), Vec::<String>::new());
    });
}

#[test]
fn a_container_goes_out_and_comes_back_on_dir() {
    there_and_back("dir", &[("gzip", ".tar.gz"), ("squashfs", ".squashfs")]);
}

#[test]
fn a_container_goes_out_and_comes_back_on_overlay() {
    there_and_back("overlay", &[("none", ".tar"), ("zstd", ".tar.zst")]);
}

#[test]
fn backups_are_kept_listed_renamed_and_removed() {
    story(|host| {
        let mut daemon = host.daemon();
        with_container(&daemon, "dir");
        let post = |name: &str, more: &str| {
            let body = format!("{{\"name\": {name:?}{more}}}");
            let line = ["query", "-X", "POST", "--wait", "-d", &body, "/1.0/instances/c1/backups"];
            daemon.lxc(line)
        };
        post("", "").ok();
        post("", ", \"instance_only\": true").ok();
        assert!(post("backup0", "").refused().contains("Backup \"c1/backup0\" already exists"));
        assert!(post("a/b", "").refused().contains("Backup names may not contain slashes"));
        assert!(post("x", ", \"compression_algorithm\": \"ls\"").refused().contains("Invalid compression algorithm"));
        let list = daemon.get("/1.0/instances/c1/backups");
        assert_eq!(list, json!(["/1.0/instances/c1/backups/backup0", "/1.0/instances/c1/backups/backup1"]));
        let all = daemon.get("/1.0/instances/c1/backups?recursion=1");
        assert_eq!((&all[1]["name"], &all[1]["instance_only"]), (&json!("backup1"), &json!(true)));
        assert_eq!(all[0]["expires_at"], "0001-01-01T00:00:00Z");
        assert_eq!(daemon.get("/1.0/instances?recursion=2")[0]["backups"], all);
        let rename = ["query", "-X", "POST", "--wait", "-d", "{\"name\": \"kept\"}"];
        daemon.lxc(rename.iter().copied().chain(["/1.0/instances/c1/backups/backup0"])).ok();
        assert_eq!(daemon.get("/1.0/instances/c1/backups/kept")["name"], "kept");
        // They follow their instance.
        daemon.lxc(["stop", "c1", "--force"]).ok();
        daemon.lxc(["rename", "c1", "c2"]).ok();
        let names: Vec<String> = files(&daemon);
        assert!(names.iter().all(|name| name.contains("backups/instances/c2/")) && names.len() == 2, "{names:?}");
        // A file that nobody remembers goes when the daemon starts, and a row without a file.
        daemon.kill();
        host.sh(&format!(
            "cd {}/backups; echo x > lxd_backup_1; echo x > instances/c2/half; rm instances/c2/backup1",
            daemon.dir.display()
        ));
        daemon.begin();
        assert_eq!(daemon.get("/1.0/instances/c2/backups"), json!(["/1.0/instances/c2/backups/kept"]));
        assert_eq!(files(&daemon).len(), 1);
        daemon.lxc(["query", "-X", "DELETE", "--wait", "/1.0/instances/c2/backups/kept"]).ok();
        assert!(daemon.lxc(["query", "/1.0/instances/c2/backups/kept"]).refused().contains("not found"));
        daemon.lxc(["delete", "c2"]).ok();
        assert_eq!(files(&daemon), Vec::<String>::new());
    });
}

#[test]
fn an_expired_backup_goes() {
    story(|host| {
        let mut daemon = host.daemon();
        with_container(&daemon, "dir");
        for (name, expiry) in [("old", "2001-01-01T00:00:00Z"), ("new", "2101-01-01T00:00:00Z")] {
            let body = format!("{{\"name\": \"{name}\", \"expires_at\": \"{expiry}\"}}");
            daemon.lxc(["query", "-X", "POST", "--wait", "-d", &body, "/1.0/instances/c1/backups"]).ok();
        }
        daemon.kill();
        daemon.begin();
        // It is looked for at the start, and goes in the background.
        let monitor = || daemon.get("/1.0/instances/c1/backups");
        let gone = json!(["/1.0/instances/c1/backups/new"]);
        let begun = std::time::Instant::now();
        while monitor() != gone {
            assert!(begun.elapsed().as_secs() < 20, "{}", monitor());
        }
    });
}

#[test]
fn a_custom_volume_goes_out_and_comes_back() {
    story(|host| {
        let daemon = host.daemon();
        for driver in ["dir", "overlay"] {
            daemon.lxc(["storage", "create", driver, driver]).ok();
            daemon.lxc(["storage", "volume", "create", driver, "v1", "user.a=b"]).ok();
            let path = daemon.dir.join("storage-pools").join(driver).join("custom/default_v1");
            let path = path.display();
            host.sh(&format!("cd {path}; echo one > file; chown 5:6 .; chmod 751 ."));
            daemon.lxc(["storage", "volume", "snapshot", driver, "v1", "s0"]).ok();
            host.sh(&format!("echo two > {path}/file"));
            daemon.lxc(["storage", "volume", "export", driver, "v1", "v1.tar.gz"]).ok();
            assert!(host.sh("tar -tf v1.tar.gz").starts_with("backup/index.yaml\nbackup/volume-snapshots/s0/\n"));
            assert!(
                daemon.lxc(["storage", "volume", "import", driver, "v1.tar.gz"]).refused().contains("already exists")
            );
            daemon.lxc(["storage", "volume", "delete", driver, "v1"]).ok();
            daemon.lxc(["storage", "volume", "import", driver, "v1.tar.gz"]).ok();
            assert_eq!(host.sh(&format!("cat {path}/file; stat -c '%u:%g %a' {path}")), "two\n5:6 751\n");
            daemon.lxc(["storage", "volume", "restore", driver, "v1", "s0"]).ok();
            assert_eq!(host.sh(&format!("cat {path}/file")), "one\n");
            let shown = daemon.get(&format!("/1.0/storage-pools/{driver}/volumes/custom/v1"));
            assert_eq!(shown["config"]["user.a"], "b");
            daemon.lxc(["storage", "volume", "import", driver, "v1.tar.gz", "v2"]).ok();
            let body = "{\"name\": \"kept\", \"volume_only\": true}";
            let backups = format!("/1.0/storage-pools/{driver}/volumes/custom/v2/backups");
            daemon.lxc(["query", "-X", "POST", "--wait", "-d", body, &backups]).ok();
            assert_eq!(daemon.get(&format!("{backups}/kept"))["volume_only"], true);
            daemon.lxc(["storage", "volume", "rename", driver, "v2", "v3"]).ok();
            assert!(files(&daemon)[0].ends_with(&format!("backups/custom/{driver}/default_v3/kept")));
            for volume in ["v1", "v3"] {
                daemon.lxc(["storage", "volume", "delete", driver, volume]).ok();
            }
            assert_eq!(files(&daemon), Vec::<String>::new());
        }
    });
}

/// Makes `NAME.tar` of a tree that `script` makes in an empty folder, where `index` writes a good index.
fn archive(host: &Host, name: &str, script: &str) {
    let index = "printf 'name: bad\\nbackend: dir\\npool: default\\noptimized: false\\ntype: container\\nconfig:\\n  container:\\n    architecture: x86_64\\n    name: bad\\n    type: container\\n    profiles: [default]\\n    config: {}\\n    devices: {}\\n  volume: {name: bad, type: container, content_type: filesystem}\\n' > backup/index.yaml";
    host.sh(&format!(
        "rm -rf t; mkdir -p t/backup/container; cd t; {index}; {script}; tar --numeric-owner -cf ../{name}.tar backup/index.yaml backup"
    ));
}

#[test]
fn hostile_and_broken_backups_leave_nothing() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["storage", "create", "layers", "overlay"]).ok();
        host.sh("mkdir -p secret; echo secret > secret/file");
        let secret = host.folder().join("secret");
        let secret = secret.display();
        let cases = [
            ("link-root", format!("ln -s {secret} backup/container/rootfs"), "no directory \"backup/container/rootfs\""),
            ("no-root", "touch backup/container/metadata.yaml".to_string(), "no directory \"backup/container/rootfs\""),
            ("link-meta", format!("mkdir backup/container/rootfs; ln -s {secret}/file backup/container/metadata.yaml"), "must be a plain file"),
            ("through", format!("ln -s {secret} backup/container/rootfs; mkdir x"), "no directory"),
            ("no-index", "mkdir -p backup/container/rootfs; rm backup/index.yaml; echo > backup/index.yaml".to_string(), "index.yaml"),
            ("bad-name", "mkdir -p backup/container/rootfs; sed -i 's/name: bad/name: ..\\/x/' backup/index.yaml".to_string(), "reserved for snapshots"),
            ("optimized", "mkdir -p backup/container/rootfs; sed -i 's/optimized: false/optimized: true/' backup/index.yaml".to_string(), "Optimized backup"),
            ("machine", "mkdir -p backup/container/rootfs; sed -i 's/^type: container/type: virtual-machine/' backup/index.yaml".to_string(), "virtual-machine"),
            ("arch", "mkdir -p backup/container/rootfs; sed -i s/x86_64/s390x/ backup/index.yaml".to_string(), "s390x"),
            ("profile", "mkdir -p backup/container/rootfs; sed -i 's/.default./[nobody]/' backup/index.yaml".to_string(), "nobody"),
            ("key", "mkdir -p backup/container/rootfs; sed -i 's/config: {}/config: {no.such: 1}/' backup/index.yaml".to_string(), "no.such"),
        ];
        for (name, script, words) in &cases {
            archive(host, name, script);
            for pool in ["default", "layers"] {
                let ran = daemon.lxc(["import", &format!("{name}.tar"), "-s", pool]);
                assert!(ran.refused().contains(words), "{name} on {pool}: {}", ran.err);
            }
        }
        archive(
            host,
            "cut",
            "mkdir -p backup/container/rootfs; dd if=/dev/urandom of=backup/container/rootfs/f bs=1k count=99 2>/dev/null",
        );
        host.sh("gzip -c cut.tar | head -c 50000 > cut.tar.gz; echo nothing > text.tar");
        daemon.lxc(["import", "cut.tar.gz"]).refused();
        daemon.lxc(["import", "text.tar"]).refused();
        assert!(daemon.lxc(["import", "cut.tar", "x", "-s", "nowhere"]).refused().contains("Storage pool not found"));
        assert_eq!(host.sh("cat secret/file; ls secret"), "secret\nfile\n");
        assert_eq!(daemon.get("/1.0/instances"), json!([]));
        assert_eq!(files(&daemon), Vec::<String>::new());
        for pool in ["default", "layers"] {
            let containers = daemon.dir.join("storage-pools").join(pool).join("containers");
            assert_eq!(std::fs::read_dir(&containers).expect("it is there").count(), 0, "{pool}");
        }
        // The same archive with nothing wrong in it is taken.
        daemon.lxc(["import", "cut.tar"]).ok();
    });
}
