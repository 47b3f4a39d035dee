//! The processes beside the daemon are killed: what they held is given back, and told as what it is.
#![forbid(unsafe_code)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stories::{Daemon, story};

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what} does not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The monitor of a running instance: the parent of its first process.
fn monitor(daemon: &Daemon, name: &str) -> Option<Pid> {
    let init = daemon.get(&format!("/1.0/instances/{name}/state"))["pid"].as_i64().filter(|pid| *pid > 0)?;
    let status = std::fs::read_to_string(format!("/proc/{init}/status")).ok()?;
    Pid::from_raw(status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?)
}

fn status(daemon: &Daemon, name: &str) -> String {
    daemon.get(&format!("/1.0/instances/{name}"))["status"].as_str().unwrap_or_default().to_string()
}

/// What a container has on the host beside its files.
fn traces(daemon: &Daemon, name: &str) -> Vec<String> {
    let names = |path: &str| -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string()).collect()
    };
    let mut found: Vec<String> = names("/sys/fs/cgroup").iter().flat_map(|path| names(path)).collect();
    found.extend(names("/sys/fs/cgroup"));
    found.retain(|path| {
        path.ends_with(&format!("lxc.payload.{name}")) || path.ends_with(&format!("lxc.monitor.{name}"))
    });
    found.extend(names("/sys/class/net").into_iter().filter(|path| path.contains("/veth")));
    found.extend(
        names(&daemon.dir.join("run/containers").join(name).display().to_string())
            .into_iter()
            .filter(|path| path.ends_with(".sock") || path.ends_with("/nodes")),
    );
    found
}

#[test]
fn a_killed_monitor_leaves_a_stopped_instance_and_nothing_else() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["profile", "device", "add", "default", "eth0", "nic", "nictype=p2p", "name=eth0"]).ok();
        daemon
            .lxc(["profile", "device", "add", "default", "zero", "unix-char", "path=/dev/own", "source=/dev/zero"])
            .ok();
        daemon.import_busybox("busybox");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let under_way: [&[&str]; 6] = [
            &[],
            &["exec", "c1", "--", "sleep", "100"],
            &["exec", "c1", "--", "sh", "-c", "while true; do echo much; done"],
            &["stop", "c1", "--timeout", "20"],
            &["restart", "c1", "--force"],
            &["snapshot", "c1"],
        ];
        // Later each time, so that it falls into what is done at many places.
        for (round, words) in under_way.into_iter().cycle().take(24).enumerate() {
            daemon.lxc(["start", "c1"]).ok();
            let monitor = monitor(&daemon, "c1").expect("it runs");
            let client = (!words.is_empty()).then(|| {
                let mut client = daemon.lxc_command(words);
                client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("lxc was built")
            });
            std::thread::sleep(Duration::from_millis(10 * (round as u64 / 6)));
            // It may have ended by itself.
            let _ = kill_process(monitor, Signal::KILL);
            if let Some(mut client) = client {
                client.wait().expect("it ends with what it did");
            }
            // A restart may have begun another one.
            if words.first() != Some(&"restart") {
                eventually("the instance is stopped", || status(&daemon, "c1") == "Stopped");
            }
            daemon.lxc(["stop", "c1", "--force"]);
            eventually("nothing is left", || traces(&daemon, "c1").is_empty());
            // What has ended is shown for some seconds.
            eventually("no operation goes on", || daemon.get("/1.0/operations")["running"].is_null());
        }
        daemon.lxc(["start", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "true"]).ok();
    });
}

#[test]
fn a_killed_dnsmasq_is_there_again_when_it_is_needed() {
    story(|host| {
        let mut daemon = host.daemon();
        let words = ["network", "create", "killbr0", "ipv4.address=10.95.0.1/24", "ipv6.address=none"];
        daemon.lxc(words).ok();
        let pid = || -> Option<Pid> {
            let text = std::fs::read_to_string(daemon.dir.join("networks/killbr0/dnsmasq.pid")).ok()?;
            let pid = text.lines().find_map(|line| line.strip_prefix("pid:"))?.trim().parse().ok()?;
            std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists().then(|| Pid::from_raw(pid)).flatten()
        };
        let first = pid().expect("it runs");
        kill_process(first, Signal::KILL).expect("it is there");
        eventually("it is gone", || pid().is_none());
        // As in LXD, the next change of the network, or the next daemon, brings it back.
        daemon.lxc(["network", "set", "killbr0", "ipv4.dhcp.expiry=2h"]).ok();
        let second = pid().expect("a change brings it back");
        kill_process(second, Signal::KILL).expect("it is there");
        eventually("it is gone", || pid().is_none());
        daemon.kill();
        daemon.begin();
        let text = std::fs::read_to_string(daemon.dir.join("networks/killbr0/dnsmasq.pid")).expect("it is remembered");
        let third = text.lines().find_map(|line| line.strip_prefix("pid:")).expect("a pid").trim().to_string();
        assert!(std::fs::read_to_string(format!("/proc/{third}/cmdline")).is_ok_and(|line| line.contains("killbr0")));
        daemon.lxc(["network", "delete", "killbr0"]).ok();
    });
}
