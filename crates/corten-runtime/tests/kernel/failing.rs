//! Starts that fail: each says why, and leaves nothing behind.

use std::path::Path;

use corten_runtime::Spec;
use corten_runtime::monitor::steps;
use corten_runtime::spec::{Create, DeviceNode, DeviceRule, IdMap, Link, Mount, NodeKind, Rlimit, Source};

use crate::harness::{MONITOR, Scratch};

type Change = fn(&mut Spec);

/// What is wrong, the step that finds it, and how the message begins.
const CASES: &[(Change, &str, &str)] = &[
    (|spec| spec.name = String::new(), steps::CHECK, "checking the spec of \"\": the name \"\" is empty"),
    (|spec| spec.run_dir = "/no/such/run".into(), steps::SOCKET, "opening the monitor's socket: "),
    (
        |spec| spec.cgroup.devices = vec![DeviceRule { allow: true, rule: "x".into() }],
        steps::GROUPS,
        "reading the device list: invalid device rule \"x\"",
    ),
    (
        |spec| spec.idmap = Some(IdMap::simple(u32::MAX - 5, 10)),
        steps::ADMIT,
        "writing \"0 4294967290 10\\n\" into uid_map: ",
    ),
    (
        |spec| spec.rlimits = vec![Rlimit { resource: "files".into(), soft: None, hard: None }],
        steps::ADMIT,
        "setting the resource limit files: there is none of that name",
    ),
    (
        |spec| spec.links = vec![Link { host: "no-such0".into(), cable: None, name: "eth0".into(), return_as: None }],
        steps::LINKS,
        "looking up the network interface \"no-such0\": No such device",
    ),
    (
        |spec| spec.root.source = Source::Tree { path: "/no/such/root".into() },
        steps::SOURCES,
        "opening the root /no/such/root: No such file or directory",
    ),
    (
        |spec| spec.root.source = Source::Tree { path: "/proc".into() },
        steps::IDMAP,
        "mapping the ids of /proc: Invalid argument",
    ),
    (
        |spec| spec.mounts = vec![Mount::bind("/no/such", "/mnt", Create::Dir)],
        steps::SOURCES,
        "opening /no/such: No such file or directory",
    ),
    (
        |spec| spec.mounts = vec![Mount::bind("/", "/mnt", Create::No)],
        steps::MOUNTS,
        "mounting /mnt: No such file or directory",
    ),
    (
        |spec| spec.sysctls = vec![("kernel.no_such".into(), "1".into())],
        steps::SETTINGS,
        "setting the kernel parameter kernel.no_such to \"1\": ",
    ),
    (
        |spec| spec.security.drop = vec!["fly".into()],
        steps::SECURE,
        "dropping the capability \"fly\": there is none of that name",
    ),
    (|spec| spec.security.seccomp = vec![1, 2, 3], steps::SECURE, "installing the seccomp filter: Invalid argument"),
    (|spec| spec.init.cwd = "/no/such".into(), steps::EXEC, "going to /no/such: No such file or directory"),
    (
        |spec| spec.init.argv = vec!["/no/such/init".into()],
        steps::EXEC,
        "executing \"/no/such/init\": No such file or directory",
    ),
];

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    let Some(scratch) = Scratch::new() else { return };
    for (change, step, message) in CASES {
        let mut spec = scratch.spec();
        change(&mut spec);
        let failed = corten_runtime::start(Path::new(MONITOR), &spec).expect_err(message);
        assert_eq!(failed.step, *step, "{failed}");
        assert!(failed.to_string().starts_with(message), "{failed:?} does not begin with {message:?}");
        assert!(scratch.leftovers().is_empty(), "{step}: {:?}", scratch.leftovers());
    }
    let failed = corten_runtime::start(Path::new("/no/such/monitor"), &scratch.spec()).expect_err("no monitor");
    assert_eq!(failed.to_string(), "running /no/such/monitor: No such file or directory");
}

#[test]
fn every_step_unwinds() {
    let Some(scratch) = Scratch::new() else { return };
    for step in steps::ALL {
        let mut spec = scratch.spec();
        spec.fail_step = Some(step.to_string());
        spec.nodes = vec![DeviceNode {
            path: "dev/more".into(),
            kind: NodeKind::Char,
            major: 1,
            minor: 3,
            mode: 0o600,
            uid: 0,
            gid: 0,
        }];
        let failed = corten_runtime::start(Path::new(MONITOR), &spec).expect_err(step);
        assert_eq!((failed.step.as_str(), failed.to_string().contains("made to fail")), (*step, true), "{failed}");
        assert!(scratch.leftovers().is_empty(), "{step}: {:?}", scratch.leftovers());
        let processes = std::fs::read_dir("/proc").expect("/proc").flatten().filter(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&format!("[lxc monitor] {}", scratch.name))
        });
        // The monitor has answered and is about to exit.
        for process in processes {
            while process.path().exists() {}
        }
    }
    let (container, watch) = scratch.start(&scratch.spec());
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn an_interface_that_was_moved_in_comes_back_when_a_later_step_fails() {
    let Some(scratch) = Scratch::new() else { return };
    let status = std::process::Command::new("ip")
        .args(["link", "add", "phys0", "type", "veth", "peer", "name", "other0"])
        .status();
    assert!(status.expect("iproute2 is installed").success());
    let mut spec = scratch.spec();
    spec.links = vec![Link { host: "phys0".into(), cable: None, name: "eth0".into(), return_as: Some("phys0".into()) }];
    spec.init.argv = vec!["/no/such/init".into()];
    corten_runtime::start(Path::new(MONITOR), &spec).expect_err("no init");
    let socket = corten_host::netlink::Socket::open().expect("netlink");
    assert!(socket.find_link("phys0").expect("looked").is_some());
}
