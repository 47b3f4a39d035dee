//! LXD's other tools, which `lxd` is when it is called by their names; and a daemon with only few rights to give.
#![forbid(unsafe_code)]

use stories::{Daemon, story};

#[test]
fn fuidshift_gives_a_tree_other_owners_and_takes_them_back() {
    story(|host| {
        let daemon = host.daemon();
        host.sh("mkdir -p tree/deep; touch tree/deep/file; ln -s /etc/passwd tree/link; chown 5:7 tree/deep/file");
        let tree = host.folder().join("tree").display().to_string();
        let shift = |words: &[&str]| daemon.lxd(["fuidshift", &tree].iter().chain(words), b"");
        let owner = |name: &str| host.sh(&format!("stat -c %u:%g tree/{name}")).trim().to_string();
        let said = shift(&["--test", "b:0:100000:65536"]);
        assert!(said.ok().contains(&format!("I would shift \"{tree}/deep/file\" to 100005 100007\n")), "{}", said.out);
        assert_eq!(owner("deep/file"), "5:7");
        shift(&["b:0:100000:65536"]).ok();
        assert_eq!([owner("deep/file"), owner("link")], ["100005:100007", "100000:100000"]);
        assert_eq!(host.sh("stat -c %u:%g /etc/passwd").trim(), "0:0");
        shift(&["-r", "b:0:100000:65536"]).ok();
        assert_eq!(owner("deep/file"), "5:7");
        assert!(shift(&["u:0:1000:10", "b:5:2000:10"]).refused().contains("Conflicting id mapping"));
        assert!(shift(&["b:0"]).refused().contains("Bad idmap: \"b:0\""));
    });
}

fn containers(daemon: &Daemon) -> String {
    daemon.lxc(["list", "-c", "ns", "-f", "csv"]).ok().to_string()
}

#[test]
fn lxd_benchmark_makes_starts_stops_and_deletes_its_own_containers() {
    story(|host| {
        let daemon = host.daemon_on("overlay");
        daemon.lxc(["init", "busybox", "mine"]).ok();
        let report = host.folder().join("report.csv").display().to_string();
        let bench = |words: &[&str]| daemon.lxd(["lxd-benchmark"].iter().chain(words), b"");
        let said = bench(&["launch", "--count", "3", "--parallel", "2", "--report-file", &report, "busybox"]);
        assert!(said.ok().contains("  Batches: 1\n  Batch size: 2\n  Remainder: 1\n"), "{}", said.out);
        assert_eq!(
            containers(&daemon),
            "benchmark-1,RUNNING\nbenchmark-2,RUNNING\nbenchmark-3,RUNNING\nmine,STOPPED\n"
        );
        bench(&["stop", "--report-file", &report, "--report-label", "the end"]).ok();
        assert!(!containers(&daemon).contains("RUNNING"));
        bench(&["delete"]).ok();
        assert_eq!(containers(&daemon), "mine,STOPPED\n");
        let text = std::fs::read_to_string(&report).expect("it was asked for");
        let labels: Vec<&str> = text.lines().filter_map(|line| line.split(',').nth(2)).collect();
        assert_eq!(labels, ["label", "launch", "the end"]);
        let refused = bench(&["init", "no-such-image"]);
        assert!(refused.refused().contains("Image"), "{}", refused.err);
    });
}

#[test]
fn a_daemon_for_unprivileged_containers_gives_nobody_the_hosts_root() {
    story(|host| {
        let daemon = Daemon::start_with(host.folder(), "one", vec![("LXD_UNPRIVILEGED_ONLY", "true".into())]);
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        let words = "LXD was configured to only allow unprivileged containers";
        let refused = daemon.lxc(["launch", "busybox", "c1", "-c", "security.privileged=true"]);
        assert!(refused.refused().contains(words), "{}", refused.err);
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        for pair in ["security.privileged=true", "raw.idmap=both 0 1000", "raw.lxc=lxc.idmap="] {
            assert!(daemon.lxc(["config", "set", "c1", pair]).refused().contains(words), "{pair}");
            assert!(daemon.lxc(["profile", "set", "default", pair]).refused().contains(words), "{pair}");
        }
        daemon.lxc(["config", "set", "c1", "security.privileged=false"]).ok();
    });
}

#[test]
fn keys_that_cannot_be_honoured_are_refused_before_they_are_kept() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let refused = daemon.lxc(["config", "set", "c1", "raw.lxc=lxc.notaconfigkey=invalid"]);
        assert!(refused.refused().contains("lxc.notaconfigkey"), "{}", refused.err);
        // A host's id must not be two of the container's.
        let base =
            daemon.get("/1.0/instances/c1")["config"]["volatile.idmap.next"].as_str().expect("a map").to_string();
        let base: u32 =
            base.split("\"Hostid\":").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok()).expect("an id");
        let refused = daemon.lxc(["config", "set", "c1", &format!("raw.idmap=uid {} 1000", base + 1)]);
        assert!(refused.refused().contains("Failed to get ID map"), "{}", refused.err);
        assert!(daemon.get("/1.0/instances/c1")["config"]["raw.idmap"].is_null());
    });
}
