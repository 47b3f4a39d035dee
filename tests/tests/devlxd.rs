//! What an instance may ask of the daemon over `/dev/lxd/sock`.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use stories::{Daemon, Ran, story};

/// The host's curl, run in the container with the host's libraries.
const CURL: [&str; 5] = [
    "/host/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "--library-path",
    "/host/lib/x86_64-linux-gnu",
    "/host/bin/curl",
    "--unix-socket",
];

fn launch(daemon: &Daemon, name: &str, keys: &[&str]) {
    let keys = keys.iter().flat_map(|key| ["-c", key]);
    daemon.lxc(["init", "busybox", name].into_iter().chain(keys)).ok();
    daemon.lxc(["config", "device", "add", name, "host", "disk", "source=/usr", "path=/host", "readonly=true"]).ok();
    daemon.lxc(["start", name]).ok();
}

fn asked_by(daemon: &Daemon, name: &str, user: &str, path: &str) -> Ran {
    let url = format!("http://lxd{path}");
    let words = ["exec", name, "--user", user, "--"].into_iter().chain(CURL);
    daemon.lxc(words.chain(["/dev/lxd/sock", "-s", "-w", "%{http_code}", &url]))
}

/// What root of the instance gets: the text and the status.
fn asked(daemon: &Daemon, name: &str, path: &str) -> (String, String) {
    let ran = asked_by(daemon, name, "0", path);
    let text = ran.ok();
    let (body, status) = text.split_at(text.len() - 3);
    (body.to_string(), status.to_string())
}

fn gets(daemon: &Daemon, path: &str) -> String {
    let (body, status) = asked(daemon, "c1", path);
    assert_eq!(status, "200", "{path}: {body}");
    body
}

#[test]
fn an_instance_sees_what_is_its_own() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        launch(&daemon, "c1", &["user.foo=bar %s bar", "cloud-init.user-data=#cloud-config", "user.meta-data=more: 1"]);
        launch(&daemon, "c2", &["user.foo=other"]);
        assert_eq!(gets(&daemon, "/"), "[\"/1.0\"]\n");
        assert!(gets(&daemon, "/1.0").contains(r#""api_version":"1.0""#));
        assert_eq!(gets(&daemon, "/1.0/config/user.foo"), "bar %s bar");
        assert_eq!(asked(&daemon, "c2", "/1.0/config/user.foo").0, "other");
        let keys = gets(&daemon, "/1.0/config");
        assert!(keys.contains("/1.0/config/user.foo") && keys.contains("/1.0/config/cloud-init.user-data"), "{keys}");
        assert!(!keys.contains("volatile") && !keys.contains("image."), "{keys}");
        let id = daemon.lxc(["config", "get", "c1", "volatile.cloud-init.instance-id"]);
        let wanted = format!("#cloud-config\ninstance-id: {}\nlocal-hostname: c1\nmore: 1", id.ok().trim());
        assert_eq!(gets(&daemon, "/1.0/meta-data"), wanted);
        assert!(gets(&daemon, "/1.0/devices").contains(r#""path":"/host""#));
        for (path, status, words) in [
            ("/1.0/config/security.nesting", "403", "not authorized\n"),
            ("/1.0/config/volatile.uuid", "403", "not authorized\n"),
            ("/1.0/config/user.none", "404", "not found\n"),
            ("/1.0/images/0123/export", "403", "not authorized\n"),
            ("/1.0/instances", "404", "not found\n"),
        ] {
            assert_eq!(asked(&daemon, "c1", path), (words.to_string(), status.to_string()), "{path}");
        }
        // Only its root may ask, and nobody of the host.
        let user = asked_by(&daemon, "c1", "1000", "/1.0");
        assert_eq!(user.ok(), "Access denied for non-root user\n401");
        let socket = daemon.dir.join("devlxd/sock");
        let outside = host.sh(&format!("curl -s --unix-socket {} http://lxd/1.0", socket.display()));
        assert_eq!(outside, "pid not in container?\n");
        // Nor can it put a socket of its own in the place of that one.
        assert_ne!(daemon.lxc(["exec", "c1", "--", "rm", "/dev/lxd/sock"]).status, 0);
    });
}

#[test]
fn images_are_given_when_that_is_allowed() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        launch(&daemon, "c1", &["security.devlxd.images=true"]);
        let fingerprint = daemon.get("/1.0/images/aliases/busybox")["target"].as_str().expect("a text").to_string();
        let path = format!("/1.0/images/{fingerprint}/export");
        assert_eq!(asked(&daemon, "c1", &path).1, "404", "neither public nor cached");
        let show = r#"{"public":true}"#.to_string();
        daemon.lxc(["query", "-X", "PATCH", "-d", &show, &format!("/1.0/images/{fingerprint}")]).ok();
        let words = ["exec", "c1", "--"].into_iter().chain(CURL);
        let url = format!("http://lxd{path}");
        daemon.lxc(words.chain(["/dev/lxd/sock", "-s", "-o", "/root/image", &url])).ok();
        let sum = daemon.lxc(["exec", "c1", "--", "busybox", "sha256sum", "/root/image"]);
        assert_eq!(sum.ok().split(' ').next(), Some(fingerprint.as_str()));
    });
}

#[test]
fn it_comes_and_goes_and_outlives_the_daemon() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        launch(&daemon, "c1", &["security.devlxd=false", "user.foo=bar"]);
        let is_there = |daemon: &Daemon| {
            let looked = daemon.lxc([
                "exec",
                "c1",
                "--",
                "sh",
                "-c",
                "if [ -S /dev/lxd/sock ]; then echo yes; else echo no; fi",
            ]);
            looked.ok() == "yes\n"
        };
        assert!(!is_there(&daemon));
        daemon.lxc(["config", "unset", "c1", "security.devlxd"]).ok();
        assert!(is_there(&daemon));
        assert_eq!(gets(&daemon, "/1.0/config/user.foo"), "bar");
        daemon.kill();
        daemon.begin();
        assert_eq!(gets(&daemon, "/1.0/config/user.foo"), "bar", "through the mount made before");
        daemon.lxc(["config", "set", "c1", "security.devlxd=false"]).ok();
        assert!(!is_there(&daemon));
        daemon.lxc(["config", "set", "c1", "security.devlxd=true"]).ok();
        assert!(is_there(&daemon));
    });
}

#[test]
fn changes_are_told_while_it_listens() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        launch(&daemon, "c1", &["user.foo=bar"]);
        let words = ["exec", "c1", "--"].into_iter().chain(CURL);
        let mut listening =
            daemon.lxc_command(words.chain(["/dev/lxd/sock", "-s", "-v", "-N", "http://lxd/1.0/events"]));
        let mut child = listening
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lxc was built");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe was asked for")).lines();
        let mut said = BufReader::new(child.stderr.take().expect("a pipe was asked for")).lines();
        // The head of the answer comes when the daemon has begun to listen.
        while !said.next().expect("headers").expect("text").starts_with("< HTTP/1.1 200") {}
        std::thread::spawn(move || said.for_each(drop));
        daemon.lxc(["config", "set", "c1", "user.foo=baz"]).ok();
        daemon.lxc(["config", "set", "c1", "limits.processes=500"]).ok();
        std::fs::create_dir(host.folder().join("share")).expect("the story's folder is ours");
        let source = format!("source={}", host.folder().join("share").display());
        daemon.lxc(["config", "device", "add", "c1", "mnt", "disk", &source, "path=/mnt"]).ok();
        daemon.lxc(["config", "device", "remove", "c1", "mnt"]).ok();
        let mut heard = || -> serde_json::Value {
            serde_json::from_str(&lines.next().expect("an event").expect("text")).expect("JSON")
        };
        let config = heard();
        assert_eq!((&config["type"], &config["metadata"]["value"]), (&"config".into(), &"baz".into()));
        assert_eq!((&config["metadata"]["key"], &config["metadata"]["old_value"]), (&"user.foo".into(), &"bar".into()));
        for action in ["added", "removed"] {
            let device = heard();
            assert_eq!((&device["type"], &device["metadata"]["action"]), (&"device".into(), &action.into()));
            assert_eq!(device["metadata"]["config"]["path"], "/mnt");
        }
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    });
}
