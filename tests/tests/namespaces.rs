//! What a container sees of the host: nothing.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;

use stories::{Daemon, story};

const KINDS: [&str; 7] = ["pid", "mnt", "net", "uts", "ipc", "cgroup", "user"];

fn namespaces(pid: &str) -> Vec<String> {
    let link = |kind: &&str| std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("the process runs");
    KINDS.iter().map(link).map(|link| link.display().to_string()).collect()
}

fn pid(daemon: &Daemon, name: &str) -> String {
    daemon.get(&format!("/1.0/instances/{name}/state"))["pid"].to_string()
}

#[test]
fn every_container_has_namespaces_of_its_own() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        daemon.lxc(["launch", "busybox", "c2"]).ok();
        daemon.lxc(["launch", "busybox", "c3", "-c", "security.privileged=true"]).ok();
        let (own, first, second) =
            (namespaces("self"), namespaces(&pid(&daemon, "c1")), namespaces(&pid(&daemon, "c2")));
        for (at, kind) in KINDS.iter().enumerate() {
            let different: BTreeSet<&String> = [&own[at], &first[at], &second[at]].into_iter().collect();
            assert_eq!(different.len(), 3, "{kind} namespaces are shared");
        }
        let privileged = namespaces(&pid(&daemon, "c3"));
        assert_eq!(privileged[6], own[6], "a privileged container has the host's users");
        assert_ne!(privileged[0], own[0]);
        // Its first process is PID 1 inside, and nobody outside is seen.
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]).ok().to_string();
        assert_eq!(exec("cat /proc/1/comm").trim(), "init");
        let seen = exec("ls /proc | grep -c '^[0-9]'");
        assert!(seen.trim().parse::<u32>().expect("a number") < 10, "{seen} processes are seen");
        assert!(!exec("ip link").contains("lxdbr"));
        assert_eq!(exec("ls /sys/class/net").trim(), "lo");
        assert!(exec("ip addr show lo").contains("127.0.0.1/8"), "lo is up");
        // What it mounts stays inside.
        exec("mkdir -p /mnt/inside && mount -t tmpfs none /mnt/inside");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("proc is mounted");
        assert!(!mounts.contains("/mnt/inside"));
    });
}

#[test]
fn root_inside_is_nobody_outside_and_no_file_changes_hands() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid(&daemon, "c1"))).expect("it runs");
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("proc(5)").trim();
        assert!(uid.split_whitespace().next().expect("four ids").parse::<u32>().expect("a number") >= 100_000);
        daemon.lxc(["exec", "c1", "--", "touch", "/root/made"]).ok();
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u:%g", "/root/made"]).ok().trim(), "0:0");
        // On disk too: the mount maps the ids, nobody walked the tree.
        use std::os::unix::fs::MetadataExt;
        let root = daemon.dir.join("storage-pools/default/containers/c1/rootfs");
        for file in ["bin/busybox", "root/made"] {
            let owner = std::fs::metadata(root.join(Path::new(file))).expect("it is there").uid();
            assert_eq!(owner, 0, "{file}");
        }
    });
}
