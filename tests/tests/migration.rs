//! Instances and custom volumes go from one server to another: two daemons of ours, and one of ours with Debian's LXD at the
//! other end, which is skipped where that is not installed.
#![forbid(unsafe_code)]

use serde_json::{Value, json};
use stories::{Daemon, Host, story};

const MODES: [&str; 3] = ["pull", "push", "relay"];

/// What is hard to send: owners, modes, links, holes, a capability.
const FILL: &str =
    "cd /root; echo one > file; chown 1000:1000 file; chmod 4711 file; ln -s /nowhere link; mkfifo pipe; mkdir -p d/e
                    dd if=/dev/zero of=holes bs=1 count=1 seek=50000000 2>/dev/null";

const LOOK: &str = "cd /root; stat -c '%n %f %u:%g %s' * d/e | sort; cat file";

/// Lets `to` be reached at a port, and `by` know it as the remote of this name.
fn reachable(to: &Daemon, by: &[&Daemon], name: &str, port: u16) {
    to.lxc(["config", "set", "core.https_address", &format!("127.0.0.1:{port}")]).ok();
    to.lxc(["config", "set", "core.trust_password", "secret"]).ok();
    for client in by {
        let address = format!("127.0.0.1:{port}");
        client.lxc(["remote", "add", name, &address, "--accept-certificate", "--password", "secret"]).ok();
    }
}

/// Two servers that know each other as `one` and `two`; commands are given to the first.
fn servers(one: &Daemon, two: &Daemon, drivers: [&str; 2]) {
    one.with_pool(drivers[0]);
    two.with_pool(drivers[1]);
    reachable(one, &[one], "one", 8443);
    reachable(two, &[one], "two", 8444);
    one.import_busybox("busybox");
}

fn sh(daemon: &Daemon, instance: &str, script: &str) -> String {
    daemon.lxc(["exec", instance, "--", "sh", "-c", script]).ok().to_string()
}

fn snapshots(daemon: &Daemon, instance: &str) -> Vec<String> {
    let all = daemon.get(&format!("/1.0/instances/{instance}/snapshots"));
    let names = all.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|path| path.rsplit('/').next()).map(str::to_string).collect()
}

/// Waits for the operations of a daemon: who pulls hears from the target alone, and LXD thaws its source after that.
fn at_rest(daemon: &Daemon) {
    for operation in daemon.get("/1.0/operations")["running"].as_array().into_iter().flatten() {
        daemon.get(&format!("{}/wait", operation.as_str().expect("a path")));
    }
}

/// Nothing of a migration is left in the pools of a daemon.
fn clean(host: &Host, daemon: &str) {
    let left = format!(
        "find {daemon}/storage-pools {daemon}/containers -mindepth 1 -name '.*' ! -path '*/rootfs/*' ! -path '*/upper/*'"
    );
    assert_eq!(host.sh(&left), "", "{daemon}");
}

/// Copies and moves a stopped container with a snapshot from `one` to `two` in every mode.
fn travels(host: &Host, one: &Daemon, two: &Daemon) {
    one.lxc(["launch", "busybox", "c1", "-c", "user.a=b"]).ok();
    sh(one, "c1", FILL);
    let seen = sh(one, "c1", LOOK);
    one.lxc(["snapshot", "c1", "first"]).ok();
    // Of another length: within a second of the other, LXD's rsync takes files of one length for the same.
    sh(one, "c1", "echo another > /root/file");
    // The kernel takes the bit for another user away from a file that is written to.
    let later = sh(one, "c1", LOOK);
    one.lxc(["stop", "c1", "--force"]).ok();
    for mode in MODES {
        one.lxc(["copy", "one:c1", "two:c2", "--mode", mode]).ok();
        let config = two.get("/1.0/instances/c2")["config"].clone();
        assert_eq!((&config["user.a"], &config["volatile.apply_template"]), (&json!("b"), &json!("copy")), "{mode}");
        assert_eq!(snapshots(two, "c2"), ["first"], "{mode}");
        two.lxc(["start", "c2"]).ok();
        assert_eq!(sh(two, "c2", LOOK), later, "{mode}");
        two.lxc(["restore", "c2", "first"]).ok();
        assert_eq!(sh(two, "c2", LOOK), seen, "{mode}");
        two.lxc(["delete", "c2", "--force"]).ok();
        one.lxc(["copy", "one:c1/first", "two:c3", "--mode", mode]).ok();
        assert!(snapshots(two, "c3").is_empty());
        two.lxc(["start", "c3"]).ok();
        assert_eq!(sh(two, "c3", LOOK), seen, "a snapshot by {mode}");
        two.lxc(["delete", "c3", "--force"]).ok();
        one.lxc(["copy", "one:c1", "two:c4", "--mode", mode, "--instance-only"]).ok();
        assert!(snapshots(two, "c4").is_empty());
        two.lxc(["delete", "c4"]).ok();
        // There and back again.
        one.lxc(["move", "one:c1", "two:c1", "--mode", mode]).ok();
        assert!(one.lxc(["info", "one:c1"]).refused().contains("not found"));
        one.lxc(["move", "two:c1", "one:c1", "--mode", mode]).ok();
        assert!(one.lxc(["info", "two:c1"]).refused().contains("not found"));
        assert_eq!(snapshots(one, "c1"), ["first"], "{mode}");
    }
    one.lxc(["start", "c1"]).ok();
    assert_eq!(sh(one, "c1", LOOK), later, "after six moves");
    let live = one.lxc(["copy", "one:c1", "two:c5"]);
    assert!(live.refused().contains("Unable to perform container live migration."), "{}", live.err);
    for mode in MODES {
        one.lxc(["copy", "one:c1", "two:c5", "--mode", mode, "--stateless"]).ok();
        at_rest(one);
        assert_eq!(one.get("/1.0/instances/c1")["status"], "Running", "the source runs on");
        two.lxc(["delete", "c5"]).ok();
    }
    let taken = one.lxc(["copy", "one:c1", "two:c6", "--stateless", "--allow-inconsistent"]);
    taken.ok();
    let again = one.lxc(["copy", "one:c1", "two:c6", "--stateless"]);
    assert!(again.refused().contains("already exists"), "{}", again.err);
    one.lxc(["delete", "c1", "--force"]).ok();
    two.lxc(["delete", "c6"]).ok();
    for daemon in ["one", "two"] {
        clean(host, daemon);
    }
}

fn between(drivers: [&'static str; 2]) {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        servers(&one, &two, drivers);
        travels(host, &one, &two);
    });
}

#[test]
fn containers_travel_between_dir_and_overlay() {
    between(["dir", "overlay"]);
}

#[test]
fn containers_travel_between_overlay_and_overlay() {
    between(["overlay", "overlay"]);
}

#[test]
fn containers_travel_to_debians_lxd_and_back() {
    story(|host| {
        let Some(two) = Daemon::debian(host.folder(), "two") else { return };
        let one = host.daemon();
        servers(&one, &two, ["overlay", "dir"]);
        travels(host, &one, &two);
    });
}

#[test]
fn containers_travel_from_debians_lxd_and_back() {
    story(|host| {
        let Some(one) = Daemon::debian(host.folder(), "one") else { return };
        let two = host.another_daemon("two");
        servers(&one, &two, ["dir", "dir"]);
        travels(host, &one, &two);
    });
}

#[test]
fn debians_client_drives_it() {
    story(|host| {
        let one = host.daemon().with_original_lxc();
        if !stories::daemon::has_original(stories::daemon::ORIGINAL_LXC) {
            return;
        }
        let two = host.another_daemon("two");
        servers(&one, &two, ["overlay", "dir"]);
        travels(host, &one, &two);
        volumes(&one, &two);
    });
}

fn refreshed(one: &Daemon, two: &Daemon) {
    one.lxc(["init", "busybox", "c1"]).ok();
    one.lxc(["snapshot", "c1", "first"]).ok();
    one.lxc(["copy", "one:c1", "two:c1", "--refresh"]).ok();
    assert_eq!(snapshots(two, "c1"), ["first"]);
    one.lxc(["start", "c1"]).ok();
    sh(one, "c1", "echo three > /root/file; rm -f /bin/ash");
    one.lxc(["stop", "c1", "--force"]).ok();
    one.lxc(["snapshot", "c1", "second"]).ok();
    one.lxc(["config", "set", "c1", "user.new=yes"]).ok();
    two.lxc(["start", "c1"]).ok();
    sh(two, "c1", "echo mine > /root/mine");
    let refused = one.lxc(["copy", "one:c1", "two:c1", "--refresh"]);
    assert!(refused.refused().contains("running"), "{}", refused.err);
    two.lxc(["stop", "c1", "--force"]).ok();
    two.lxc(["snapshot", "c1", "own"]).ok();
    one.lxc(["copy", "one:c1", "two:c1", "--refresh", "--instance-only"]).ok();
    assert_eq!(snapshots(two, "c1"), ["first", "own"], "snapshots are left alone");
    one.lxc(["copy", "one:c1", "two:c1", "--refresh", "--mode", "push"]).ok();
    assert_eq!(snapshots(two, "c1"), ["first", "second"]);
    assert_eq!(two.get("/1.0/instances/c1")["config"]["user.new"], "yes");
    two.lxc(["start", "c1"]).ok();
    assert_eq!(sh(two, "c1", "cat /root/file; test ! -e /root/mine; stat -c %u /root/file"), "three\n0\n");
    two.lxc(["restore", "c1", "first"]).ok();
    assert_eq!(sh(two, "c1", "test ! -e /root/file && echo none"), "none\n");
    one.lxc(["delete", "c1"]).ok();
    two.lxc(["delete", "c1", "--force"]).ok();
}

#[test]
fn a_copy_on_another_server_is_refreshed() {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        servers(&one, &two, ["overlay", "dir"]);
        refreshed(&one, &two);
        the_other_way(&two);
        refreshed(&two, &one);
        for daemon in ["one", "two"] {
            clean(host, daemon);
        }
    });
}

/// Lets the second daemon be the one that commands are given to.
fn the_other_way(two: &Daemon) {
    for (name, port) in [("two", 8443), ("one", 8444)] {
        let address = format!("127.0.0.1:{port}");
        two.lxc(["remote", "add", name, &address, "--accept-certificate", "--password", "secret"]).ok();
    }
    two.import_busybox("busybox");
}

#[test]
fn a_copy_of_debians_lxd_is_refreshed() {
    story(|host| {
        let Some(one) = Daemon::debian(host.folder(), "one") else { return };
        let two = host.another_daemon("two");
        servers(&one, &two, ["dir", "overlay"]);
        refreshed(&one, &two);
    });
}

fn volumes(one: &Daemon, two: &Daemon) {
    one.lxc(["storage", "volume", "create", "default", "v", "user.foo=zero"]).ok();
    one.lxc(["storage", "volume", "snapshot", "default", "v", "s0"]).ok();
    one.lxc(["storage", "volume", "set", "default", "v", "user.foo=one"]).ok();
    let user_key = |daemon: &Daemon, name: &str| {
        daemon.lxc(["storage", "volume", "get", "default", name, "user.foo"]).ok().trim().to_string()
    };
    for mode in MODES {
        let copied = one.lxc(["storage", "volume", "copy", "one:default/v", "two:default/w", "--mode", mode]);
        assert_eq!(copied.ok().trim(), "Storage volume copied successfully!");
        assert_eq!((user_key(two, "w"), user_key(two, "w/s0")), ("one".to_string(), "zero".to_string()), "{mode}");
        let again = one.lxc(["storage", "volume", "copy", "one:default/v", "two:default/w", "--mode", mode]);
        assert!(again.refused().contains("already exists"), "{}", again.err);
        let moved = one.lxc(["storage", "volume", "move", "two:default/w", "one:default/x", "--mode", mode]);
        assert_eq!(moved.ok().trim(), "Storage volume moved successfully!");
        two.lxc(["storage", "volume", "show", "default", "w"]).refused();
        assert_eq!((user_key(one, "x"), user_key(one, "x/s0")), ("one".to_string(), "zero".to_string()), "{mode}");
        one.lxc(["storage", "volume", "delete", "default", "x"]).ok();
        one.lxc(["storage", "volume", "copy", "one:default/v", "two:default/y", "--volume-only", "--mode", mode]).ok();
        two.lxc(["storage", "volume", "show", "default", "y/s0"]).refused();
        two.lxc(["storage", "volume", "delete", "default", "y"]).ok();
    }
    one.lxc(["storage", "volume", "copy", "one:default/v", "two:default/w", "--refresh"]).ok();
    one.lxc(["storage", "volume", "snapshot", "default", "v", "s1"]).ok();
    two.lxc(["storage", "volume", "snapshot", "default", "w", "own"]).ok();
    one.lxc(["storage", "volume", "copy", "one:default/v", "two:default/w", "--refresh"]).ok();
    assert_eq!(user_key(two, "w/s1"), "one");
    two.lxc(["storage", "volume", "show", "default", "w/own"]).refused();
    for (daemon, name) in [(one, "v"), (two, "w")] {
        daemon.lxc(["storage", "volume", "delete", "default", name]).ok();
    }
}

#[test]
fn volumes_travel() {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        servers(&one, &two, ["overlay", "dir"]);
        volumes(&one, &two);
    });
}

#[test]
fn volumes_travel_to_and_from_debians_lxd() {
    story(|host| {
        let Some(two) = Daemon::debian(host.folder(), "two") else { return };
        let one = host.daemon();
        servers(&one, &two, ["dir", "dir"]);
        volumes(&one, &two);
    });
}

/// A container whose files take long to send: the source sends 200 kB in a second.
fn slow(one: &Daemon, running: bool) {
    one.lxc(["storage", "set", "default", "rsync.bwlimit", "200"]).ok();
    one.lxc(["launch", "busybox", "c1"]).ok();
    sh(one, "c1", "dd if=/dev/urandom of=/root/much bs=1M count=64 2>/dev/null");
    if !running {
        one.lxc(["stop", "c1", "--force"]).ok();
    }
}

/// What goes on in the background there.
fn running(daemon: &Daemon) -> Vec<Value> {
    let all = daemon.ask("GET", "/1.0/operations?recursion=1", "").body["metadata"].take();
    all["running"].as_array().cloned().unwrap_or_default()
}

/// Begins a copy, and waits until data go over; gives the client.
fn begin(one: &Daemon, two: &Daemon, mode: &str) -> std::process::Child {
    let mut copy = one.lxc_command(["copy", "one:c1", "two:c2", "--stateless", "--mode", mode]);
    copy.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let client = copy.spawn().expect("it runs");
    let is_under_way = || running(two).iter().any(|op| op["metadata"]["fs_progress"].is_string());
    let waited =
        (0..600).take_while(|_| !is_under_way()).map(|_| std::thread::sleep(std::time::Duration::from_millis(100)));
    assert!(waited.count() < 600, "nothing is sent");
    client
}

/// Waits until no operation is left.
fn settled(daemon: &Daemon) {
    for _ in 0..600 {
        if running(daemon).is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("an operation goes on: {:?}", running(daemon));
}

fn cut(driver: [&'static str; 2], runs: bool) {
    story(|host| {
        let (mut one, mut two) = (host.daemon(), host.another_daemon("two"));
        servers(&one, &two, driver);
        slow(&one, runs);
        let status = if runs { "Running" } else { "Stopped" };
        let is_whole = |one: &Daemon, two: &Daemon, what: &str| {
            assert_eq!(one.get("/1.0/instances/c1")["status"], status, "{what}");
            assert_eq!(two.get("/1.0/instances"), json!([]), "{what}");
            for daemon in ["one", "two"] {
                clean(host, daemon);
            }
            host.sh(&format!("! pgrep -x rsync -P {},{}", one.pid(), two.pid()));
        };
        // The source takes its offer back.
        let mut client = begin(&one, &two, "pull");
        let offer = running(&one)[0].clone();
        assert_eq!((&offer["may_cancel"], &running(&two)[0]["may_cancel"]), (&json!(true), &json!(false)));
        one.ask("DELETE", &format!("/1.0/operations/{}", offer["id"].as_str().expect("an id")), "");
        assert!(!client.wait().expect("it ends").success());
        settled(&one);
        settled(&two);
        is_whole(&one, &two, "cancelled");
        // The client goes, through which everything went.
        let mut client = begin(&one, &two, "relay");
        client.kill().expect("it runs");
        client.wait().expect("it ends");
        settled(&one);
        settled(&two);
        is_whole(&one, &two, "without the client");
        // Either daemon is killed.
        let mut client = begin(&one, &two, "pull");
        two.kill();
        client.wait().expect("it ends");
        settled(&one);
        two.begin();
        is_whole(&one, &two, "the target was killed");
        let mut client = begin(&one, &two, "push");
        one.kill();
        client.wait().expect("it ends");
        settled(&two);
        one.begin();
        is_whole(&one, &two, "the source was killed");
        if runs {
            assert_eq!(sh(&one, "c1", "echo it goes on"), "it goes on\n");
        }
    });
}

#[test]
fn what_is_cut_off_leaves_nothing_on_dir() {
    cut(["dir", "dir"], true);
}

#[test]
fn what_is_cut_off_leaves_nothing_on_overlay() {
    cut(["overlay", "overlay"], false);
}

/// Gives files of an instance that was never started a second name, an ACL and a capability.
fn mark(host: &Host, daemon: &str, instance: &str) {
    host.sh(&format!(
        "cd {daemon}/containers/{instance}/rootfs/root; echo x > f; ln f g; chown 1000:1000 f; setfacl -m u:1001:rw f
         cp ../bin/busybox b; setcap cap_net_raw+ep b"
    ));
}

/// Owners, links, attributes and ACLs of these files, as they are on disk.
fn marks(host: &Host, daemon: &str, instance: &str) -> String {
    host.sh(&format!(
        "cd {daemon}/containers/{instance}/rootfs/root; stat -c '%n %u:%g %h' f b; getfattr -d -m - -e hex b; getfacl -n f"
    ))
}

#[test]
fn acls_capabilities_and_links_go_along() {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        servers(&one, &two, ["dir", "dir"]);
        if host.sh("command -v setfacl setcap getfattr | wc -l").trim() != "3" {
            return println!("skipped: the packages acl, attr and libcap2-bin are not installed");
        }
        one.lxc(["init", "busybox", "c1"]).ok();
        mark(host, "one", "c1");
        let marked = marks(host, "one", "c1");
        assert!(marked.contains("f 1000:1000 2") && marked.contains("user:1001:rw-"), "{marked}");
        one.lxc(["copy", "one:c1", "two:c1"]).ok();
        assert_eq!(marks(host, "two", "c1"), marked);
        let Some(debian) = Daemon::debian(host.folder(), "debian") else { return };
        debian.with_pool("dir");
        reachable(&debian, &[&one], "debian", 8445);
        one.lxc(["copy", "one:c1", "debian:c1"]).ok();
        // LXD sends and takes no hard links.
        let single = marked.replace("f 1000:1000 2", "f 1000:1000 1");
        assert_eq!(marks(host, "debian", "c1"), single);
        // Its first start gives the files the host's ids; here they have the container's own again.
        debian.lxc(["start", "c1"]).ok();
        debian.lxc(["stop", "c1", "--force"]).ok();
        let map = debian.lxc(["config", "get", "c1", "volatile.last_state.idmap"]).ok().trim().to_string();
        assert_eq!(marks(host, "debian", "c1") == single, map == "[]", "{map}");
        for refresh in [false, true] {
            let mut words = vec!["copy", "debian:c1", "two:c2"];
            words.extend(refresh.then_some("--refresh"));
            one.lxc(words).ok();
            assert_eq!(marks(host, "two", "c2"), single, "{refresh}");
            assert_eq!(two.get("/1.0/instances/c2")["config"]["volatile.last_state.idmap"], "[]", "{refresh}");
        }
        two.lxc(["start", "c2"]).ok();
        assert_eq!(sh(&two, "c2", "stat -c %u:%g /root/f"), "1000:1000\n");
    });
}
