//! Publishing: instances become images that make the same instances again, whole or not at all.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::{Daemon, story};

/// What makes a root file system hard to pack: names, links, holes, owners, attributes, times, sockets.
const ODD: &str = "cd /root; echo text > plain; ln plain second; ln -s ../nowhere dangling; mkfifo pipe
                   dd if=/dev/zero of=holes bs=1 count=1 seek=50000000 2>/dev/null; chown 1000:1000 plain
                   chmod 4711 plain; touch -d '2001-02-03 04:05:06' dangling plain; touch 'a name
with a line'";

/// Prints what of it must be the same everywhere.
const LOOK: &str = "cd /root; stat -c '%n %f %u:%g %h %s %Y' * | sort; [ $(stat -c %b holes) -lt 100 ] && echo sparse; ls -l pipe | cut -c 1; readlink dangling";

fn with_odd_container(daemon: &Daemon, driver: &str) -> String {
    daemon.with_pool(driver);
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1"]).ok();
    daemon.lxc(["exec", "c1", "--", "sh", "-c", ODD]).ok();
    let seen = daemon.lxc(["exec", "c1", "--", "sh", "-c", LOOK]).ok().to_string();
    assert!(seen.contains("second"), "{seen}");
    seen
}

/// Names in the daemon's folder of images, without those of `fingerprints`.
fn leftovers(daemon: &Daemon) -> Vec<String> {
    let known = daemon.get("/1.0/images?recursion=1");
    let known: Vec<&str> = known.as_array().expect("a list").iter().filter_map(|i| i["fingerprint"].as_str()).collect();
    let entries = std::fs::read_dir(daemon.dir.join("images")).expect("the daemon has it").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !known.contains(&name.split('.').next().unwrap_or_default())).collect()
}

fn round_trip(driver: &str, compressions: &[(&str, &str)]) {
    story(|host| {
        let daemon = host.daemon();
        let seen = with_odd_container(&daemon, driver);
        let running = daemon.lxc(["publish", "c1", "--alias", "no"]);
        assert!(running.refused().contains("The instance is currently running. Use --force"), "{running:?}");
        daemon.lxc(["stop", "c1", "--force"]).ok();
        for (compression, ending) in compressions {
            let alias = ending.replace('.', "");
            let out =
                daemon.lxc(["publish", "c1", "--alias", &alias, "--compression", compression, "n=1"]).ok().to_string();
            let target =
                daemon.get(&format!("/1.0/images/aliases/{alias}"))["target"].as_str().expect("text").to_string();
            assert!(out.contains(&format!("Instance published with fingerprint: {target}")), "{out}");
            daemon.lxc(["image", "export", &alias, "out"]).ok();
            assert_eq!(host.sh(&format!("sha256sum < out{ending} | cut -d ' ' -f 1")).trim(), target, "{compression}");
            if *ending != ".squashfs" {
                let list = host.sh(&format!("tar -tf out{ending} | head -2"));
                assert_eq!(list, "metadata.yaml\nrootfs/\n", "{compression}");
            }
            let image = daemon.get(&format!("/1.0/images/{target}"));
            assert_eq!(image["properties"], json!({"n": "1"}), "{compression}");
            daemon.lxc(["launch", &alias, "copy"]).ok();
            assert_eq!(daemon.lxc(["exec", "copy", "--", "sh", "-c", LOOK]).ok(), seen, "{compression}");
            daemon.lxc(["delete", "copy", "--force"]).ok();
            daemon.lxc(["image", "delete", &alias]).ok();
        }
        assert_eq!(leftovers(&daemon), Vec::<String>::new());
    });
}

#[test]
fn a_published_container_makes_the_same_again() {
    round_trip("dir", &[("none", ".tar"), ("gzip", ".tar.gz"), ("squashfs", ".squashfs")]);
}

#[test]
fn a_published_container_of_layers_makes_the_same_again() {
    round_trip(
        "overlay",
        &[
            ("gzip -1", ".tar.gz"),
            ("bzip2 -1", ".tar.bz2"),
            ("lzma -0", ".tar.lzma"),
            ("xz -0", ".tar.xz"),
            ("zstd", ".tar.zst"),
        ],
    );
}

#[test]
fn what_is_said_of_the_image_is_what_was_asked_for() {
    story(|host| {
        let daemon = host.daemon_on("overlay");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let line = ["publish", "c1", "--alias", "a", "--alias", "b", "--public", "--expire", "2030-01-02T03:04:05Z"];
        daemon.lxc(line).ok();
        let target = daemon.get("/1.0/images/aliases/b")["target"].as_str().expect("text").to_string();
        let image = daemon.get(&format!("/1.0/images/{target}"));
        assert_eq!((&image["public"], &image["cached"]), (&json!(true), &json!(false)));
        assert_eq!(image["expires_at"], "2030-01-02T03:04:05Z");
        // Those of the image that the container was made from.
        assert_eq!(image["properties"]["os"], "Busybox");
        assert_eq!(image["aliases"].as_array().map(Vec::len), Some(2));
        // The same tree again is the same image; its name is taken.
        daemon.lxc(["image", "delete", "a"]).ok();
        daemon.lxc(["publish", "c1", "--alias", "c"]).ok();
        assert!(daemon.lxc(["publish", "c1"]).refused().contains("The image already exists: "));
        daemon.lxc(["config", "set", "images.compression_algorithm", "none"]).ok();
        daemon.lxc(["publish", "c1", "--alias", "plain"]).ok();
        assert_ne!(daemon.get("/1.0/images/aliases/plain")["target"], daemon.get("/1.0/images/aliases/c")["target"]);
        assert_eq!(leftovers(&daemon), Vec::<String>::new());
    });
}

#[test]
fn a_snapshot_is_published_while_its_container_runs() {
    story(|host| {
        for driver in ["dir", "overlay"] {
            let daemon = host.another_daemon(driver);
            let seen = with_odd_container(&daemon, driver);
            daemon.lxc(["config", "set", "c1", "user.x", "y"]).ok();
            daemon.lxc(["snapshot", "c1", "s0"]).ok();
            daemon.lxc(["exec", "c1", "--", "sh", "-c", "rm -r /root/*"]).ok();
            daemon.lxc(["publish", "c1/s0", "--alias", "of-snapshot", "--compression", "gzip -1"]).ok();
            assert!(daemon.lxc(["publish", "c1/s1"]).refused().contains("InstanceSnapshot not found"));
            daemon.lxc(["launch", "of-snapshot", "copy"]).ok();
            assert_eq!(daemon.lxc(["exec", "copy", "--", "sh", "-c", LOOK]).ok(), seen, "{driver}");
            daemon.lxc(["delete", "copy", "c1", "--force"]).ok();
            assert_eq!(leftovers(&daemon), Vec::<String>::new());
        }
    });
}

#[test]
fn a_refused_one_leaves_nothing() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let bad = daemon.lxc(["publish", "c1", "--force", "--compression", "ls"]);
        assert!(bad.refused().contains("Invalid compression algorithm \"ls\""), "{bad:?}");
        let post = |source: &str| {
            let body = format!("{{\"source\": {source}}}");
            let ran = daemon.lxc(["query", "-X", "POST", "--wait", "-d", &body, "/1.0/images"]);
            ran.refused().to_string()
        };
        assert!(post(r#"{"type": "instance", "name": "c1"}"#).contains("Cannot export a running instance as an image"));
        assert!(post(r#"{"type": "instance", "name": "c2"}"#).contains("Instance not found"));
        assert!(post(r#"{"type": "snapshot", "name": "c1"}"#).contains("Not a snapshot"));
        assert!(post(r#"{"type": "instance", "name": "c1/s0"}"#).contains("This is a snapshot"));
        assert!(post(r#"{"type": "nonsense", "name": "c1"}"#).contains("Invalid images JSON"));
        assert_eq!(leftovers(&daemon), Vec::<String>::new());
        assert_eq!(daemon.get("/1.0/images").as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn what_a_killed_daemon_was_publishing_is_gone_after_its_start() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let root = daemon.dir.join("containers/c1/rootfs/large");
        host.sh(&format!("dd if=/dev/urandom of={} bs=1M count=60 2>/dev/null", root.display()));
        let body = r#"{"source": {"type": "instance", "name": "c1"}, "compression_algorithm": "xz -9"}"#;
        let made = daemon.lxc(["query", "-X", "POST", "-d", body, "/1.0/images"]).ok().to_string();
        let made: serde_json::Value = serde_json::from_str(&made).expect("an operation");
        let id = made["id"].as_str().expect("it has one").to_string();
        assert_eq!(leftovers(&daemon).len(), 1, "it is under way");
        daemon.kill();
        daemon.begin();
        assert_eq!(leftovers(&daemon), Vec::<String>::new());
        // A client that does not want it any more ends it at once.
        let made = daemon.lxc(["query", "-X", "POST", "-d", body, "/1.0/images"]).ok().to_string();
        let again: serde_json::Value = serde_json::from_str(&made).expect("an operation");
        let again = again["id"].as_str().expect("it has one");
        assert_ne!(again, id);
        daemon.lxc(["operation", "delete", again]).ok();
        let ended = daemon.get(&format!("/1.0/operations/{again}/wait"));
        assert_eq!(ended["status"], "Cancelled", "{ended}");
        assert_eq!(leftovers(&daemon), Vec::<String>::new());
        daemon.lxc(["start", "c1"]).ok();
    });
}
