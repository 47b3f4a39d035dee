//! `lxc config` and `lxc profile`: keys, devices and profiles in every way the client has.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::{Daemon, Host, story};

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon_on("dir");
    daemon.lxc(["init", "busybox", "c1"]).ok();
    daemon
}

#[track_caller]
fn refused(daemon: &Daemon, arguments: &[&str], words: &str) {
    let refused = daemon.lxc(arguments);
    assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
}

#[test]
fn keys_are_set_read_edited_and_unset() {
    story(|host| {
        let daemon = ready(host);
        let get = |key: &str| daemon.lxc(["config", "get", "c1", key]).ok().to_string();
        daemon.lxc(["config", "set", "c1", "user.a=1", "user.b=2"]).ok();
        daemon.lxc(["config", "set", "c1", "user.c", "3"]).ok();
        assert_eq!((get("user.a"), get("user.c"), get("user.nope")), ("1\n".into(), "3\n".into(), "\n".into()));
        daemon.lxc(["config", "unset", "c1", "user.a"]).ok();
        assert_eq!(get("user.a"), "\n");
        daemon.lxc(["profile", "set", "default", "user.d=profile"]).ok();
        assert_eq!(
            (get("user.d"), daemon.lxc(["config", "get", "-e", "c1", "user.d"]).ok()),
            ("\n".into(), "profile\n")
        );
        // What `show` prints can be edited and comes back.
        let shown = daemon.lxc(["config", "show", "c1"]).ok().to_string();
        daemon.lxc_with(["config", "edit", "c1"], shown.replace("user.b: \"2\"", "user.b: \"4\"").as_bytes()).ok();
        assert_eq!(get("user.b"), "4\n");
        refused(&daemon, &["config", "set", "c1", "foo=bar"], "Unknown configuration key: foo");
        refused(&daemon, &["config", "set", "c1", "boot.autostart=maybe"], "Invalid value for a boolean \"maybe\"");
        refused(&daemon, &["config", "set", "nope", "user.a=1"], "Instance not found");
        refused(&daemon, &["config", "show", "nope"], "Instance not found");
        assert_eq!(get("user.b"), "4\n");
    });
}

#[test]
fn devices_are_added_changed_overridden_and_removed() {
    story(|host| {
        let daemon = ready(host);
        host.sh("mkdir share");
        let source = format!("source={}", host.folder().join("share").display());
        let device = |words: &[&str]| daemon.lxc(["config", "device"].iter().chain(words));
        assert_eq!(device(&["add", "c1", "x", "disk", "path=/x", &source]).ok(), "Device x added to c1\n");
        refused(
            &daemon,
            &["config", "device", "add", "c1", "x", "disk", "path=/y", &source],
            "The device already exists",
        );
        let words = "More than one disk device uses the same path \"/x\"";
        refused(&daemon, &["config", "device", "add", "c1", "y", "disk", "path=/x", &source], words);
        let words = "Failed add validation for device \"z\": Missing source path \"/nope\" for disk \"z\"";
        refused(&daemon, &["config", "device", "add", "c1", "z", "disk", "path=/z", "source=/nope"], words);
        device(&["add", "c1", "z", "disk", "path=/z", "source=/nope", "required=false"]).ok();
        assert_eq!(device(&["list", "c1"]).ok(), "x\nz\n");
        device(&["set", "c1", "x", "readonly=true"]).ok();
        assert_eq!(
            (device(&["get", "c1", "x", "readonly"]).ok(), device(&["get", "c1", "x", "nope"]).ok()),
            ("true\n", "\n")
        );
        device(&["unset", "c1", "x", "readonly"]).ok();
        device(&["set", "c1", "x", "recursive", "true"]).ok();
        let shown = device(&["show", "c1"]).ok().to_string();
        assert!(shown.starts_with("x:\n  path: /x\n  recursive: \"true\"\n  source: "), "{shown}");
        refused(&daemon, &["config", "device", "set", "c1", "x", "foo=bar"], "Invalid device option \"foo\"");
        refused(&daemon, &["config", "device", "unset", "c1", "x", "path"], "path");
        // A device of a profile is only changed by one of the instance's own.
        refused(
            &daemon,
            &["config", "device", "set", "c1", "root", "size=1GiB"],
            "Device from profile(s) cannot be modified for individual instance",
        );
        refused(
            &daemon,
            &["config", "device", "remove", "c1", "root"],
            "Device from profile(s) cannot be removed from individual instance",
        );
        refused(&daemon, &["config", "device", "override", "c1", "nope"], "profile");
        device(&["override", "c1", "root", "size=1GiB"]).ok();
        let root = daemon.get("/1.0/instances/c1")["devices"]["root"].clone();
        assert_eq!(root, json!({"path": "/", "pool": "default", "size": "1GiB", "type": "disk"}));
        refused(&daemon, &["config", "device", "override", "c1", "root"], "The device already exists");
        assert_eq!(device(&["remove", "c1", "x", "z"]).ok(), "Device x, z removed from c1\n");
        refused(&daemon, &["config", "device", "remove", "c1", "x"], "Device doesn't exist");
        assert_eq!(device(&["list", "c1"]).ok(), "root\n");
    });
}

#[test]
fn profiles_are_made_changed_given_and_removed() {
    story(|host| {
        let daemon = ready(host);
        let profile = |words: &[&str]| daemon.lxc(["profile"].iter().chain(words));
        assert_eq!(profile(&["create", "p1"]).ok(), "Profile p1 created\n");
        refused(&daemon, &["profile", "create", "p1"], "The profile already exists");
        profile(&["set", "p1", "user.a=1"]).ok();
        assert_eq!(profile(&["get", "p1", "user.a"]).ok(), "1\n");
        profile(&["device", "add", "p1", "n", "none"]).ok();
        assert_eq!(profile(&["device", "list", "p1"]).ok(), "n\n");
        profile(&["copy", "p1", "p2"]).ok();
        profile(&["unset", "p1", "user.a"]).ok();
        assert_eq!((profile(&["get", "p1", "user.a"]).ok(), profile(&["get", "p2", "user.a"]).ok()), ("\n", "1\n"));
        profile(&["rename", "p2", "p3"]).ok();
        refused(&daemon, &["profile", "rename", "p3", "p1"], "Name \"p1\" already in use");
        assert_eq!(profile(&["assign", "c1", "default,p3"]).ok(), "Profiles default,p3 applied to c1\n");
        assert_eq!(daemon.lxc(["config", "get", "-e", "c1", "user.a"]).ok(), "1\n");
        assert_eq!(profile(&["add", "c1", "p1"]).ok(), "Profile p1 added to c1\n");
        refused(&daemon, &["profile", "add", "c1", "p1"], "Duplicate profile found in request");
        refused(&daemon, &["profile", "assign", "c1", "nope"], "Profile not found");
        refused(&daemon, &["profile", "delete", "p3"], "Profile is currently in use");
        assert_eq!(daemon.get("/1.0/profiles/p3")["used_by"], json!(["/1.0/instances/c1"]));
        assert_eq!(profile(&["remove", "c1", "p3"]).ok(), "Profile p3 removed from c1\n");
        assert_eq!(daemon.get("/1.0/instances/c1")["profiles"], json!(["default", "p1"]));
        profile(&["delete", "p3"]).ok();
        profile(&["device", "remove", "p1", "n"]).ok();
        daemon.lxc_with(["profile", "edit", "p1"], b"description: words\nconfig:\n  user.b: x\n").ok();
        let shown = profile(&["show", "p1"]).ok().to_string();
        let wanted = "config:\n  user.b: x\ndescription: words\ndevices: {}\nname: p1\nused_by:\n- /1.0/instances/c1\n";
        assert_eq!(shown, wanted);
        refused(&daemon, &["profile", "delete", "default"], "cannot be deleted");
        refused(&daemon, &["profile", "rename", "default", "x"], "cannot be renamed");
    });
}

#[test]
fn a_root_disk_stays_in_the_profile_while_somebody_has_it_from_there() {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["storage", "create", "other", "dir"]).ok();
        let before = daemon.get("/1.0/profiles/default");
        let words = "At least one instance relies on this profile's root disk device";
        refused(&daemon, &["profile", "device", "remove", "default", "root"], words);
        refused(&daemon, &["profile", "device", "set", "default", "root", "pool=other"], words);
        assert_eq!(daemon.get("/1.0/profiles/default"), before);
        // Who has one of his own does not need it.
        daemon.lxc(["config", "device", "add", "c1", "root", "disk", "path=/", "pool=default"]).ok();
        daemon.lxc(["profile", "device", "remove", "default", "root"]).ok();
        daemon.lxc(["start", "c1"]).ok();
    });
}
