//! Ephemeral containers, renames, refusals of what is already so, and the order of autostart.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use serde_json::json;
use stories::{Daemon, story};

/// Waits for the next event of the lifecycle that has this action, which `begin` makes happen; all that was told of until
/// then.
fn until(daemon: &Daemon, action: &str, begin: impl FnOnce()) -> Vec<String> {
    use std::io::{BufRead, BufReader};
    let mut monitor = daemon.lxc_command(["monitor", "--type=lifecycle", "--format=json"]);
    let mut monitor = monitor.stdout(std::process::Stdio::piped()).spawn().expect("lxc was built");
    let lines = BufReader::new(monitor.stdout.take().expect("a pipe was asked for")).lines();
    // The monitor is listening once it hears of something.
    let mut lines = lines.map_while(Result::ok);
    loop {
        daemon.lxc(["profile", "create", "noise"]).ok();
        daemon.lxc(["profile", "delete", "noise"]).ok();
        if lines.next().is_some() {
            break;
        }
    }
    begin();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut told = Vec::new();
    let found = lines.any(|line| {
        let found = line.contains(&format!("\"{action}\"")) || Instant::now() > deadline;
        told.push(line);
        found
    });
    let _ = monitor.kill();
    let _ = monitor.wait();
    assert!(found && Instant::now() <= deadline, "{action} was not told of");
    told
}

#[test]
fn what_goes_with_an_instance_or_a_volume_is_told_of_too() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["storage", "volume", "create", "default", "v1"]).ok();
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let told = until(&daemon, "instance-deleted", || {
            daemon.lxc(["storage", "volume", "snapshot", "default", "v1", "s0"]).ok();
            daemon.lxc(["storage", "volume", "delete", "default", "v1"]).ok();
            daemon.lxc(["snapshot", "c1", "s1"]).ok();
            daemon.lxc(["delete", "c1"]).ok();
        });
        let told: Vec<(String, String, serde_json::Value)> = told
            .iter()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .map(|event| event["metadata"].clone())
            .filter(|event| !event["source"].as_str().is_none_or(|source| source.contains("/profiles/")))
            .map(|event| {
                let word = |name: &str| event[name].as_str().unwrap_or_default().to_string();
                (word("action"), word("source"), event["context"].clone())
            })
            .collect();
        let volume = "/1.0/storage-pools/default/volumes/custom/v1";
        let custom = json!({"type": "custom"});
        let event = |action: &str, source: &str, context: &serde_json::Value| {
            (action.to_string(), source.to_string(), context.clone())
        };
        let nothing = serde_json::Value::Null;
        assert_eq!(
            told,
            [
                event("storage-volume-snapshot-created", &format!("{volume}/snapshots/s0"), &custom),
                event("storage-volume-snapshot-deleted", &format!("{volume}/snapshots/s0"), &nothing),
                event("storage-volume-deleted", volume, &nothing),
                event("instance-snapshot-created", "/1.0/instances/c1/snapshots/s1", &nothing),
                event("instance-snapshot-deleted", "/1.0/instances/c1/snapshots/s1", &nothing),
                event("instance-deleted", "/1.0/instances/c1", &nothing),
            ]
        );
        // Small things in which LXD's answers are the measure.
        for verb in ["GET", "PUT", "PATCH", "POST", "DELETE"] {
            let answer = daemon.ask(verb, "/", "{}");
            assert_eq!((answer.code, &answer.body["metadata"]), (200, &json!(["/1.0"])), "{verb}");
        }
        host.sh("ip link add own0 type bridge");
        assert_eq!(daemon.get("/1.0/networks/own0")["locations"], nothing);
        assert!(daemon.lxc(["network", "show", "own0"]).ok().contains("locations: []"));
    });
}

fn ephemeral(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        daemon.lxc(["launch", "busybox", "e1", "-e"]).ok();
        assert_eq!(daemon.get("/1.0/instances/e1")["ephemeral"], true);
        daemon.lxc(["restart", "e1", "--force"]).ok();
        assert_eq!(daemon.get("/1.0/instances/e1")["status"], "Running");
        // A reboot from inside is no stop.
        until(&daemon, "instance-restarted", || {
            let _ = daemon.lxc(["exec", "e1", "--", "reboot"]);
        });
        assert_eq!(daemon.get("/1.0/instances/e1")["status"], "Running");
        daemon.lxc(["stop", "e1", "--force"]).ok();
        assert_eq!(daemon.get("/1.0/instances"), json!([]));
        // Neither does it stay when it ends by itself.
        daemon.lxc(["launch", "busybox", "e2", "-e"]).ok();
        until(&daemon, "instance-deleted", || {
            let _ = daemon.lxc(["exec", "e2", "--", "poweroff"]);
        });
        assert_eq!(daemon.get("/1.0/instances"), json!([]));
        host.sh("test -z \"$(ls one/containers one/storage-pools/default/containers)\" || ls -R one/containers >&2");
    });
}

#[test]
fn an_ephemeral_container_goes_when_it_stops_on_dir() {
    ephemeral("dir");
}

#[test]
fn an_ephemeral_container_goes_when_it_stops_on_overlay() {
    ephemeral("overlay");
}

fn renamed(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        daemon.lxc(["init", "busybox", "c2"]).ok();
        daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo kept > /root/file"]).ok();
        let running = daemon.lxc(["rename", "c1", "c3"]);
        assert!(running.refused().contains("Renaming of running container not allowed"), "{}", running.err);
        daemon.lxc(["stop", "c1", "--force"]).ok();
        for (name, words) in
            [("c2", "already in use"), ("a.b", "Name can only contain alphanumeric and hyphen characters")]
        {
            let refused = daemon.lxc(["rename", "c1", name]);
            assert!(refused.refused().contains(words), "{name}: {} is not {words}", refused.err);
        }
        daemon.lxc(["rename", "c1", "c3"]).ok();
        assert_eq!(daemon.get("/1.0/instances"), json!(["/1.0/instances/c2", "/1.0/instances/c3"]));
        assert_eq!(host.sh("ls one/containers"), "c2\nc3\n");
        daemon.lxc(["start", "c3"]).ok();
        assert_eq!(daemon.lxc(["exec", "c3", "--", "sh", "-c", "cat /root/file; hostname"]).ok(), "kept\nc3\n");
    });
}

#[test]
fn a_stopped_container_gets_another_name_on_dir() {
    renamed("dir");
}

#[test]
fn a_stopped_container_gets_another_name_on_overlay() {
    renamed("overlay");
}

#[test]
fn what_is_already_so_is_said() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let refused = |arguments: &[&str], words: &str| {
            let refused = daemon.lxc(arguments);
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
        };
        refused(&["stop", "c1"], "The instance is already stopped");
        refused(&["pause", "c1"], "The container isn't running");
        refused(&["exec", "c1", "--", "true"], "Instance is not running");
        daemon.lxc(["start", "c1"]).ok();
        refused(&["start", "c1"], "The instance is already running");
        refused(&["delete", "c1"], "The instance is currently running, stop it first or pass --force");
        daemon.lxc(["pause", "c1"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Frozen");
        refused(&["pause", "c1"], "The container is already frozen");
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running");
        refused(&["start", "nope"], "Instance not found");
        // Several at once: who can, does; who cannot is named.
        daemon.lxc(["init", "busybox", "c2"]).ok();
        refused(&["start", "c2", "c1"], "The instance is already running");
        daemon.lxc(["stop", "--all", "--force"]).ok();
        let states = daemon.lxc(["list", "-c", "ns", "-f", "csv"]);
        assert_eq!(states.ok(), "c1,STOPPED\nc2,STOPPED\n");
    });
}

#[test]
fn a_stop_that_init_ignores_ends_with_its_patience() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        // An init that hears no signal.
        daemon.lxc(["config", "set", "c1", "raw.lxc=lxc.init.cmd = /bin/sleep 1000"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        let late = daemon.lxc(["stop", "c1", "--timeout", "1"]);
        assert!(late.refused().contains("Failed shutting down instance, status is \"Running\""), "{}", late.err);
        assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running");
        daemon.lxc(["stop", "c1", "--force"]).ok();
    });
}

#[test]
fn autostart_goes_by_priority_and_waits_the_delay() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        for (name, priority, delay) in [("last", "1", "0"), ("first", "10", "2"), ("second", "5", "0")] {
            daemon.lxc(["init", "busybox", name, "-c", "boot.autostart=true"]).ok();
            let keys = [format!("boot.autostart.priority={priority}"), format!("boot.autostart.delay={delay}")];
            daemon.lxc(["config", "set", name, &keys[0], &keys[1]]).ok();
        }
        daemon.stop();
        daemon.begin();
        let started = |name: &str| {
            daemon.get(&format!("/1.0/instances/{name}"))["last_used_at"].as_str().unwrap_or_default().to_string()
        };
        let all = || {
            ["first", "second", "last"].map(|name| daemon.get(&format!("/1.0/instances/{name}"))["status"] == "Running")
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while all() != [true; 3] {
            assert!(Instant::now() < deadline, "they were not all started");
            std::thread::yield_now();
        }
        let times = ["first", "second", "last"].map(started);
        assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
        let seconds = |time: &str| {
            let part = |from: usize| time[from..from + 2].parse::<u32>().expect("a number");
            part(11) * 3600 + part(14) * 60 + part(17)
        };
        let waited = (seconds(&times[1]) + 86_400 - seconds(&times[0])) % 86_400;
        assert!((1..=30).contains(&waited), "{times:?}");
    });
}

#[test]
fn commands_and_looks_at_the_console_are_told_of() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        until(&daemon, "instance-exec", || {
            daemon.lxc(["exec", "c1", "--", "true"]).ok();
        });
        until(&daemon, "instance-console-retrieved", || {
            daemon.lxc(["console", "c1", "--show-log"]).ok();
        });
    });
}
