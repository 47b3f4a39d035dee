//! The daemon comes and goes; containers stay.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use stories::https::{certificate, over_https};
use stories::{Daemon, story};

fn init_of(daemon: &Daemon, name: &str) -> i64 {
    daemon.get(&format!("/1.0/instances/{name}/state"))["pid"].as_i64().expect("it runs")
}

fn survives(driver: &str, end: fn(&mut Daemon)) {
    story(|host| {
        let mut daemon = host.daemon_on(driver);
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let init = init_of(&daemon, "c1");
        // A session that writes to a file every now and then, whoever listens.
        let mut lxc = daemon.lxc_command([
            "exec",
            "c1",
            "--",
            "sh",
            "-c",
            "echo ready; i=0; while :; do i=$((i+1)); echo $i > /root/beat; echo $i; usleep 100000; done",
        ]);
        let mut session = lxc.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("lxc was built");
        let mut lines = BufReader::new(session.stdout.take().expect("a pipe was asked for"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("the session speaks");
        assert_eq!(line, "ready\n");
        end(&mut daemon);
        session.wait().expect("lxc ends with its daemon");
        let beat = || std::fs::read_to_string(format!("/proc/{init}/root/root/beat")).unwrap_or_default();
        let before = beat();
        std::thread::sleep(std::time::Duration::from_millis(600));
        assert_ne!(beat(), before, "the session went with the daemon");
        daemon.begin();
        assert_eq!(init_of(&daemon, "c1"), init, "another process is its init");
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running");
        daemon.lxc(["exec", "c1", "--", "true"]).ok();
        daemon.lxc(["restart", "c1", "--force"]).ok();
        assert_ne!(init_of(&daemon, "c1"), init);
    });
}

#[test]
fn containers_and_sessions_outlive_a_killed_daemon_on_dir() {
    survives("dir", Daemon::kill);
}

#[test]
fn containers_and_sessions_outlive_a_killed_daemon_on_overlay() {
    survives("overlay", Daemon::kill);
}

#[test]
fn containers_and_sessions_outlive_a_stopped_daemon() {
    survives("dir", Daemon::stop);
}

#[test]
fn what_ends_while_no_daemon_looks_is_noticed_by_the_next() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let init = init_of(&daemon, "c1");
        daemon.kill();
        let init = rustix::process::Pid::from_raw(i32::try_from(init).expect("a pid")).expect("a pid");
        rustix::process::kill_process(init, rustix::process::Signal::KILL).expect("it is the story's own");
        while rustix::process::test_kill_process(init).is_ok() {
            std::thread::yield_now();
        }
        daemon.begin();
        // It ran by the last word of the old daemon, so that the new one starts it.
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running");
    });
}

#[test]
fn autostart_and_the_last_power_state_decide_what_runs() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        for (name, autostart) in [("asked", "true"), ("refused", "false"), ("idle", "")] {
            daemon.lxc(["init", "busybox", name]).ok();
            daemon.lxc(["config", "set", name, &format!("boot.autostart={autostart}")]).ok();
        }
        daemon.lxc(["launch", "busybox", "running"]).ok();
        daemon.lxc(["start", "refused"]).ok();
        daemon.lxd(["shutdown", "--timeout", "60"], b"");
        daemon.ended();
        daemon.begin();
        let status = |name: &str| daemon.get(&format!("/1.0/instances/{name}"))["status"].clone();
        assert_eq!(status("asked"), "Running");
        assert_eq!(status("running"), "Running");
        assert_eq!(status("refused"), "Stopped");
        assert_eq!(status("idle"), "Stopped");
    });
}

#[test]
fn a_newer_daemon_serves_what_an_older_monitor_runs() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let init = init_of(&daemon, "c1");
        daemon.kill();
        let socket = host.sh("find $PWD/one/run -name monitor.sock");
        stories::older_monitor::speak_version_1(std::path::Path::new(socket.trim()));
        daemon.begin();
        assert_eq!(init_of(&daemon, "c1"), init);
        // All that version 1 knows.
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        assert_eq!((exec("echo out; exit 3").status, exec("echo out").ok()), (3, "out\n"));
        assert!(daemon.lxc(["exec", "-t", "c1", "--", "tty"]).ok().contains("/dev/pts/"));
        daemon.lxc(["console", "c1", "--show-log"]).ok();
        daemon.lxc(["config", "set", "c1", "limits.memory=64MiB"]).ok();
        let source = format!("source={}", host.folder().join("one-client").display());
        daemon.lxc(["config", "device", "add", "c1", "share", "disk", "path=/share", &source]).ok();
        exec("ls /share").ok();
        daemon.lxc(["config", "device", "remove", "c1", "share"]).ok();
        daemon.lxc(["pause", "c1"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        // What came later is refused with a plain word, and harms nothing.
        let pulled = daemon.lxc(["file", "pull", "c1/etc/passwd", "-"]);
        assert!(pulled.status == 0 || !pulled.err.is_empty(), "{}", pulled.err);
        exec("true").ok();
        assert_eq!(init_of(&daemon, "c1"), init);
        // Its next start has a monitor of today.
        daemon.lxc(["restart", "c1", "--force"]).ok();
        assert_ne!(init_of(&daemon, "c1"), init);
        assert!(daemon.lxc(["file", "pull", "c1/etc/passwd", "-"]).ok().contains("root:"));
    });
}

#[test]
fn a_full_disk_under_the_database_refuses_changes_and_nothing_more() {
    story(|host| {
        host.sh("mkdir -p one/database/global; mount -t tmpfs -o size=6m tmpfs one/database/global; \
             dd if=/dev/zero of=one/database/global/big bs=1M count=3 status=none; \
             head -c 262144 /dev/zero | tr '\\0' a > value");
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let value = std::fs::read(host.folder().join("value")).expect("it was written");
        let set = |key: &str| daemon.lxc_with(["config", "set", "c1", key, "-"], &value).status;
        let full = (0..30).find(|number| set(&format!("user.prop{number}")) != 0);
        assert!(full.is_some(), "the disk is never full");
        assert_ne!([set("user.x"), set("user.y")], [0, 0]);
        assert!(daemon.get("/1.0/instances/c1")["config"]["user.x"].is_null());
        host.sh("rm one/database/global/big");
        assert_eq!(set("user.z"), 0);
        daemon.lxc(["delete", "c1"]).ok();
    });
}

#[test]
fn the_programs_are_replaced_under_what_runs() {
    story(|host| {
        let mut daemon = host.daemon();
        daemon.stop();
        let programs = host.folder().join("bin");
        daemon.install(&programs);
        daemon.begin();
        daemon.with_pool("overlay");
        daemon.import_busybox("busybox");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let init = init_of(&daemon, "c1");
        let versions = |daemon: &Daemon| {
            let server = daemon.get("/1.0")["environment"]["server_version"].as_str().expect("a version").to_string();
            (server, daemon.lxc(["--version"]).ok().trim().to_string())
        };
        assert_eq!(versions(&daemon), ("5.0.2".into(), "5.0.2".into()));
        // An upgrade: newer files in the place of the old ones, then the daemon is started again. Another build is one
        // that says so, of which no byte is in the old files.
        host.sh("cd bin; for program in lxd lxc lxd-monitor; do
                   LC_ALL=C sed 's/5\\.0\\.2/5.0.3/g' $program > new; printf new >> new; chmod 755 new; mv new $program; done");
        daemon.stop();
        daemon.begin();
        assert_eq!(versions(&daemon), ("5.0.3".into(), "5.0.3".into()));
        assert_eq!(init_of(&daemon, "c1"), init);
        daemon.lxc(["exec", "c1", "--", "true"]).ok();
        daemon.lxc(["launch", "busybox", "c2"]).ok();
        // The monitor of the old container is the program that was replaced, that of the new one is not.
        let has_new_monitor = |name: &str| {
            let init = init_of(&daemon, name);
            let program = format!("/proc/$(awk '/^PPid/ {{print $2}}' /proc/{init}/status)/exe");
            host.sh(&format!("if cmp -s {program} bin/lxd-monitor; then echo yes; else echo no; fi")) == "yes\n"
        };
        assert!(!has_new_monitor("c1") && has_new_monitor("c2"));
        daemon.lxc(["restart", "c1", "--force"]).ok();
        assert_ne!(init_of(&daemon, "c1"), init);
        assert!(has_new_monitor("c1"));
    });
}

#[test]
fn a_shutdown_stops_the_urgent_first_and_waits_as_long_as_it_may() {
    story(|host| {
        let mut daemon = host.daemon_on("overlay");
        for (name, priority) in [("last", "0"), ("first", "20"), ("second", "10")] {
            let priority = format!("boot.stop.priority={priority}");
            daemon.lxc(["launch", "busybox", name, "-c", &priority, "-c", "boot.host_shutdown_timeout=2"]).ok();
        }
        // Its init never hears what it is asked.
        let init = init_of(&daemon, "second");
        host.sh(&format!("kill -STOP {init}"));
        let mut monitor = daemon.lxc_command(["monitor", "--type", "lifecycle", "--format", "json"]);
        let mut monitor = monitor.stdout(Stdio::piped()).spawn().expect("lxc was built");
        let lines = BufReader::new(monitor.stdout.take().expect("a pipe was asked for"));
        // It listens once it has heard of something.
        let mut lines = lines.lines().map(|line| line.expect("the monitor speaks"));
        let heard = std::thread::scope(|scope| {
            let stop = scope.spawn(|| lines.find(|line| line.contains("instance-updated")));
            while !stop.is_finished() {
                daemon.lxc(["config", "set", "last", "user.heard=1"]).ok();
            }
            stop.join().expect("no panic")
        });
        assert!(heard.is_some());
        let begun = std::time::Instant::now();
        assert_eq!(daemon.lxd(["shutdown", "--timeout", "60"], b"").status, 0);
        assert!(begun.elapsed().as_secs() < 25, "the limits of the containers did not count");
        daemon.ended();
        let _ = monitor.wait();
        let names = ["first", "second", "last"];
        let ended: Vec<&str> = lines
            .filter(|line| line.contains("instance-shutdown") || line.contains("instance-stopped"))
            .filter_map(|line| names.into_iter().find(|name| line.contains(&format!("/{name}\""))))
            .collect();
        assert_eq!(ended, names);
        daemon.begin();
        for name in names {
            assert_eq!(daemon.get(&format!("/1.0/instances/{name}"))["status"], "Running", "{name}");
        }
    });
}

#[test]
fn the_address_of_https_moves_between_one_and_all() {
    story(|host| {
        let daemon = host.daemon();
        certificate(host, "anyone");
        let answers = || over_https(host, "anyone", "", "/1.0").0;
        // One address and all addresses of one port cannot be had side by side.
        for address in ["127.0.0.1:8443", ":8443", "127.0.0.1:8443"] {
            daemon.lxc(["config", "set", "core.https_address", address]).ok();
            assert_eq!(answers(), 200, "{address}");
        }
        let refused = daemon.lxc(["config", "set", "core.https_address", "192.0.2.1:8443"]);
        assert!(refused.refused().contains("Cannot assign requested address"), "{}", refused.err);
        assert_eq!(answers(), 200, "it listens where it did");
        assert_eq!(daemon.lxc(["config", "get", "core.https_address"]).ok().trim(), "127.0.0.1:8443");
    });
}
