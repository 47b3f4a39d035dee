//! What an image says about itself, files made from its templates, recorded commands and logs.
#![forbid(unsafe_code)]

use stories::{Daemon, story};

/// Metadata with one template for `/template`.
fn metadata(when: &str, create_only: bool) -> String {
    format!(
        "architecture: x86_64\ncreation_date: 1700000000\nexpiry_date: 0\nproperties:\n  os: Busybox\ntemplates:\n  \
         /template:\n    when: [{when}]\n    create_only: {create_only}\n    template: template.tpl\n    properties:\n      \
         greeting: hello\n"
    )
}

const TEMPLATE: &[u8] = b"name: {{ container.name }}\n{{ properties.greeting }} {{ trigger }}\n\
    user.foo: {{ config_get(\"user.foo\", \"_unset_\") }}\n";

fn with_template(daemon: &Daemon, name: &str, when: &str, create_only: bool) {
    daemon.lxc(["init", "busybox", name]).ok();
    daemon.lxc_with(["config", "metadata", "edit", name], metadata(when, create_only).as_bytes()).ok();
    daemon.lxc(["config", "template", "create", name, "template.tpl"]).ok();
    daemon.lxc_with(["config", "template", "edit", name, "template.tpl"], TEMPLATE).ok();
}

fn pulled(daemon: &Daemon, name: &str) -> Option<String> {
    let ran = daemon.lxc(["file", "pull", &format!("{name}/template"), "-"]);
    (ran.status == 0).then_some(ran.out)
}

fn at_their_triggers(driver: &str) {
    story(|host| {
        let daemon = host.daemon_on(driver);
        with_template(&daemon, "c1", "create", false);
        assert_eq!(pulled(&daemon, "c1"), None, "it waits for the first start");
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(pulled(&daemon, "c1").as_deref(), Some("name: c1\nhello create\nuser.foo: _unset_\n"));
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u:%g %a", "/template"]).ok(), "0:0 644\n");
        daemon.lxc(["config", "set", "c1", "user.foo=bar"]).ok();
        daemon.lxc(["restart", "c1", "--force"]).ok();
        assert!(pulled(&daemon, "c1").is_some_and(|text| text.contains("_unset_")), "only once");
        with_template(&daemon, "c2", "start", false);
        daemon.lxc(["config", "set", "c2", "user.foo=one"]).ok();
        daemon.lxc(["start", "c2"]).ok();
        assert_eq!(pulled(&daemon, "c2").as_deref(), Some("name: c2\nhello start\nuser.foo: one\n"));
        daemon.lxc(["config", "set", "c2", "user.foo=two"]).ok();
        daemon.lxc(["restart", "c2", "--force"]).ok();
        assert!(pulled(&daemon, "c2").is_some_and(|text| text.contains("user.foo: two")));
        // Not over what is there, when it says so.
        with_template(&daemon, "c3", "start", true);
        daemon.lxc_with(["file", "push", "-", "c3/template"], b"mine").ok();
        daemon.lxc(["start", "c3"]).ok();
        assert_eq!(pulled(&daemon, "c3").as_deref(), Some("mine"));
        // Another name is another trigger, and another machine to cloud-init.
        with_template(&daemon, "c4", "rename", false);
        daemon.lxc(["start", "c4"]).ok();
        assert_eq!(pulled(&daemon, "c4"), None);
        daemon.lxc(["stop", "c4", "--force"]).ok();
        let id = |name: &str| daemon.lxc(["config", "get", name, "volatile.cloud-init.instance-id"]).ok().to_string();
        let before = id("c4");
        daemon.lxc(["rename", "c4", "c5"]).ok();
        assert_ne!(before, id("c5"));
        let before = id("c5");
        daemon.lxc(["config", "set", "c5", "cloud-init.user-data=blah"]).ok();
        assert_ne!(before, id("c5"));
        daemon.lxc(["start", "c5"]).ok();
        assert!(pulled(&daemon, "c5").is_some_and(|text| text.starts_with("name: c5\nhello rename\n")));
    });
}

#[test]
fn templates_are_applied_at_their_triggers_on_dir() {
    at_their_triggers("dir");
}

#[test]
fn templates_are_applied_at_their_triggers_on_overlay() {
    at_their_triggers("overlay");
}

#[test]
fn hostile_templates_keep_an_instance_from_starting_and_nothing_else() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        with_template(&daemon, "c1", "start", false);
        for (text, words) in [
            (&b"{% include \"/etc/passwd\" %}"[..], "Usage of tag 'include' is not allowed"),
            (b"{% for a in \"0123456789\" %}{% for b in \"0123456789\" %}{% for c in \"0123456789\" %}{% for d in \"0123456789\" %}{% for e in \"0123456789\" %}{% for f in \"0123456789\" %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}", "does too much"),
            (b"{{ ", "is missing"),
        ] {
            daemon.lxc_with(["config", "template", "edit", "c1", "template.tpl"], text).ok();
            let refused = daemon.lxc(["start", "c1"]);
            assert!(refused.refused().contains(words), "{}", refused.err);
        }
        // A path leads into the container at most.
        daemon.lxc_with(["config", "template", "edit", "c1", "template.tpl"], b"x").ok();
        let outside = metadata("start", false).replace("/template:", "/../../../../etc/corten-template:");
        daemon.lxc_with(["config", "metadata", "edit", "c1"], outside.as_bytes()).ok();
        daemon.lxc(["start", "c1"]).ok();
        assert!(!std::path::Path::new("/etc/corten-template").exists());
        assert_eq!(daemon.lxc(["file", "pull", "c1/etc/corten-template", "-"]).ok(), "x");
        daemon.lxc(["stop", "c1", "--force"]).ok();
        let elsewhere = metadata("start", false).replace("template.tpl", "../metadata.yaml");
        daemon.lxc_with(["config", "metadata", "edit", "c1"], elsewhere.as_bytes()).ok();
        assert!(daemon.lxc(["start", "c1"]).refused().contains("Invalid template filename"));
    });
}

#[test]
fn metadata_is_shown_and_changed() {
    story(|host| {
        let daemon = host.daemon_on("overlay");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let shown = daemon.lxc(["config", "metadata", "show", "c1"]);
        assert!(shown.ok().contains("os: Busybox"), "{}", shown.out);
        daemon
            .lxc(["query", "-X", "PATCH", "-d", r#"{"properties":{"more":"yes"}}"#, "/1.0/instances/c1/metadata"])
            .ok();
        let shown = daemon.get("/1.0/instances/c1/metadata");
        assert_eq!((&shown["properties"]["os"], &shown["properties"]["more"]), (&"Busybox".into(), &"yes".into()));
        assert_eq!(daemon.lxc(["config", "template", "list", "c1", "-f", "csv"]).ok(), "");
        daemon.lxc(["config", "template", "create", "c1", "one.tpl"]).ok();
        daemon.lxc_with(["config", "template", "edit", "c1", "one.tpl"], b"text").ok();
        assert_eq!(daemon.lxc(["config", "template", "list", "c1", "-f", "csv"]).ok(), "one.tpl\n");
        assert_eq!(daemon.lxc(["config", "template", "show", "c1", "one.tpl"]).ok(), "text");
        daemon.lxc(["config", "template", "delete", "c1", "one.tpl"]).ok();
        assert!(
            daemon.lxc(["config", "template", "show", "c1", "one.tpl"]).refused().contains("\"one.tpl\" not found")
        );
        assert!(
            daemon.lxc(["config", "template", "create", "c1", "a/b"]).refused().contains("Invalid template filename")
        );
    });
}

#[test]
fn output_is_recorded_and_logs_are_shown() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let run = |command: &str, record: bool| {
            let body = format!(r#"{{"command":["sh","-c","{command}"],"record-output":{record}}}"#);
            let started = daemon.lxc(["query", "-X", "POST", "-d", &body, "/1.0/instances/c1/exec"]);
            let operation: serde_json::Value = serde_json::from_str(started.ok()).expect("an operation");
            let id = operation["id"].as_str().expect("an id").to_string();
            daemon.get(&format!("/1.0/operations/{id}/wait"))
        };
        let ended = run("echo out; echo err >&2; exit 3", true);
        assert_eq!(ended["metadata"]["return"], 3);
        let output = |number: &str| ended["metadata"]["output"][number].as_str().expect("a path").to_string();
        assert_eq!(daemon.lxc(["query", &output("1")]).out, "out\n");
        assert_eq!(daemon.lxc(["query", &output("2")]).out, "err\n");
        let logs = daemon.get("/1.0/instances/c1/logs");
        let logs: Vec<&str> = logs.as_array().expect("a list").iter().filter_map(|log| log.as_str()).collect();
        assert!(logs.contains(&output("1").as_str()) && logs.contains(&output("2").as_str()), "{logs:?}");
        daemon.lxc(["query", "-X", "DELETE", &output("1")]).ok();
        assert!(daemon.lxc(["query", &output("1")]).refused().contains("Not Found"));
        let kept = daemon.lxc(["query", "-X", "DELETE", "/1.0/instances/c1/logs/lxc.log"]);
        assert!(kept.refused().contains("lxc.log and lxc.conf may not be deleted"));
        let other = daemon.lxc(["query", "/1.0/instances/c1/logs/..%2F..%2Flxd.log"]);
        assert!(other.refused().contains("not valid"), "{}", other.err);
        let silent = run("echo nothing; exit 4", false);
        assert_eq!((&silent["metadata"]["return"], silent["metadata"].get("output")), (&4.into(), None));
    });
}
