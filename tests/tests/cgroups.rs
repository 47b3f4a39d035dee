//! Shares and limits, measured where the kernel counts them.
#![forbid(unsafe_code)]

use std::time::Duration;

use stories::{Daemon, story};

/// Keeps one processor busy until it is stopped.
const BURNER: &str = "while :; do :; done";

/// Starts `count` burners in a container, all of them on the processor that its `limits.cpu` names.
fn burn(daemon: &Daemon, name: &str, count: usize) {
    let script = format!("for i in $(seq {count}); do ({BURNER}) & done; wait");
    let post = format!(r#"{{"command":["sh","-c","{script}"],"wait-for-websocket":false,"interactive":false}}"#);
    daemon.lxc(["query", "-X", "POST", "-d", &post, &format!("/1.0/instances/{name}/exec")]).ok();
}

/// Processor time of each container in nanoseconds over five seconds, as parts of their sum.
fn parts(daemon: &Daemon, names: &[&str]) -> Vec<f64> {
    let usage = |name: &&str| {
        let state = daemon.get(&format!("/1.0/instances/{name}/state"));
        state["cpu"]["usage"].as_f64().expect("processor time is counted")
    };
    let before: Vec<f64> = names.iter().map(usage).collect();
    std::thread::sleep(Duration::from_secs(5));
    let used: Vec<f64> = names.iter().map(usage).zip(before).map(|(after, before)| after - before).collect();
    let sum: f64 = used.iter().sum();
    used.iter().map(|time| time / sum).collect()
}

#[track_caller]
fn assert_near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= wanted * 0.1, "a share of {found:.3} where {wanted:.3} was due");
}

fn launch_on_one_cpu(daemon: &Daemon, name: &str, allowance: Option<&str>) {
    daemon.lxc(["init", "busybox", name, "-c", "limits.cpu=0-0"]).ok();
    if let Some(allowance) = allowance {
        daemon.lxc(["config", "set", name, &format!("limits.cpu.allowance={allowance}")]).ok();
    }
    daemon.lxc(["start", name]).ok();
}

#[test]
fn half_the_shares_give_half_as_much() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        launch_on_one_cpu(&daemon, "full", None);
        launch_on_one_cpu(&daemon, "half", Some("50%"));
        burn(&daemon, "full", 1);
        burn(&daemon, "half", 3);
        let shares = parts(&daemon, &["full", "half"]);
        assert_near(shares[0], 2.0 / 3.0);
        // Three burners share the other third: a ninth each.
        assert_near(shares[1] / 3.0, 1.0 / 9.0);
        // Taken away while both run, the key acts at once.
        daemon.lxc(["config", "unset", "half", "limits.cpu.allowance"]).ok();
        let shares = parts(&daemon, &["full", "half"]);
        assert_near(shares[0], 0.5);
    });
}

#[test]
fn three_halves_beside_a_whole_get_a_fifth_each() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let names = ["whole", "half1", "half2", "half3"];
        for name in names {
            launch_on_one_cpu(&daemon, name, name.starts_with("half").then_some("50%"));
            burn(&daemon, name, 1);
        }
        let shares = parts(&daemon, &names);
        assert_near(shares[0], 0.4);
        for share in &shares[1..] {
            assert_near(*share, 0.2);
        }
    });
}

#[test]
fn limits_of_memory_processes_and_processors_hold() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let limits = ["-c", "limits.memory=32MiB", "-c", "limits.processes=20", "-c", "limits.cpu=1"];
        daemon.lxc(["launch", "busybox", "c1"].into_iter().chain(limits)).ok();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        // A file on a tmpfs is memory; what does not fit ends the writer.
        let filled = exec("mount -t tmpfs none /mnt && dd if=/dev/zero of=/mnt/x bs=1M count=64");
        assert_ne!(filled.status, 0, "64 MiB fit into 32: {}{}", filled.out, filled.err);
        exec("rm -f /mnt/x").ok();
        let forked = exec("for i in $(seq 40); do sleep 20 & done");
        assert!(forked.err.contains("fork"), "40 processes where 20 may be: {}", forked.err);
        let cpus = exec("grep Cpus_allowed_list /proc/self/status").ok().to_string();
        assert!(!cpus.contains('-') && !cpus.contains(','), "one processor, not {cpus}");
        // Raised while it runs, the limit acts at once.
        daemon.lxc(["config", "set", "c1", "limits.memory=256MiB"]).ok();
        daemon.lxc(["config", "set", "c1", "limits.processes=200"]).ok();
        exec("dd if=/dev/zero of=/mnt/x bs=1M count=64 2>/dev/null").ok();
    });
}

#[test]
fn processors_are_given_out_anew_as_containers_come_change_and_go() {
    story(|host| {
        if std::thread::available_parallelism().expect("the kernel says").get() < 2 {
            println!("skipped: with one processor there is nothing to share out");
            return;
        }
        let mut daemon = host.daemon_on("dir");
        let cpus = |daemon: &Daemon, name: &str| {
            let seen = daemon.lxc(["exec", name, "--", "grep", "Cpus_allowed_list", "/proc/self/status"]);
            seen.ok().split_whitespace().last().expect("a list").to_string()
        };
        daemon.lxc(["launch", "busybox", "a", "-c", "limits.cpu=1"]).ok();
        assert_eq!(cpus(&daemon, "a"), "0");
        daemon.lxc(["launch", "busybox", "b", "-c", "limits.cpu=1"]).ok();
        assert_eq!((cpus(&daemon, "a"), cpus(&daemon, "b")), ("0".into(), "1".into()));
        // Who wants this one and no other sends the others away.
        daemon.lxc(["launch", "busybox", "c", "-c", "limits.cpu=0-0"]).ok();
        assert_eq!((cpus(&daemon, "a"), cpus(&daemon, "c")), ("1".into(), "0".into()));
        // The next daemon knows what each asked for, and so does a profile.
        daemon.kill();
        daemon.begin();
        daemon.lxc(["stop", "-f", "c"]).ok();
        assert_eq!((cpus(&daemon, "a"), cpus(&daemon, "b")), ("0".into(), "1".into()));
        daemon.lxc(["config", "set", "a", "limits.cpu=1-1"]).ok();
        assert_eq!((cpus(&daemon, "a"), cpus(&daemon, "b")), ("1".into(), "0".into()));
        daemon.lxc(["config", "unset", "a", "limits.cpu"]).ok();
        daemon.lxc(["profile", "set", "default", "limits.cpu=0-0"]).ok();
        assert_eq!((cpus(&daemon, "a"), cpus(&daemon, "b")), ("0".into(), "1".into()));
        daemon.lxc(["profile", "unset", "default", "limits.cpu"]).ok();
        assert_eq!(cpus(&daemon, "a"), host.sh("cat /sys/devices/system/cpu/online").trim());
    });
}
