//! The daemon's API over its unix socket: envelopes, ETags, operations, events, bad input. Each test has a daemon of its
//! own, in a private network and mount namespace.

#[path = "api/daemon.rs"]
mod daemon;
#[path = "api/websocket.rs"]
mod websocket;

use daemon::{Daemon, is_root};
use serde_json::{Value, json};

/// Ends a test that needs root and has none, with a line that says so.
macro_rules! daemon {
    () => {
        if is_root() {
            Daemon::start()
        } else {
            eprintln!("skipped: the daemon only runs as root");
            return;
        }
    };
}

#[test]
fn envelopes_are_lxds_to_the_byte() {
    let daemon = daemon!();
    let sync = |metadata: &str| {
        format!(
            "{{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"\",\"error_code\":0,\
             \"error\":\"\",\"metadata\":{metadata}}}\n"
        )
    };
    let error = |code: u16, text: &str| {
        format!(
            "{{\"type\":\"error\",\"status\":\"\",\"status_code\":0,\"operation\":\"\",\"error_code\":{code},\
             \"error\":\"{text}\",\"metadata\":null}}\n\n"
        )
    };
    let cases = [
        ("GET", "/", 200, sync("[\"/1.0\"]")),
        ("GET", "/1.0/profiles", 200, sync("[\"/1.0/profiles/default\"]")),
        ("GET", "/1.0/profiles?", 200, sync("[\"/1.0/profiles/default\"]")),
        ("GET", "/1.0/operations", 200, sync("{}")),
        ("GET", "/1.0/certificates", 200, sync("[]")),
        ("GET", "/internal/ready", 200, sync("{}")),
        ("GET", "/1.0/", 404, error(404, "not found")),
        ("GET", "/1.0/nothing", 404, error(404, "not found")),
        ("GET", "/1.0/profiles/", 404, error(404, "not found")),
        ("GET", "/1.0/operations/x", 404, error(404, "Operation not found")),
        ("GET", "/1.0/projects/none", 404, error(404, "Project not found")),
        ("GET", "/1.0/profiles/none", 404, error(404, "Fetch profile: Profile not found")),
        ("PATCH", "/1.0/profiles", 501, error(501, "not implemented")),
        ("DELETE", "/1.0", 501, error(501, "not implemented")),
        ("TRACE", "/1.0", 404, error(404, "Method \\\"TRACE\\\" not found")),
    ];
    for (method, path, status, body) in cases {
        let answer = daemon.ask(method, path, "");
        assert_eq!((answer.status, answer.text()), (status, body), "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/json", "{method} {path}");
        let wanted = if status >= 400 { "nosniff" } else { "" };
        assert_eq!(answer.header("x-content-type-options"), wanted, "{method} {path}");
    }
}

#[test]
fn the_server_shows_itself_and_bodies_of_gets_are_ignored() {
    let daemon = daemon!();
    let server = daemon.ask("GET", "/1.0", "null");
    let metadata = &server.json()["metadata"];
    assert_eq!(metadata["auth"], "trusted");
    assert_eq!(metadata["api_version"], "1.0");
    assert_eq!(metadata["environment"]["server_version"], "5.0.2");
    assert_eq!(metadata["environment"]["project"], "default");
    assert!(metadata["api_extensions"].as_array().is_some_and(|list| list.contains(&json!("instances"))));
    // The hash of an empty configuration, as LXD 5.0.2 sends it.
    assert_eq!(server.header("etag"), "\"ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356\"");
    assert_eq!(daemon.ask("GET", "/1.0?project=p", "").json()["metadata"]["environment"]["project"], "p");
}

#[test]
fn profiles_come_change_and_go() {
    let daemon = daemon!();
    let made = daemon.ask("POST", "/1.0/profiles", &json!({"name": "p1", "config": {"user.a": "1"}}).to_string());
    assert_eq!((made.status, made.header("location")), (201, "/1.0/profiles/p1"));
    assert_eq!(made.json()["status_code"], 200);
    assert_eq!(made.json()["metadata"], Value::Null);
    let again = daemon.ask("POST", "/1.0/profiles", &json!({"name": "p1"}).to_string());
    assert_eq!(again.error(), "Error inserting \"p1\" into database: The profile already exists");
    assert_eq!(again.status, 500);
    let shown = daemon.ask("GET", "/1.0/profiles/p1", "");
    let etag = shown.header("etag").to_string();
    assert_eq!(etag.len(), 66);
    let put = json!({"description": "d", "config": {"user.b": "<2>"}, "more": {"unknown": true}}).to_string();
    let stale = daemon.ask_with("PUT", "/1.0/profiles/p1", &put, &[("If-Match", "\"abc\"")]);
    assert_eq!(stale.status, 412);
    assert_eq!(stale.error(), format!("ETag doesn't match: {} vs abc", etag.trim_matches('"')));
    let done = daemon.ask_with("PUT", "/1.0/profiles/p1", &put, &[("If-Match", &etag)]);
    assert_eq!((done.status, done.json()["metadata"].clone()), (200, json!({})));
    let patch = json!({"config": {"user.c": "3"}}).to_string();
    assert_eq!(daemon.ask("PATCH", "/1.0/profiles/p1", &patch).status, 200);
    let shown = daemon.ask("GET", "/1.0/profiles/p1", "");
    assert!(shown.text().contains(r#""config":{"user.b":"<2>","user.c":"3"},"description":"d""#));
    let renamed = daemon.ask("POST", "/1.0/profiles/p1", &json!({"name": "p2"}).to_string());
    assert_eq!((renamed.status, renamed.header("location")), (201, "/1.0/profiles/p2"));
    assert_eq!(daemon.ask("DELETE", "/1.0/profiles/p2", "").status, 200);
    assert_eq!(daemon.ask("DELETE", "/1.0/profiles/p2", "").status, 404);
    let kept = daemon.ask("DELETE", "/1.0/profiles/default", "");
    assert_eq!((kept.status, kept.error().as_str()), (403, "The \"default\" profile cannot be deleted"));
}

#[test]
fn projects_hold_profiles_of_their_own() {
    let daemon = daemon!();
    assert_eq!(daemon.ask("POST", "/1.0/projects", r#"{"name": "p"}"#).status, 201);
    let shown = daemon.ask("GET", "/1.0/projects/p", "").json()["metadata"].clone();
    assert_eq!(shown["config"]["features.profiles"], "true");
    assert_eq!(shown["used_by"], json!(["/1.0/profiles/default?project=p"]));
    assert_eq!(daemon.ask("POST", "/1.0/profiles?project=p", r#"{"name": "x"}"#).status, 201);
    assert_eq!(daemon.ask("GET", "/1.0/profiles/x", "").status, 404);
    let held = daemon.ask("DELETE", "/1.0/projects/p", "");
    assert_eq!((held.status, held.error().as_str()), (400, "Only empty projects can be removed"));
    let feature = daemon.ask("PUT", "/1.0/projects/p", r#"{"config": {"features.profiles": "false"}}"#);
    assert_eq!(feature.status, 400);
    assert_eq!(daemon.ask("DELETE", "/1.0/profiles/x?project=p", "").status, 200);
    let renaming = daemon.ask("POST", "/1.0/projects/p", r#"{"name": "q"}"#);
    assert_eq!(renaming.status, 202);
    let operation = renaming.json()["operation"].as_str().expect("a path").to_string();
    let ended = daemon.ask("GET", &format!("{operation}/wait?timeout=10"), "").json()["metadata"].clone();
    assert_eq!((ended["status"].clone(), ended["class"].clone()), (json!("Success"), json!("task")));
    assert_eq!(daemon.ask("DELETE", "/1.0/projects/q", "").status, 200);
    let failing = daemon.ask("POST", "/1.0/projects/q", r#"{"name": "r"}"#).json()["operation"].clone();
    let failing = failing.as_str().expect("a path").to_string();
    let ended = daemon.ask("GET", &format!("{failing}/wait"), "").json()["metadata"].clone();
    assert_eq!(
        (ended["status_code"].clone(), ended["err"].clone()),
        (json!(400), json!("Failed loading project \"q\": Project not found"))
    );
}

#[test]
fn bad_input_is_refused_and_leaves_no_trace() {
    let daemon = daemon!();
    let before = daemon.ask("GET", "/1.0/profiles?recursion=1", "").text();
    let big = format!("{{\"name\": \"{}\"}}", "x".repeat(17 << 20));
    let cases: &[(&str, &str, &str, u16, &str)] = &[
        ("POST", "/1.0/profiles", "", 400, "EOF"),
        ("POST", "/1.0/profiles", "{", 400, "not JSON"),
        ("POST", "/1.0/profiles", "nonsense", 400, "not JSON"),
        ("POST", "/1.0/profiles", r#"{"name": 5}"#, 400, "\"name\""),
        ("POST", "/1.0/profiles", r#"{"name": "a", "config": {"k": []}}"#, 400, "\"config\""),
        ("POST", "/1.0/profiles", r#"{"name": ""}"#, 400, "No name provided"),
        ("POST", "/1.0/profiles", r#"{"name": "a/b"}"#, 400, "Profile names may not contain slashes"),
        ("POST", "/1.0/profiles", r#"{"name": ".."}"#, 400, "Invalid profile name \"..\""),
        ("POST", "/1.0/profiles", r#"{"name": "a", "config": {"k": "v"}}"#, 400, "Unknown configuration key: k"),
        ("POST", "/1.0/profiles", r#"{"name": "a", "config": {"volatile.x": "v"}}"#, 400, "only be set on instances"),
        ("POST", "/1.0/profiles", r#"{"name": "a", "devices": {"x": {}}}"#, 400, "Missing device type in config"),
        ("POST", "/1.0/projects", r#"{"name": "a b"}"#, 400, "Project names may not contain spaces"),
        (
            "POST",
            "/1.0/projects",
            r#"{"name": "a", "config": {"k": "v"}}"#,
            400,
            "Invalid project configuration key \"k\"",
        ),
        ("PUT", "/1.0", r#"{"config": {"core.k": "v"}}"#, 400, "cannot set 'core.k' to 'v': unknown key"),
        ("POST", "/1.0/profiles", &big, 413, "larger than"),
        ("PUT", "/1.0", r#"{"config": {"core.https_address": ["x"]}}"#, 400, "core.https_address"),
        ("PUT", "/1.0", r#"{"config": {"core.https_address": "nowhere:x"}}"#, 400, "nowhere:x"),
        ("GET", "/1.0/instances?filter=a", "", 500, "Invalid filter: clause has no operator"),
        ("GET", "/1.0/events?type=weather", "", 500, "\"weather\" isn't a supported event type"),
        ("GET", "/1.0/events", "", 400, "websocket"),
        ("GET", "/1.0/operations/x/wait?timeout=soon", "", 500, "soon"),
        ("GET", "/1.0/operations/x/websocket", "", 400, "missing secret"),
        ("GET", "/1.0/operations?all-projects=true&project=p", "", 400, "Cannot specify a project"),
        ("GET", "/1.0/profiles?project=none", "", 404, "Failed loading project \"none\": Project not found"),
        ("POST", "/1.0/certificates", r#"{"type": "client"}"#, 400, "Client is already trusted"),
        (
            "POST",
            "/1.0/certificates",
            r#"{"type": "client", "certificate": "bm8="}"#,
            400,
            "Invalid certificate material",
        ),
        ("POST", "/1.0/certificates", r#"{"type": "client", "token": true}"#, 400, "isn't listening on network"),
        ("GET", "/1.0/profiles/%zz", "", 404, "not found"),
    ];
    for (method, path, body, status, text) in cases {
        let answer = daemon.ask(method, path, body);
        assert_eq!(answer.status, *status, "{method} {path}: {}", answer.text());
        assert!(answer.error().contains(text), "{method} {path}: {}", answer.error());
        assert_eq!(answer.json()["error_code"], *status);
    }
    assert_eq!(daemon.ask("GET", "/1.0/profiles?recursion=1", "").text(), before);
    assert_eq!(daemon.ask("GET", "/1.0", "").json()["metadata"]["config"], json!({}));
}

#[test]
fn many_requests_share_a_connection() {
    let daemon = daemon!();
    let mut connection = daemon.connect();
    for _ in 0..200 {
        assert_eq!(connection.ask("GET", "/1.0", "null", &[]).status, 200);
        assert_eq!(connection.ask("POST", "/1.0/profiles", "{", &[]).status, 400);
        assert_eq!(connection.ask("GET", "/1.0/profiles?recursion=1", "", &[]).status, 200);
    }
}

#[test]
fn listeners_hear_what_happens() {
    let daemon = daemon!();
    let mut all = websocket::open(&daemon, "/1.0/events?type=lifecycle,operation&all-projects=true");
    let mut default = websocket::open(&daemon, "/1.0/events?type=lifecycle");
    daemon.ask("POST", "/1.0/projects", r#"{"name": "p"}"#);
    daemon.ask("POST", "/1.0/profiles", r#"{"name": "one"}"#);
    daemon.ask("POST", "/1.0/projects/p", r#"{"name": "q"}"#);
    let first = all.event();
    assert_eq!(
        (first["type"].clone(), first["metadata"]["action"].clone()),
        (json!("lifecycle"), json!("project-created"))
    );
    assert_eq!((first["location"].clone(), first["project"].clone()), (json!("none"), json!("p")));
    assert_eq!(first["metadata"]["requestor"], json!({"username": "root", "protocol": "unix", "address": "@"}));
    assert_eq!(all.event()["metadata"]["source"], "/1.0/profiles/one");
    let states: Vec<Value> = (0..2).map(|_| all.event()["metadata"]["status"].clone()).collect();
    assert_eq!(states, [json!("Pending"), json!("Running")]);
    let last: Vec<Value> = (0..2).map(|_| all.event()).collect();
    assert!(last.iter().any(|event| event["metadata"]["context"]["old_name"] == "p"), "{last:?}");
    assert!(last.iter().any(|event| event["metadata"]["status"] == "Success"), "{last:?}");
    // Events of other projects do not reach a listener of one.
    assert_eq!(default.event()["metadata"]["action"], "profile-created");
    assert_eq!(daemon.ask("GET", "/1.0/events?project=none", "").status, 500);
}

#[test]
fn the_configuration_survives_a_restart() {
    let mut daemon = daemon!();
    let put =
        r#"{"config": {"core.https_address": "127.0.0.1:18844", "core.trust_password": "sekret", "user.x": "y"}}"#;
    assert_eq!(daemon.ask("PATCH", "/1.0", put).status, 200);
    let check = |daemon: &Daemon| {
        let config = daemon.ask("GET", "/1.0", "").json()["metadata"]["config"].clone();
        assert_eq!(config["core.https_address"], "127.0.0.1:18844");
        assert_eq!(config["core.trust_password"], true);
    };
    check(&daemon);
    daemon.restart();
    check(&daemon);
    assert_eq!(daemon.ask("PUT", "/1.0", r#"{"config": {"core.trust_password": true}}"#).status, 200);
    assert_eq!(daemon.ask("GET", "/1.0", "").json()["metadata"]["config"], json!({"core.trust_password": true}));
}

#[test]
fn commands_reach_the_daemon() {
    let daemon = daemon!();
    assert_eq!(daemon.command(&["waitready", "-t", "5"]), "");
    assert_eq!(daemon.command(&["version"]), "5.0.2\n");
    let table = daemon.command(&["sql", "global", "SELECT name FROM projects"]);
    assert_eq!(table, "+---------+\n|  name   |\n+---------+\n| default |\n+---------+\n");
    let changed = daemon.command(&["sql", "global", "UPDATE projects SET description = 'x'"]);
    assert_eq!(changed, "Rows affected: 1\n");
    assert!(daemon.command(&["sql", "local", ".schema"]).contains("CREATE TABLE config"));
    assert_eq!(daemon.command(&["shutdown", "-t", "10"]), "");
}
