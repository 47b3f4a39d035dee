//! Requests that are wrong as such: bodies of the wrong size and shape, clients in each other's way or gone,
//! certificates without a right to what they ask for. Each is refused or waits, and leaves nothing.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stories::https::{certificate, over_https};
use stories::{Daemon, Host, story};

/// Where a JSON body is read: method, path, and a body of the right shape.
const BODIES: &[(&str, &str, &str)] = &[
    ("POST", "/1.0/instances", r#"{"name":"x","source":{"type":"none"}}"#),
    ("PUT", "/1.0/instances/c1", r#"{"config":{},"devices":{},"profiles":["default"]}"#),
    ("PATCH", "/1.0/instances/c1", r#"{"config":{"user.a":"b"}}"#),
    ("PUT", "/1.0/instances/c1/state", r#"{"action":"start"}"#),
    ("POST", "/1.0/instances/c1/snapshots", r#"{"name":"s0"}"#),
    ("POST", "/1.0/instances/c1/exec", r#"{"command":["true"]}"#),
    ("POST", "/1.0/profiles", r#"{"name":"p2"}"#),
    ("PUT", "/1.0/profiles/p1", r#"{"config":{}}"#),
    ("PATCH", "/1.0/profiles/p1", r#"{"config":{"user.c":"d"}}"#),
    ("POST", "/1.0/projects", r#"{"name":"q"}"#),
    ("PUT", "/1.0", r#"{"config":{}}"#),
    ("PATCH", "/1.0", r#"{"config":{"user.e":"f"}}"#),
    ("POST", "/1.0/storage-pools", r#"{"name":"p","driver":"dir"}"#),
    ("PUT", "/1.0/storage-pools/default", r#"{"config":{}}"#),
    ("POST", "/1.0/storage-pools/default/volumes/custom", r#"{"name":"v"}"#),
    ("POST", "/1.0/networks", r#"{"name":"br9"}"#),
    ("POST", "/1.0/images/aliases", r#"{"name":"a","target":"b"}"#),
    ("POST", "/1.0/certificates", r#"{"type":"client"}"#),
];

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.with_pool("dir");
    daemon.lxc(["init", "--empty", "c1", "-c", "user.kept=yes"]).ok();
    daemon.lxc(["profile", "create", "p1"]).ok();
    daemon.lxc(["profile", "set", "p1", "user.kept=yes"]).ok();
    daemon
}

/// All that the requests above could change.
fn everything(daemon: &Daemon) -> Vec<Value> {
    let lists = ["instances", "profiles", "projects", "storage-pools", "networks", "images/aliases", "certificates"];
    let paths = lists.iter().map(|list| format!("/1.0/{list}?recursion=2"));
    let mut all: Vec<Value> = paths.map(|path| daemon.get(&path)).collect();
    all.push(daemon.get("/1.0")["config"].clone());
    all.push(daemon.get("/1.0/instances/c1/snapshots"));
    all.push(daemon.get("/1.0/storage-pools/default/volumes"));
    all
}

#[test]
fn bodies_of_no_or_another_shape_are_refused() {
    story(|host| {
        let daemon = ready(host);
        let before = everything(&daemon);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let wrong = ["", "null", "[]", "[[], {}, \"x\"]", "7", "\"text\"", "{", "{\"a\":}", "\u{0}", "{} {}", &deep];
        for &(method, path, right) in BODIES {
            for body in wrong {
                let answer = daemon.ask(method, path, body);
                let shown: String = body.chars().take(20).collect();
                assert_eq!(answer.code, 400, "{method} {path} {shown:?}: {answer:?}");
                assert_eq!(answer.body["type"], "error", "{method} {path} {shown:?}");
            }
            // Each field with a value of another type.
            let right: serde_json::Map<String, Value> = serde_json::from_str(right).expect("an object");
            for (field, value) in &right {
                let other = if value.is_object() { json!(["a list"]) } else { json!({"an": "object"}) };
                for other in [other, json!(7)] {
                    let mut body = right.clone();
                    body.insert(field.clone(), other);
                    let answer = daemon.ask(method, path, &Value::Object(body).to_string());
                    assert_eq!(answer.code, 400, "{method} {path} {field}: {answer:?}");
                    let named = method == "PATCH" || answer.error().contains(field.as_str());
                    assert!(named, "{method} {path} {field}: {answer:?}");
                }
            }
        }
        assert_eq!(everything(&daemon), before);
    });
}

#[test]
fn bodies_that_are_too_large_are_refused_without_being_kept() {
    story(|host| {
        let daemon = ready(host);
        let before = everything(&daemon);
        let large = format!("{{\"description\":\"{}\"}}", "x".repeat(17 << 20));
        let status = || std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
        for &(method, path, _) in BODIES.iter().step_by(3) {
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            let head = format!("{method} {path} HTTP/1.1\r\nHost: lxd\r\nContent-Length: {}\r\n\r\n", large.len());
            stream.write_all(head.as_bytes()).expect("sent");
            // The daemon hangs up on who goes on.
            let _ = stream.write_all(large.as_bytes());
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            let told = answer.starts_with("HTTP/1.1 413") && answer.contains("larger than 16777216 bytes");
            assert!(told, "{method} {path}: {answer}");
        }
        // A length that is only said, and one that is no number.
        for length in ["99999999999999999", "-1", "many"] {
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            write!(stream, "PUT /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: {length}\r\n\r\n{{}}").expect("sent");
            stream.shutdown(std::net::Shutdown::Write).expect("a socket");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{length}: {answer}");
        }
        assert_eq!(everything(&daemon), before);
        let resident = status().lines().find(|line| line.starts_with("VmRSS")).expect("a line").to_string();
        let kib: u64 = resident.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number");
        assert!(kib < 300_000, "the daemon keeps {kib} KiB");
    });
}

#[test]
fn fields_that_nobody_knows_change_nothing() {
    story(|host| {
        let daemon = ready(host);
        let more = r#""nonsense":{"a":[1,null]},"x-later":true,"#;
        for (method, path) in [("PATCH", "/1.0/instances/c1"), ("PATCH", "/1.0/profiles/p1"), ("PATCH", "/1.0")] {
            let answer = daemon.ask(method, path, &format!("{{{more}\"config\":{{\"user.new\":\"value\"}}}}"));
            assert_eq!(answer.code, 200, "{method} {path}: {answer:?}");
            let shown = daemon.get(path);
            assert_eq!(shown["config"]["user.new"], "value", "{path}");
            assert!(shown.get("nonsense").is_none(), "{path}");
        }
        assert_eq!(daemon.get("/1.0/instances/c1")["config"]["user.kept"], "yes");
    });
}

const CHANGED: [&str; 5] =
    ["/1.0/profiles/p1", "/1.0/instances/c1", "/1.0", "/1.0/storage-pools/default", "/1.0/projects/default"];

#[test]
fn of_two_who_change_the_same_version_one_is_told_so() {
    story(|host| {
        let daemon = ready(host);
        for path in CHANGED {
            let seen = daemon.ask("GET", path, "").etag;
            let body = |value: usize| json!({"config": {"user.who": value.to_string()}}).to_string();
            let codes: Vec<u16> = std::thread::scope(|scope| {
                let ask = |value| daemon.ask_if("PATCH", path, &seen, &body(value)).code;
                let two: Vec<_> = (0..2).map(|value| scope.spawn(move || ask(value))).collect();
                two.into_iter().map(|one| one.join().expect("answered")).collect()
            });
            let (one, other) = (codes[0].min(codes[1]), codes[0].max(codes[1]));
            assert_eq!((one, other), (200, 412), "{path}");
            // Whoever looks again can go on.
            let now = daemon.ask("GET", path, "").etag;
            assert_eq!(daemon.ask_if("PATCH", path, &now, &body(7)).code, 200, "{path}");
            assert_eq!(daemon.get(path)["config"]["user.who"], "7", "{path}");
        }
    });
}

#[test]
fn of_many_who_change_something_none_is_lost() {
    story(|host| {
        let daemon = ready(host);
        for path in CHANGED {
            std::thread::scope(|scope| {
                for number in 0..12 {
                    let daemon = &daemon;
                    scope.spawn(move || {
                        let body = json!({"config": {format!("user.n{number}"): "here"}}).to_string();
                        let begun = Instant::now();
                        // Who meets another's change under way may be told that it is busy, never that all is well.
                        loop {
                            let answer = daemon.ask("PATCH", path, &body);
                            match answer.code {
                                200 => break,
                                _ if begun.elapsed() < Duration::from_secs(30) => {
                                    assert!(answer.error().contains("busy"), "{path}: {answer:?}");
                                }
                                _ => panic!("{path}: {answer:?}"),
                            }
                        }
                    });
                }
            });
            let config = daemon.get(path)["config"].clone();
            let lost: Vec<_> = (0..12).filter(|number| config[format!("user.n{number}")] != "here").collect();
            assert!(lost.is_empty(), "{path} has lost {lost:?}");
        }
    });
}

/// Whether nothing is under way.
fn idle(daemon: &Daemon) -> bool {
    let operations = daemon.ask("GET", "/1.0/operations", "").body["metadata"].clone();
    operations.as_object().is_none_or(|classes| classes.is_empty())
}

/// Waits until something is so that nothing tells of.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not true in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn uploads_whose_client_vanishes_leave_nothing() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        let image = std::fs::read(stories::image::busybox(host.folder())).expect("an image");
        let files = || host.sh("find one/images one/backups one/storage-pools -type f -o -type d | sort");
        let before = files();
        for path in ["/1.0/images", "/1.0/instances", "/1.0/storage-pools/default/volumes/custom"] {
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            let length = image.len();
            write!(
                stream,
                "POST {path} HTTP/1.1\r\nHost: lxd\r\nContent-Type: application/octet-stream\r\nX-LXD-name: v1\r\n\
                 Content-Length: {length}\r\n\r\n"
            )
            .expect("sent");
            stream.write_all(&image[..length / 2]).expect("sent");
            std::thread::sleep(Duration::from_millis(100));
            drop(stream);
            eventually("half a file goes", || files() == before);
            eventually("nothing is under way", || idle(&daemon));
            assert_eq!(daemon.get("/1.0/images"), json!([]), "{path}");
            assert_eq!(daemon.get("/1.0/instances"), json!([]), "{path}");
        }
        // The same file, whole, is taken.
        daemon.import_busybox("busybox");
    });
}

#[test]
fn a_command_whose_client_vanishes_is_killed() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let mut lxc = daemon.lxc_command(["exec", "c1", "--", "sleep", "4321"]);
        let mut client = lxc.stdin(std::process::Stdio::piped()).spawn().expect("lxc was built");
        let runs = || daemon.lxc(["exec", "c1", "--", "ps"]).out.contains("sleep 4321");
        eventually("it runs", runs);
        client.kill().expect("it is our child");
        client.wait().expect("it is our child");
        eventually("it is killed", || !runs());
        eventually("nothing is under way", || idle(&daemon));
    });
}

/// A daemon with things of the default project, and a project `theirs` for the certificate `guest`.
fn with_secrets(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.with_pool("dir");
    daemon.import_busybox("busybox");
    daemon.lxc(["config", "set", "core.https_address", "127.0.0.1:8443"]).ok();
    daemon.lxc(["init", "busybox", "secret"]).ok();
    daemon.lxc(["storage", "volume", "create", "default", "hidden"]).ok();
    daemon.lxc(["project", "create", "theirs", "-c", "features.images=false", "-c", "features.profiles=false"]).ok();
    for name in ["stranger", "guest"] {
        certificate(host, name);
    }
    daemon.lxc(["config", "trust", "add", "guest.crt", "--restricted", "--projects", "theirs"]).ok();
    daemon
}

#[test]
fn strangers_see_the_door_and_what_is_public() {
    story(|host| {
        let daemon = with_secrets(host);
        let public = daemon.get("/1.0/images?recursion=1")[0]["fingerprint"].as_str().expect("text").to_string();
        // Who is not trusted sees the door, and what is public.
        let (code, answer) = over_https(host, "stranger", "", "/1.0");
        assert_eq!((code, &answer["metadata"]["auth"]), (200, &json!("untrusted")));
        assert!(answer["metadata"].get("environment").is_none_or(|shown| shown == &json!({})), "{answer}");
        assert_eq!(over_https(host, "stranger", "", "/").0, 200);
        assert_eq!(over_https(host, "stranger", "", "/1.0/images").1["metadata"], json!([]));
        assert_eq!(over_https(host, "stranger", "", &format!("/1.0/images/{public}")).0, 404);
        for path in [
            "/1.0/instances",
            "/1.0/instances/secret",
            "/1.0/profiles",
            "/1.0/projects",
            "/1.0/networks",
            "/1.0/storage-pools",
            "/1.0/certificates",
            "/1.0/operations",
            "/1.0/events",
            "/1.0/resources",
            "/1.0/warnings",
            "/1.0/metrics",
            "/1.0/cluster",
            "/1.0/instances/secret/files?path=/etc/passwd",
            "/1.0/instances/secret/logs",
            "/internal/ready",
        ] {
            assert_eq!(over_https(host, "stranger", "", path).0, 403, "{path}");
        }
        for (method, path) in [("PUT", "/1.0"), ("DELETE", "/1.0/instances/secret"), ("POST", "/1.0/instances")] {
            assert_eq!(over_https(host, "stranger", &format!("-X {method} -d '{{}}'"), path).0, 403, "{method} {path}");
        }
        daemon.lxc(["query", "-X", "PATCH", "-d", r#"{"public":true}"#, &format!("/1.0/images/{public}")]).ok();
        assert_eq!(over_https(host, "stranger", "", &format!("/1.0/images/{public}")).0, 200);
    });
}

#[test]
fn restricted_clients_see_what_is_theirs() {
    story(|host| {
        let daemon = with_secrets(host);
        // Who is restricted to a project sees that project.
        assert_eq!(over_https(host, "guest", "", "/1.0/instances?project=theirs").0, 200);
        assert_eq!(over_https(host, "guest", "", "/1.0/projects").1["metadata"], json!(["/1.0/projects/theirs"]));
        for path in [
            "/1.0/instances",
            "/1.0/instances?project=default",
            "/1.0/instances/secret",
            "/1.0/profiles",
            "/1.0/projects/default",
            "/1.0/instances?all-projects=true",
            "/1.0/storage-pools/default/volumes/custom/hidden",
            "/1.0/warnings",
            "/1.0/instances/secret/logs",
            "/1.0/events?project=default",
            "/1.0/operations?project=default",
        ] {
            let (code, answer) = over_https(host, "guest", "", path);
            let shows = answer.to_string().contains("secret") || answer.to_string().contains("hidden");
            assert!(
                !shows && (code == 403 || code == 404 || answer["metadata"] == json!([])),
                "{path}: {code} {answer}"
            );
        }
        for (method, path, body) in [
            ("PATCH", "/1.0", "{}"),
            ("DELETE", "/1.0/instances/secret", ""),
            ("POST", "/1.0/projects", r#"{"name":"mine"}"#),
            ("PATCH", "/1.0/projects/theirs", r#"{"config":{"restricted":"false"}}"#),
            ("DELETE", "/1.0/projects/theirs", ""),
            ("POST", "/1.0/instances?project=default", r#"{"name":"x","source":{"type":"none"}}"#),
            ("POST", "/1.0/certificates", r#"{"type":"client","token":true}"#),
            ("POST", "/1.0/storage-pools", r#"{"name":"p","driver":"dir"}"#),
            ("POST", "/1.0/networks?project=default", r#"{"name":"br9"}"#),
        ] {
            let (code, answer) = over_https(host, "guest", &format!("-X {method} -d '{body}'"), path);
            assert_eq!(code, 403, "{method} {path}: {answer}");
        }
        assert_eq!(daemon.get("/1.0/instances/secret")["name"], "secret");
    });
}
