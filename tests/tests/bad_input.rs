//! Bad input: refused with LXD's status code and words, and nothing is changed by it.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use stories::{Daemon, Host, story};

/// Everything that a refusal must leave as it was, a line each: all that the API shows, and the files of pools and images.
fn everything(host: &Host, daemon: &Daemon) -> Vec<String> {
    let mut all = Vec::new();
    for path in ["instances", "profiles", "networks", "storage-pools", "projects"] {
        let list = daemon.get(&format!("/1.0/{path}?recursion=1"));
        all.extend(list.as_array().into_iter().flatten().map(ToString::to_string));
    }
    // An image remembers when it was last used, also by what failed.
    all.push(daemon.get("/1.0/images").to_string());
    all.push(daemon.get("/1.0")["config"].to_string());
    let files =
        host.sh("for d in storage-pools images containers networks; do [ ! -d one/$d ] || find one/$d; done | sort");
    all.extend(files.lines().map(str::to_string));
    all
}

/// Panics with what is there now and was not, and the other way round.
#[track_caller]
fn assert_same(now: &[String], before: &[String], what: &str) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    assert_eq!(only(now, before), only(before, now), "{what} changed something");
}

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon_on("dir");
    daemon.lxc(["init", "busybox", "c1"]).ok();
    daemon
}

/// A request, the status code of its refusal (LXD has 500 for some that are the client's fault), and words of it.
type Case = (&'static str, &'static str, &'static str, u16, &'static str);

const INSTANCES: &str = "/1.0/instances";

const AT_ONCE: &[Case] = &[
    ("POST", INSTANCES, "[", 400, ""),
    ("POST", INSTANCES, r#"{"name": 5}"#, 400, "name"),
    (
        "POST",
        INSTANCES,
        r#"{"name":"-x","source":{"type":"none"}}"#,
        400,
        "Invalid instance name: Name must not start with \"-\" character",
    ),
    (
        "POST",
        INSTANCES,
        r#"{"name":"x-","source":{"type":"none"}}"#,
        400,
        "Invalid instance name: Name must not end with \"-\" character",
    ),
    (
        "POST",
        INSTANCES,
        r#"{"name":"1x","source":{"type":"none"}}"#,
        400,
        "Invalid instance name: Name must not start with a number",
    ),
    (
        "POST",
        INSTANCES,
        r#"{"name":"a.b","source":{"type":"none"}}"#,
        400,
        "Invalid instance name: Name can only contain alphanumeric and hyphen characters",
    ),
    (
        "POST",
        INSTANCES,
        r#"{"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","source":{"type":"none"}}"#,
        400,
        "Invalid instance name: Name must be 1-63 characters long",
    ),
    ("POST", INSTANCES, r#"{"name":"a/b","source":{"type":"none"}}"#, 400, "is reserved for snapshots"),
    ("POST", INSTANCES, r#"{"name":"x","source":{"type":"what"}}"#, 400, "Unknown source type what"),
    ("POST", INSTANCES, r#"{"name":"x","type":"what","source":{"type":"none"}}"#, 400, "Invalid instance type"),
    ("POST", INSTANCES, r#"{"name":"x","source":{"type":"image","alias":"nope"}}"#, 404, "Image alias not found"),
    (
        "POST",
        INSTANCES,
        r#"{"name":"x","profiles":["nope"],"source":{"type":"none"}}"#,
        500,
        "Requested profile \"nope\" doesn't exist",
    ),
    (
        "POST",
        INSTANCES,
        r#"{"name":"x","architecture":"pdp11","source":{"type":"none"}}"#,
        500,
        "Architecture isn't supported: pdp11",
    ),
    (
        "POST",
        "/1.0/instances?target=other",
        r#"{"name":"x","source":{"type":"none"}}"#,
        400,
        "Target only allowed when clustered",
    ),
    ("POST", "/1.0/instances?project=nope", r#"{"name":"x","source":{"type":"none"}}"#, 404, "Project not found"),
    ("PATCH", "/1.0/instances/c1", r#"{"config":{"foo":"bar"}}"#, 500, "Unknown configuration key: foo"),
    ("PATCH", "/1.0/instances/c1", r#"{"config":{"limits.memory":"many"}}"#, 500, "Invalid value: many"),
    (
        "PATCH",
        "/1.0/instances/c1",
        r#"{"config":{"boot.autostart":"maybe"}}"#,
        500,
        "Invalid value for a boolean \"maybe\"",
    ),
    ("PATCH", "/1.0", r#"{"config":{"core.nothing":"x"}}"#, 400, "unknown key"),
    ("POST", "/1.0/profiles", r#"{"name":"p","config":{"foo":"bar"}}"#, 400, "Unknown configuration key: foo"),
    ("POST", "/1.0/profiles", r#"{"name":"a/b"}"#, 400, "Profile names may not contain slashes"),
    (
        "POST",
        "/1.0/networks",
        r#"{"name":"aaaaaaaaaaaaaaaaaaaaa"}"#,
        400,
        "Network interface is too long (maximum 15 characters)",
    ),
    (
        "POST",
        "/1.0/networks",
        r#"{"name":"b1","config":{"foo":"bar"}}"#,
        500,
        "Invalid option for network \"b1\" option \"foo\"",
    ),
    ("POST", "/1.0/storage-pools", r#"{"name":"p","driver":"what"}"#, 500, "what"),
    ("POST", "/1.0/storage-pools", r#"{"name":"","driver":"dir"}"#, 400, "No name provided"),
    (
        "POST",
        "/1.0/storage-pools",
        r#"{"name":"a/b","driver":"dir"}"#,
        400,
        "Storage pool names may not contain slashes",
    ),
    ("POST", "/1.0/storage-pools", r#"{"name":"p"}"#, 400, "No driver provided"),
    (
        "POST",
        "/1.0/storage-pools",
        r#"{"name":"p","driver":"dir","config":{"foo":"bar"}}"#,
        500,
        "Invalid option \"foo\"",
    ),
    ("PATCH", "/1.0/storage-pools/default", r#"{"config":{"foo":"bar"}}"#, 400, "Invalid option \"foo\""),
    ("PATCH", "/1.0/storage-pools/default", r#"{"config":{"foo":""}}"#, 400, "Invalid option \"foo\""),
    ("PATCH", "/1.0/profiles/default", r#"{"config":{"foo":"bar"}}"#, 500, "Unknown configuration key: foo"),
    ("PATCH", "/1.0/profiles/default", r#"{"devices":{"x":{"type":"foo"}}}"#, 500, "Unsupported device type"),
    ("PATCH", "/1.0/instances/c1", r#"{"devices":{"x":{"type":"foo"}}}"#, 500, "Unsupported device type"),
    ("PATCH", "/1.0/instances/c1", r#"{"profiles":["nope"]}"#, 404, "Profile not found"),
    ("POST", "/1.0/instances/c1", r#"{"name":"a.b"}"#, 400, "Invalid instance name"),
    ("POST", "/1.0/instances/c1", r#"{"name":"c1"}"#, 409, "Name \"c1\" already in use"),
    ("PUT", "/1.0/instances/c1/state", r#"{"action":"foo"}"#, 400, "Unknown action: 'foo'"),
    ("POST", "/1.0/instances/c1/exec", r#"{"command":["true"]}"#, 400, "Instance is not running"),
    ("POST", "/1.0/projects", r#"{"name":"a_b"}"#, 400, "Project names may not contain underscores"),
    (
        "POST",
        "/1.0/projects",
        r#"{"name":"p","config":{"foo":"bar"}}"#,
        400,
        "Invalid project configuration key \"foo\"",
    ),
    ("DELETE", "/1.0/profiles/default", "", 403, "The \"default\" profile cannot be deleted"),
    ("DELETE", "/1.0/storage-pools/default", "", 400, "The storage pool is currently in use"),
    ("DELETE", "/1.0/networks/nope", "", 404, "Failed loading network: Network not found"),
    ("DELETE", "/1.0/instances/nope", "", 404, "Instance not found"),
    ("GET", "/1.0/nothing", "", 404, "not found"),
    ("PATCH", "/1.0/operations", "{}", 501, "not implemented"),
];

#[test]
fn what_is_wrong_is_said_at_once_with_its_code() {
    story(|host| {
        let daemon = ready(host);
        let before = everything(host, &daemon);
        for &(method, path, body, code, words) in AT_ONCE {
            let answer = daemon.ask(method, path, body);
            let wrong = format!("{method} {path} {body}: {answer:?}");
            assert!(answer.error().contains(words), "{wrong}");
            assert_eq!(answer.code, code, "{wrong}");
            assert_eq!(answer.body["type"], "error", "{wrong}");
        }
        assert_same(&everything(host, &daemon), &before, "a refusal");
    });
}

#[test]
fn what_is_wrong_with_a_container_is_said_by_its_operation() {
    story(|host| {
        let daemon = ready(host);
        let before = everything(host, &daemon);
        let cases: [(&[&str], &str); 9] = [
            (
                &["c1"],
                "Failed creating instance record: Add instance info to the database: This \"instances\" entry already exists",
            ),
            (&["x", "-c", "foo=bar"], "Failed creating instance record: Unknown configuration key: foo"),
            (&["x", "-c", "limits.memory=many"], "Failed creating instance record: Invalid value: many"),
            (
                &["x", "-c", "security.privileged=maybe"],
                "Failed creating instance record: Invalid value for a boolean \"maybe\"",
            ),
            (&["x", "-s", "nope"], "Storage pool not found"),
            (&["x", "-d", "root,foo=bar"], "Invalid device option \"foo\""),
            (&["x", "-d", "root,size=many"], "Invalid value"),
            (&["x", "-p", "default", "-p", "default"], "Duplicate profile found in request"),
            (&["x", "--no-profiles"], "No root device could be found"),
        ];
        for (arguments, words) in cases {
            let refused = daemon.lxc(["init", "busybox"].iter().chain(arguments));
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
            assert_same(&everything(host, &daemon), &before, &format!("{arguments:?}"));
        }
        let missing = r#"{"name":"x","source":{"type":"none"},"devices":{"d":{"type":"disk","path":"/d","source":"/nope"},
                          "root":{"type":"disk","path":"/","pool":"default"}}}"#;
        let refused = daemon.lxc(["query", "--wait", "-X", "POST", "-d", missing, "/1.0/instances"]);
        let words = "Failed add validation for device \"d\": Missing source path \"/nope\" for disk \"d\"";
        assert!(refused.refused().contains(words), "{}", refused.err);
        assert_same(&everything(host, &daemon), &before, "a refusal");
    });
}

#[test]
fn bad_yaml_is_refused_with_its_place() {
    story(|host| {
        let daemon = ready(host);
        let before = everything(host, &daemon);
        let cases = [
            (["config", "edit", "c1"], "config: [", "yaml: "),
            (["config", "edit", "c1"], "architecture: pdp11", ""),
            (["profile", "edit", "default"], "devices: {root: {type: disk, path: /, pool: nope}}", ""),
            (["profile", "edit", "default"], "config: {foo: bar}", "Unknown configuration key: foo"),
            (["storage", "edit", "default"], "config: {size: {}}", ""),
        ];
        for (command, text, words) in cases {
            let refused = daemon.lxc_with(command, text.as_bytes());
            assert!(refused.refused().contains(words), "{command:?} {text}: {} is not {words}", refused.err);
            assert_same(&everything(host, &daemon), &before, &format!("{command:?} {text}"));
        }
    });
}

#[test]
fn images_that_want_out_or_fill_the_disk_are_refused() {
    story(|host| {
        let daemon = ready(host);
        host.sh("mkdir -p small tree/rootfs/etc tree/rootfs/dev; mount -t tmpfs -o size=24m tmpfs small
                 cp busybox-tree/metadata.yaml tree/; truncate -s 400M tree/rootfs/big; echo precious > precious");
        let source = format!("source={}", host.folder().join("small").display());
        for driver in ["dir", "overlay"] {
            // An overlay cannot have its layers on every file system; then there is nothing to fill either.
            if daemon.lxc(["storage", "create", "small", driver, &source]).status != 0 {
                assert_eq!(driver, "overlay");
                continue;
            }
            host.sh("tar -C tree -czf bomb.tar.gz metadata.yaml rootfs");
            daemon.lxc(["image", "import", "bomb.tar.gz", "--alias", "bomb"]).ok();
            let small = || host.sh("find small | sort; df --output=used small");
            let (before, files) = (everything(host, &daemon), small());
            let refused = daemon.lxc(["init", "bomb", "x", "-s", "small"]);
            assert!(refused.refused().contains("run out of disk space"), "{driver}: {}", refused.err);
            assert_same(&everything(host, &daemon), &before, driver);
            assert_eq!(small(), files, "{driver}");
            daemon.lxc(["image", "delete", "bomb"]).ok();
            daemon.lxc(["storage", "delete", "small"]).ok();
        }
        host.sh("rm tree/rootfs/big");
        let outside = host.folder().join("precious");
        let cases = [
            ("ln -s / tree/rootfs/out; tar -C tree --transform 's,^rootfs/etc$,rootfs/out/tmp/x,' -cf bad metadata.yaml rootfs/out rootfs/etc".to_string(), "a way through a link"),
            (format!("python3 - <<'X'
import tarfile, io
t = tarfile.open('bad', 'w')
def add(name, kind=tarfile.REGTYPE, link='', data=b''):
    i = tarfile.TarInfo(name); i.type = kind; i.linkname = link; i.size = len(data); t.addfile(i, io.BytesIO(data))
add('metadata.yaml', data=open('tree/metadata.yaml', 'rb').read())
add('rootfs', tarfile.DIRTYPE)
add('rootfs/hard', tarfile.LNKTYPE, '../../../../../../../../../..{}')
t.close()
X", outside.display()), "a hard link out"),
        ];
        for (make, name) in cases {
            host.sh("rm -f bad tree/rootfs/out");
            host.sh(&make);
            let imported = daemon.lxc(["image", "import", "bad", "--alias", "bad"]);
            let before = everything(host, &daemon);
            let made = daemon.lxc(["init", "bad", "x"]);
            assert!(imported.status != 0 || made.status != 0, "{name} was taken");
            assert_same(&everything(host, &daemon), &before, name);
            assert_eq!(
                host.sh("cat precious; stat -c %h precious; ls /tmp/x 2>/dev/null || true"),
                "precious\n1\n",
                "{name}"
            );
            let _ = daemon.lxc(["image", "delete", "bad"]);
        }
        host.sh("umount small");
    });
}

/// A folder with links to all programs but those that are missing.
fn programs_without(host: &Host, missing: &[&str]) -> PathBuf {
    let folder = host.folder().join(format!("without-{}", missing.join("-")));
    host.sh(&format!(
        "mkdir {0}; for p in /usr/sbin /usr/bin /sbin /bin; do ln -s $p/* {0}/ 2>/dev/null || true; done; cd {0}; rm -f {1}",
        folder.display(),
        missing.join(" ")
    ));
    folder
}

fn network_is_refused_without(missing: &[&str], words: [&str; 2]) {
    story(|host| {
        let path = programs_without(host, missing);
        let daemon = Daemon::start_with(host.folder(), "one", vec![("PATH", path)]);
        daemon.with_pool("dir");
        let before = everything(host, &daemon);
        let keys = ["ipv4.address=10.91.0.1/24", "ipv4.nat=true", "ipv6.address=none"];
        let refused = daemon.lxc(["network", "create", "br0"].iter().chain(&keys));
        refused.refused();
        for word in words {
            assert!(refused.err.contains(word), "{} names no {word}", refused.err);
        }
        assert_same(&everything(host, &daemon), &before, "a refused network");
        assert!(!host.sh("ip link").contains("br0"));
        // Only the feature that needs the helper is missing.
        daemon.import_busybox("busybox");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "true"]).ok();
    });
}

#[test]
fn a_missing_dnsmasq_is_named_with_its_package() {
    network_is_refused_without(&["dnsmasq"], ["dnsmasq", "dnsmasq-base"]);
}

#[test]
fn a_missing_nft_is_named_with_its_package() {
    network_is_refused_without(&["nft", "iptables", "iptables-nft", "iptables-legacy"], ["nft", "nftables"]);
}
