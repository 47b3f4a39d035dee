//! The bytes of every message, which may never change: a monitor speaks for years to daemons not yet written.

use corten_runtime::failure::StartFailed;
use corten_runtime::protocol::{Exit, Reply, Report, Request, SessionInfo};
use corten_runtime::spec::{Create, ExecSpec, InterceptedMounts};
use serde::Serialize;
use serde::de::DeserializeOwned;

const GOLDEN: &str = include_str!("../testdata/protocol-1.jsonl");

fn requests() -> Vec<Request> {
    vec![
        Request::Hello,
        Request::Exec(ExecSpec {
            argv: vec!["sh".into(), "-c".into(), "echo \"ä\"".into()],
            env: vec!["PATH=/bin".into()],
            cwd: "/root".into(),
            uid: 1,
            gid: 2,
            groups: vec![3],
            tty: true,
        }),
        Request::OpenPty { cols: 80, rows: 24, uid: 0, gid: Some(5) },
        Request::OpenPty { cols: 80, rows: 24, uid: 0, gid: None },
        Request::Subscribe,
        Request::Console { force: true },
        Request::ConsoleLog,
        Request::ClearConsoleLog,
        Request::ConsoleResize { cols: 80, rows: 24 },
        Request::Mount { target: "/mnt".into(), create: Create::Dir },
        Request::Unmount { target: "/mnt".into(), remove: false },
        Request::Sessions,
        Request::ReturnLink { name: "eth0".into(), return_as: Some("enp3s0".into()) },
        Request::Files,
        Request::Hold,
        Request::Release,
        Request::InterceptedMounts(InterceptedMounts {
            allowed: vec!["ext4".into()],
            fuse: [("ntfs".into(), "ntfs-3g".into())].into(),
            shift: true,
        }),
    ]
}

fn replies() -> Vec<Reply> {
    vec![
        Reply::Hello { version: 1, name: "c1".into(), init: 42, monitor: 41 },
        Reply::Done,
        Reply::Failed { what: "mounting /mnt".into(), errno: 2, detail: None },
        Reply::Pty { number: 3 },
        Reply::Started { pid: 43 },
        Reply::Exited { status: 137 },
        Reply::Ended(Exit::Exited(0)),
        Reply::Ended(Exit::Killed(9)),
        Reply::Ended(Exit::Halted),
        Reply::Ended(Exit::Rebooted),
        Reply::Sessions(vec![SessionInfo { pid: 43, argv: vec!["sh".into()], attended: false }]),
    ]
}

fn reports() -> Vec<Report> {
    vec![
        Report::Started { init: 42, monitor: 41 },
        Report::Failed(StartFailed { step: "exec".into(), what: "executing".into(), errno: 2, detail: None }),
    ]
}

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    messages: &[T],
    lines: &mut std::str::Lines<'_>,
) {
    for message in messages {
        let line = lines.next().unwrap_or_default();
        assert_eq!(serde_json::to_string(message).expect("written"), line);
        assert_eq!(&serde_json::from_str::<T>(line).expect("read"), message);
    }
}

#[test]
fn messages_are_what_they_were() {
    let mut lines = GOLDEN.lines();
    check(&requests(), &mut lines);
    check(&replies(), &mut lines);
    check(&reports(), &mut lines);
    assert_eq!(lines.next(), None);
}

#[test]
fn what_a_newer_daemon_adds_to_a_message_is_passed_over() {
    let newer = r#"{"exec":{"argv":["true"],"priority":3}}"#;
    let Request::Exec(spec) = serde_json::from_str::<Request>(newer).expect("read") else { panic!("not an exec") };
    assert_eq!(spec, ExecSpec { argv: vec!["true".into()], ..ExecSpec::default() });
    assert!(serde_json::from_str::<Request>(r#""fly""#).is_err());
}

#[test]
fn the_example_of_a_spec_can_be_read() {
    let spec: corten_runtime::Spec = serde_json::from_str(include_str!("../examples/busybox.json")).expect("a spec");
    corten_runtime::spec::check::check(&spec).expect("a good one");
    assert_eq!(spec.idmap.and_then(|map| map.host_uid(5)), Some(1_000_005));
}
