//! Processes run in a container.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use corten_runtime::spec::ExecSpec;

use crate::harness::{Said, Scratch, pipe, run, sh};

fn spec(argv: &[&str]) -> ExecSpec {
    let argv = argv.iter().map(|word| word.to_string()).collect();
    ExecSpec { argv, env: vec!["PATH=/bin:/sbin".to_string(), "COLOUR=red".to_string()], ..ExecSpec::default() }
}

#[test]
fn input_output_and_status_are_those_of_the_process() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let bytes: Vec<u8> = (0..=255u8).cycle().take(300_000).filter(|byte| *byte < 128).collect();
    let said = run(&container, &spec(&["cat"]), &bytes);
    assert_eq!((said.status, said.out.as_bytes()), (0, bytes.as_slice()));
    assert_eq!(
        sh(&container, "echo out; echo err >&2; exit 42"),
        Said { status: 42, out: "out\n".into(), err: "err\n".into() }
    );
    assert_eq!(sh(&container, "kill -9 $$").status, 137);
    for (argv, status) in [
        (&["no-such-program"][..], 127),
        (&["/no/such/program"], 127),
        (&["/etc/passwd"], 126),
        (&["/etc"], 126),
        (&["true"], 0),
        (&["false"], 1),
    ] {
        assert_eq!(run(&container, &spec(argv), b"").status, status, "{argv:?}");
    }
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn user_group_environment_and_directory_are_as_asked() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let mut asked = spec(&["sh", "-c", "id; pwd; echo $COLOUR; env | wc -l; cat /proc/self/cgroup | grep -v ':/$'"]);
    asked.uid = 1000;
    asked.gid = 100;
    asked.groups = vec![5, 6];
    asked.cwd = "/etc".into();
    let said = run(&container, &asked, b"");
    assert!(said.out.starts_with("uid=1000 gid=100 groups=5,6\n/etc\nred\n"), "{said:?}");
    asked.cwd = "/no/such".into();
    let (null, _keep) = pipe();
    let refused = container.exec(&asked, [null.as_fd(); 3], &[]).expect_err("no such directory");
    assert_eq!(refused.to_string(), "going to /no/such: No such file or directory");
    asked.cwd = "/".into();
    asked.uid = 70_000;
    let refused = container.exec(&asked, [null.as_fd(); 3], &[]).expect_err("no such user");
    assert!(refused.to_string().starts_with("becoming user 70000: "), "{refused}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_terminal_is_the_containers_own() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let pty = container.open_pty(123, 45, 1000, None).expect("a terminal");
    let mut asked = spec(&["sh", "-c", "tty; stty size; stat -c %u:%g $(tty); echo ready; sleep 1000"]);
    asked.tty = true;
    let slave = pty.slave.as_fd();
    let mut session = container.exec(&asked, [slave; 3], &[pty.master.as_fd()]).expect("run");
    drop(pty.slave);
    let mut master = std::fs::File::from(pty.master);
    let mut shown = String::new();
    while !shown.contains("ready") {
        let mut buffer = [0u8; 256];
        let count = master.read(&mut buffer).expect("output");
        shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    let wanted = format!("/dev/pts/{}\r\n45 123\r\n1000:5\r\nready", pty.number);
    assert!(shown.starts_with(&wanted), "{shown:?}");
    // The terminal is the controlling one: ctrl+c reaches the process.
    master.write_all(b"\x03").expect("typed");
    assert_eq!(session.wait().expect("a status"), 130);
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_command_line_larger_than_a_packet_arrives_whole() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let long = "x".repeat(120_000);
    let mut asked = spec(&["sh", "-c", "echo $#; printf %s \"$1\" | wc -c", "sh", &long]);
    asked.env.push(format!("LONG={}", "y".repeat(100_000)));
    assert_eq!(run(&container, &asked, b"").out, "1\n120000\n");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn those_that_run_when_the_container_ends_are_told() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let (null, _keep) = pipe();
    let mut sessions: Vec<_> =
        (0..5).map(|_| container.exec(&spec(&["sleep", "1000"]), [null.as_fd(); 3], &[]).expect("run")).collect();
    container.kill().expect("killed");
    for session in &mut sessions {
        assert_eq!(session.wait().expect("a status"), 137);
    }
    watch.wait().expect("ended");
}

#[test]
fn signals_reach_it() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let (null, _keep) = pipe();
    let mut session = container.exec(&spec(&["sleep", "1000"]), [null.as_fd(); 3], &[]).expect("run");
    assert!(session.pid() > 1);
    session.signal(15).expect("signalled");
    assert_eq!(session.wait().expect("a status"), 143);
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn it_goes_on_when_the_daemon_is_gone() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let (null, _keep) = pipe();
    let (out_read, out_write) = pipe();
    // More than a pipe holds: without somebody who reads it would stand still, without a reader it would be killed.
    let script = "seq 1 50000; echo through > /tmp/through; sleep 1000";
    let argv = ["sh", "-c", script];
    let session = container
        .exec(&spec(&argv), [null.as_fd(), out_write.as_fd(), out_write.as_fd()], &[out_read.as_fd()])
        .expect("run");
    let pty = container.open_pty(80, 24, 0, None).expect("a terminal");
    let mut on_terminal = spec(&["sh", "-c", "seq 1 50000; echo through > /tmp/through2; sleep 1000"]);
    on_terminal.tty = true;
    let second = container.exec(&on_terminal, [pty.slave.as_fd(); 3], &[pty.master.as_fd()]).expect("run");
    // The daemon dies: all of its descriptors are closed.
    drop((session, second, out_read, out_write, pty, container));
    let again = corten_runtime::Container::find(&scratch.run_dir()).expect("found").expect("running");
    let both = || ["tmp/through", "tmp/through2"].iter().all(|file| scratch.root().join(file).exists());
    for _ in 0..200 {
        if both() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(both(), "{:?}", again.sessions());
    let sessions = again.sessions().expect("sessions");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert!(sessions.iter().all(|session| !session.attended && session.argv[0] == "sh"), "{sessions:?}");
    again.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn nothing_of_the_host_is_within_its_reach() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let said = sh(
        &container,
        "ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; readlink /proc/1/exe; readlink /proc/self/exe",
    );
    assert_eq!(said.out, "4\n0\n/bin/busybox\n/bin/busybox\n", "{said:?}");
    // A program that is really a link to the monitor: it may run, but not be written to.
    std::os::unix::fs::symlink("/proc/self/exe", scratch.root().join("bin/evil")).expect("a link");
    let said = run(&container, &spec(&["/bin/evil", "run", "/x"]), b"");
    assert_ne!(said.status, 0);
    let monitor = format!("/proc/{}/exe", container.monitor_pid());
    let refused = std::fs::OpenOptions::new().write(true).open(monitor).expect_err("read-only");
    assert!(
        [rustix::io::Errno::ROFS, rustix::io::Errno::TXTBSY]
            .iter()
            .any(|errno| refused.raw_os_error() == Some(errno.raw_os_error())),
        "{refused}"
    );
    let status = std::fs::read_to_string(format!("/proc/{}/status", container.monitor_pid())).expect("a status");
    assert!(status.contains("Threads:\t1\n"), "{status}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}
