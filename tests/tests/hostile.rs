//! A container whose root is hostile gets nowhere: each attempt fails, and says how.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use stories::{Daemon, Host, story};

/// The program that tries it all; see its first lines.
const PROBE: &str = include_str!("../probes/hostile.c");

/// Builds the probe in the story's folder.
fn build(host: &Host) {
    std::fs::write(host.folder().join("probe.c"), PROBE).expect("the story's folder is ours");
    host.sh("gcc -static -O1 -o probe probe.c");
}

/// A container `name` with these words for `lxc launch`, and the probe in it.
fn launch(host: &Host, daemon: &Daemon, name: &str, more: &[&str]) {
    daemon.lxc([&["launch", "busybox", name][..], more].concat()).ok();
    let probe = host.folder().join("probe");
    daemon.lxc(["file", "push", &probe.display().to_string(), &format!("{name}/root/probe"), "--mode", "0755"]).ok();
}

/// What the probe says of each attempt.
fn attempts(daemon: &Daemon, name: &str, words: &[&str]) -> BTreeMap<String, String> {
    let ran = daemon.lxc([&["exec", name, "--", "/root/probe"][..], words].concat());
    let said = ran.out.lines().filter_map(|line| line.split_once(": "));
    let said: BTreeMap<String, String> = said.map(|(what, how)| (what.to_string(), how.to_string())).collect();
    assert!(!said.is_empty(), "the probe says nothing: {ran:?}");
    said
}

/// Every attempt but those of `allowed` must have been refused.
#[track_caller]
fn must_fail(what: &str, said: &BTreeMap<String, String>, allowed: &[&str]) {
    let done: Vec<&String> = said
        .iter()
        .filter(|(name, how)| how.starts_with("DONE") && !allowed.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect();
    assert!(done.is_empty(), "{what}: these were possible: {done:?}\nall: {said:#?}");
    println!("{what}: {} attempts refused", said.len());
}

fn tries(kind: &str, more: &[&str]) {
    story(|host| {
        build(host);
        let daemon = host.daemon_on("dir");
        let share = host.folder().join("share");
        std::fs::create_dir_all(share.join("below")).expect("ours");
        for (file, mode) in [("theirs", 0o644), ("secret", 0o600), ("setuid", 0o4755)] {
            let path = share.join(file);
            if file == "setuid" {
                std::fs::copy(host.folder().join("probe"), &path).expect("ours");
            } else {
                std::fs::write(&path, "the host's\n").expect("ours");
            }
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
        }
        launch(host, &daemon, "c1", more);
        launch(host, &daemon, "c2", &[]);
        let folder = share.display().to_string();
        for (device, options) in [("rw", "path=/mnt/rw"), ("ro", "path=/mnt/ro")] {
            let readonly = if device == "ro" { "readonly=true" } else { "readonly=false" };
            let source = format!("source={folder}");
            daemon.lxc(["config", "device", "add", "c1", device, "disk", &source, options, readonly]).ok();
        }
        let host_before = host_values();
        must_fail(kind, &attempts(&daemon, "c1", &["devices"]), &[]);
        must_fail(kind, &attempts(&daemon, "c1", &["kernel"]), &[]);
        must_fail(kind, &attempts(&daemon, "c1", &["groups"]), &[]);
        let calls = attempts(&daemon, "c1", &["calls"]);
        assert!(calls.keys().any(|name| name.starts_with("unshared")), "it may have namespaces of its own: {calls:?}");
        must_fail(kind, &calls, &[]);
        must_fail(kind, &attempts(&daemon, "c1", &["mounts"]), &[]);
        assert!(!mounts().contains("share/below"), "a mount inside shows on the host");
        assert!(!share.join("written").exists());
        // Killing everything that has a number inside kills nobody outside.
        let pids = |name: &str| daemon.get(&format!("/1.0/instances/{name}/state"))["pid"].clone();
        let (other, own) = (pids("c2"), daemon.pid());
        must_fail(kind, &attempts(&daemon, "c1", &["others"]), &[]);
        assert_eq!((pids("c2"), daemon.pid()), (other, own));
        daemon.lxc(["exec", "c2", "--", "true"]).ok();
        // Keys of the host.
        let mut add = Command::new(host.folder().join("probe"));
        let added = stories::run::run(
            {
                add.args(["keys", "add"]);
                add
            },
            b"",
        );
        let numbers = added.ok().trim().replace(' ', ",");
        must_fail(kind, &attempts(&daemon, "c1", &["keys", &numbers]), &[]);
        assert_eq!(host_values(), host_before, "something of the host's kernel has changed");
    });
}

/// Values of the host's kernel that a container might want to change.
fn host_values() -> Vec<String> {
    let files = ["kernel/core_pattern", "kernel/modprobe", "kernel/sysrq", "kernel/hostname", "vm/overcommit_memory"];
    files.iter().map(|file| std::fs::read_to_string(format!("/proc/sys/{file}")).unwrap_or_default()).collect()
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").expect("proc is mounted")
}

#[test]
fn a_hostile_root_gets_nowhere() {
    tries("plain", &[]);
}

#[test]
fn a_hostile_root_gets_nowhere_with_nesting() {
    tries("nesting", &["-c", "security.nesting=true"]);
}

#[test]
fn limits_are_not_the_containers_to_change() {
    story(|host| {
        build(host);
        let daemon = host.daemon_on("dir");
        launch(host, &daemon, "c1", &["-c", "limits.memory=64MiB", "-c", "limits.processes=50"]);
        must_fail("limits", &attempts(&daemon, "c1", &["groups"]), &[]);
        let limit = daemon.lxc([
            "exec",
            "c1",
            "--",
            "sh",
            "-c",
            "cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max",
        ]);
        assert_eq!(limit.ok().trim(), "50");
    });
}

/// What a probe in `container` gets of processes that enter it, while `work` lets some: how often it saw one, how often it
/// had something of it, and all that it said.
fn watched(daemon: &Daemon, container: &str, verb: &str, work: impl Fn()) -> (u32, u32, String) {
    let mut watch = daemon.lxc_command(["exec", container, "--", "/root/probe", verb, "8"]);
    let mut watch = watch.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("lxc was built");
    let mut said = BufReader::new(watch.stdout.take().expect("a pipe was asked for"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it speaks");
    assert_eq!(line, "watching\n");
    while watch.try_wait().expect("it is our child").is_none() {
        work();
    }
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it speaks");
    let counts = rest.lines().find_map(|line| line.strip_prefix("seen ")?.split_once(", had ")).expect("a last line");
    let (seen, had) = (counts.0.parse().expect("a number"), counts.1.parse().expect("a number"));
    println!("seen {seen} times");
    (seen, had, rest)
}

#[test]
fn nobody_sees_more_of_a_command_that_enters_than_its_name() {
    story(|host| {
        build(host);
        let daemon = host.daemon_on("dir");
        launch(host, &daemon, "c1", &[]);
        let (_, had, said) = watched(&daemon, "c1", "watch", || {
            daemon.lxc(["exec", "c1", "--", "true"]).ok();
        });
        assert_eq!(had, 0, "{said}");
    });
}

#[test]
fn what_enters_a_privileged_container_brings_nothing_along() {
    story(|host| {
        build(host);
        let daemon = host.daemon_on("dir");
        launch(host, &daemon, "p1", &["-c", "security.privileged=true"]);
        let (_, had, said) = watched(&daemon, "p1", "watch-as-root", || {
            daemon.lxc(["exec", "p1", "--", "true"]).ok();
        });
        assert_eq!(had, 0, "{said}");
        // Who serves files or changes mounts is no process of the container's, and ends with it.
        let share = format!("source={}", host.folder().display());
        let (seen, had, said) = watched(&daemon, "p1", "watch-as-root", || {
            daemon.lxc(["file", "pull", "p1/etc/passwd", "-"]).ok();
            daemon.lxc(["config", "device", "add", "p1", "share", "disk", &share, "path=/mnt"]).ok();
            daemon.lxc(["config", "device", "remove", "p1", "share"]).ok();
        });
        assert_eq!((seen, had), (0, 0), "{said}");
        daemon.lxc(["stop", "--force", "p1"]).ok();
    });
}

#[test]
fn links_to_the_monitors_descriptors_lead_nowhere() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        for (name, more) in [("c1", &[][..]), ("p1", &["-c", "security.privileged=true"][..])] {
            daemon.lxc([&["launch", "busybox", name][..], more].concat()).ok();
            let root = daemon.lxc(["exec", name, "--", "stat", "-c", "%d:%i", "/"]).ok().to_string();
            for fd in 3..40 {
                // As the directory to begin in (compare CVE-2024-21626) …
                let link = format!("/proc/self/fd/{fd}");
                for up in ["", "/..", "/../../../../.."] {
                    let ran =
                        daemon.lxc(["exec", name, "--cwd", &format!("{link}{up}"), "--", "stat", "-c", "%d:%i", "."]);
                    assert!(ran.status != 0 || ran.out == root, "{name} {link}{up}: {ran:?}");
                }
                // … and as the way to the program.
                let ran = daemon.lxc(["exec", name, "--", &format!("{link}/../../../../../bin/true")]);
                assert!(ran.status == 127 || ran.status == 126, "{name} {link}: {ran:?}");
            }
        }
    });
}

#[test]
fn a_program_that_is_the_monitor_itself_cannot_be_written_to() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        // The script's interpreter is whoever runs it (compare CVE-2019-5736); privileged, so that ids stop nobody.
        daemon.lxc(["launch", "busybox", "p1", "-c", "security.privileged=true"]).ok();
        let script = "printf '#!/proc/self/exe\\n' > /root/script; chmod 755 /root/script";
        daemon.lxc(["exec", "p1", "--", "sh", "-c", script]).ok();
        let monitor = std::fs::read(program("lxd-monitor")).expect("it was built");
        let overwrite = "for i in $(seq 300); do for p in /proc/[0-9]*; do
            case $(cat $p/comm 2>/dev/null) in lxd-monitor|script|exe) echo ruined > $p/exe;; esac; done; done 2>/dev/null";
        let mut loops = daemon.lxc_command(["exec", "p1", "--", "sh", "-c", overwrite]);
        let mut loops = loops.stdin(Stdio::null()).spawn().expect("lxc was built");
        while loops.try_wait().expect("it is our child").is_none() {
            daemon.lxc(["exec", "p1", "--", "/root/script"]);
        }
        assert!(std::fs::read(program("lxd-monitor")).expect("it is there") == monitor, "the monitor was changed");
    });
}

/// A program that was built beside this test.
fn program(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    test.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file()).expect("it was built")
}

#[test]
fn an_init_that_listens_to_nobody_can_be_stopped() {
    story(|host| {
        build(host);
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let probe = host.folder().join("probe").display().to_string();
        daemon.lxc(["file", "delete", "c1/sbin/init"]).ok();
        daemon.lxc(["file", "push", &probe, "c1/sbin/init", "--mode", "0755"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "true"]).ok();
        let refused = daemon.lxc(["stop", "c1", "--timeout", "1"]);
        assert!(refused.refused().contains("shutting down the container failed"), "{}", refused.err);
        // Its noise fills no memory: the monitor keeps the last of it.
        let log = daemon.lxc(["console", "c1", "--show-log"]);
        assert!(log.out.len() < 4 << 20, "{} bytes of noise", log.out.len());
        daemon.lxc(["stop", "c1", "--force"]).ok();
        daemon.lxc(["delete", "c1"]).ok();
    });
}

#[test]
fn links_inside_lead_no_device_outside() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let outside = host.folder().join("outside");
        std::fs::create_dir(&outside).expect("ours");
        std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o777)).expect("ours");
        let inside = outside.display();
        // The same path is there on both sides, and links lead to it by every way that there is.
        let links = format!(
            "mkdir -p {inside}; cd /root; ln -s {inside} plain; ln -s ../../../../..{inside} up; ln -s /proc/1/root{inside} init
             i=3; while [ $i -lt 30 ]; do ln -s /proc/self/fd/$i/../../../../../..{inside} fd$i; i=$((i+1)); done"
        );
        daemon.lxc(["exec", "c1", "--", "sh", "-c", &links]).ok();
        let mounts_before = mounts();
        let source = host.folder().join("source");
        std::fs::create_dir(&source).expect("ours");
        let mut names = vec!["plain".to_string(), "up".to_string(), "init".to_string()];
        names.extend((3..30).map(|fd| format!("fd{fd}")));
        for name in &names {
            let disk = [format!("source={}", source.display()), format!("path=/root/{name}/disk")];
            daemon.lxc(["config", "device", "add", "c1", "disk", "disk", &disk[0], &disk[1]]);
            daemon.lxc(["config", "device", "remove", "c1", "disk"]);
            let node = format!("path=/root/{name}/node");
            daemon.lxc(["config", "device", "add", "c1", "node", "unix-char", "source=/dev/null", &node]);
            daemon.lxc(["config", "device", "remove", "c1", "node"]);
            let left: Vec<_> = std::fs::read_dir(&outside).expect("ours").flatten().map(|entry| entry.path()).collect();
            assert!(left.is_empty(), "{name}: {left:?}");
        }
        assert_eq!(mounts(), mounts_before);
        assert_eq!(std::fs::metadata(&outside).expect("it is there").uid(), 0);
    });
}

#[test]
fn nodes_of_the_host_keep_their_owners_and_modes() {
    story(|host| {
        // Should it go wrong after all, then with a node of the story's own.
        host.sh("mkdir nodes; mount -t tmpfs -o dev none nodes; mknod -m 666 nodes/null c 1 3; mknod -m 666 nodes/zero c 1 5
                 mount --bind nodes/null /dev/null; mount --bind nodes/zero /dev/zero; echo x > pushed");
        let nodes = || host.sh("stat -c '%n %u:%g %a' /dev/null /dev/zero /dev/full nodes/null nodes/zero");
        let before = nodes();
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        let pushed = host.folder().join("pushed").display().to_string();
        for (name, more) in [("c1", &[][..]), ("p1", &["-c", "security.privileged=true"][..])] {
            daemon.lxc([&["launch", "busybox", name][..], more].concat()).ok();
            daemon.lxc(["config", "device", "add", name, "own", "unix-char", "source=/dev/zero", "path=/dev/own"]).ok();
            let take =
                "for f in /dev/null /dev/zero /dev/full /dev/own /proc/self/fd/0 /proc/self/fd/1 /proc/1/fd/0; do
                        chown 1000:1000 $f; chmod 600 $f; done; true";
            daemon.lxc(["exec", name, "--", "sh", "-c", take]).ok();
            assert_eq!(nodes(), before, "{name}: by a command");
            // Without websockets, where nothing is at the other end of its descriptors.
            let body = serde_json::json!({ "command": ["sh", "-c", take], "wait-for-websocket": false }).to_string();
            daemon.lxc(["query", "--wait", "-X", "POST", "-d", &body, &format!("/1.0/instances/{name}/exec")]).ok();
            assert_eq!(nodes(), before, "{name}: by a command that is not listened to");
            for file in ["dev/null", "dev/zero", "dev/own"] {
                let target = format!("{name}/{file}");
                daemon.lxc(["file", "push", "--uid=1000", "--gid=1000", "--mode=0600", &pushed, &target]).refused();
                daemon.lxc(["file", "delete", &target]);
                assert_eq!(nodes(), before, "{name}: by files, {file}");
            }
            daemon.lxc(["restart", "--force", name]).ok();
            assert_eq!(nodes(), before, "{name}: by another start");
            daemon.lxc(["delete", "--force", name]).ok();
        }
        drop(daemon);
        host.sh("umount /dev/null; umount /dev/zero; umount nodes");
    });
}
