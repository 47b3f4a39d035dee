//! Running commands in a container: status, streams, environment, terminals.
#![forbid(unsafe_code)]

use rustix::process::Signal;
use stories::{Daemon, Host, Terminal, story};

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon_on("dir");
    daemon.lxc(["launch", "busybox", "c1"]).ok();
    daemon
}

/// In an unprivileged and in a privileged container, which commands enter by another way.
fn in_both(story_of: impl Fn(&Host, &Daemon, &str)) {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["launch", "busybox", "p1", "-c", "security.privileged=true"]).ok();
        ["c1", "p1"].iter().for_each(|name| story_of(host, &daemon, name));
    });
}

#[test]
fn status_and_streams_are_kept_apart() {
    in_both(|host, daemon, name| {
        let ran = daemon.lxc(["exec", name, "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
        assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (7, "out\n", "err\n"));
        assert_eq!(daemon.lxc(["exec", name, "--", "sh", "-c", "kill -9 $$"]).status, 137);
        assert_eq!(daemon.lxc(["exec", name, "--", "no-such-program"]).status, 127);
        assert_eq!(daemon.lxc(["exec", name, "--", "/etc/passwd"]).status, 126);
        // All bytes pass, and the end of the input arrives.
        let all: Vec<u8> = (0..=255u8).cycle().take(1_000_000).collect();
        let sum = daemon.lxc_with(["exec", name, "--", "md5sum"], &all);
        let file = host.folder().join("all");
        std::fs::write(&file, &all).expect("the story's folder is ours");
        let wanted = host.sh("md5sum < all");
        assert_eq!(sum.ok().split_whitespace().next(), wanted.split_whitespace().next());
        assert_eq!(daemon.lxc(["exec", "-n", name, "--", "cat"]).ok(), "");
        // A command that closes its output is not finished.
        let silent = daemon.lxc(["exec", name, "--", "sh", "-c", "exec >/dev/null 2>&1; usleep 300000; exit 9"]);
        assert_eq!(silent.status, 9);
    });
}

#[test]
fn who_where_and_with_what_environment() {
    in_both(|_, daemon, name| {
        let id = daemon.lxc(["exec", name, "--user", "1000", "--group", "1000", "--", "id"]);
        assert!(id.ok().contains("uid=1000(user) gid=1000(user)"), "{}", id.out);
        assert_eq!(daemon.lxc(["exec", name, "--cwd", "/tmp", "--", "pwd"]).ok(), "/tmp\n");
        assert_eq!(daemon.lxc(["exec", name, "--", "pwd"]).ok(), "/root\n");
        daemon.lxc(["config", "set", name, "environment.FROM=instance"]).ok();
        let env = daemon.lxc(["exec", name, "--env", "WITH=command", "--", "env"]);
        for line in ["FROM=instance", "WITH=command", "HOME=/root", "USER=root", "LANG=C.UTF-8"] {
            assert!(env.ok().lines().any(|one| one == line), "{line} is missing in {}", env.out);
        }
    });
}

#[test]
fn a_terminal_is_there_when_asked_for() {
    story(|host| {
        let daemon = ready(host);
        let tty = daemon.lxc(["exec", "-t", "c1", "--", "tty"]);
        assert!(tty.ok().contains("/dev/pts/"), "{}", tty.out);
        let none = daemon.lxc(["exec", "-T", "c1", "--", "tty"]);
        assert_ne!(none.status, 0);
        let stopped = daemon.lxc(["stop", "c1", "--force"]);
        stopped.ok();
        assert!(daemon.lxc(["exec", "c1", "--", "true"]).refused().contains("Instance is not running"));
    });
}

#[test]
fn a_terminal_has_the_clients_size_and_hears_of_changes() {
    in_both(|_, daemon, name| {
        let script = "trap 'echo changed; stty size' WINCH; stty size; echo ready; while :; do usleep 50000; done";
        let mut shell = Terminal::open(daemon, &["exec", name, "--", "sh", "-c", script]);
        shell.until("24 80");
        shell.until("ready");
        shell.resize(111, 44);
        shell.until("changed");
        shell.until("44 111");
        shell.kind("\u{3}");
        assert_eq!(shell.ended(), 130);
    });
}

#[test]
fn signals_to_the_client_reach_the_command() {
    story(|host| {
        let daemon = ready(host);
        let script = "trap 'echo got usr1' USR1; trap 'echo got quit' QUIT; trap 'echo got term; exit 3' TERM
                      echo ready; while :; do usleep 50000; done";
        let mut command = Terminal::open(&daemon, &["exec", "c1", "--", "sh", "-c", script]);
        command.until("ready");
        command.signal(Signal::QUIT);
        command.until("got quit");
        command.signal(Signal::USR1);
        command.until("got usr1");
        command.signal(Signal::TERM);
        command.until("got term");
        assert_eq!(command.ended(), 3);
    });
}

#[test]
fn the_mode_decides_whether_there_is_a_terminal() {
    story(|host| {
        let daemon = ready(host);
        let tty = |flags: &[&str]| {
            let words =
                ["exec"].iter().chain(flags).chain(&["c1", "--", "sh", "-c", "tty; test -t 1 && echo on || echo off"]);
            daemon.lxc(words).ok().to_string()
        };
        for (flags, on) in [
            (["--mode", "interactive"].as_slice(), true),
            (&["--mode", "non-interactive"], false),
            (&["--mode=auto"], false),
            (&["-t"], true),
            (&["-T"], false),
            (&["--force-interactive"], true),
            (&["--force-noninteractive"], false),
        ] {
            assert_eq!(tty(flags).contains("on"), on, "{flags:?}");
        }
        let both = daemon.lxc(["exec", "-t", "-T", "c1", "--", "true"]);
        assert!(both.refused().contains("You can't pass -t and -T at the same time"), "{}", both.err);
        // Without its input a command reads nothing, and on a terminal nothing is typed to it.
        assert_eq!(daemon.lxc_with(["exec", "-n", "c1", "--", "cat"], b"typed").ok(), "");
        assert_eq!(daemon.lxc_with(["exec", "--disable-stdin", "c1", "--", "cat"], b"typed").ok(), "");
        assert_eq!(daemon.lxc_with(["exec", "c1", "--", "cat"], b"typed").ok(), "typed");
    });
}

#[test]
fn the_end_of_a_command_is_told_by_its_status() {
    in_both(|_, daemon, name| {
        let status = |words: &[&str]| daemon.lxc(["exec", name, "--"].iter().chain(words)).status;
        assert_eq!((status(&["true"]), status(&["false"])), (0, 1));
        for code in [2, 42, 125, 255] {
            assert_eq!(status(&["sh", "-c", &format!("exit {code}")]), code);
        }
        assert_eq!(
            (status(&["nope"]), status(&["/nope"]), status(&["/etc"]), status(&["/etc/passwd"])),
            (127, 127, 126, 126)
        );
        for signal in [1, 2, 9, 15] {
            assert_eq!(status(&["sh", "-c", &format!("kill -{signal} $$; sleep 5")]), 128 + signal);
        }
        // The same where it ends on a terminal.
        assert_eq!(daemon.lxc(["exec", "-t", name, "--", "sh", "-c", "exit 7"]).status, 7);
        assert_eq!(daemon.lxc(["exec", "-t", name, "--", "sh", "-c", "kill -9 $$"]).status, 137);
    });
}

/// Threads that the daemon has.
fn threads(daemon: &Daemon) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).expect("it runs").count()
}

#[test]
fn what_waits_holds_no_thread() {
    const MANY: usize = 100;
    story(|host| {
        let daemon = ready(host);
        let exec = |websockets: bool| {
            let body = format!(
                r#"{{"command": ["cat"], "environment": {{}}, "interactive": false, "wait-for-websocket": {websockets}}}"#
            );
            let answer = daemon.ask("POST", "/1.0/instances/c1/exec", &body);
            assert_eq!(answer.code, 202, "{answer:?}");
            answer.body
        };
        let before = threads(&daemon);
        let mut open = Vec::new();
        for _ in 0..MANY {
            let started = exec(true);
            let operation = started["operation"].as_str().expect("a path").to_string();
            let secrets = started["metadata"]["metadata"]["fds"].as_object().expect("secrets").clone();
            let socket = |name: &str| daemon.websocket(&operation, secrets[name].as_str().expect("text"));
            open.push((operation.clone(), ["control", "0", "1", "2"].map(socket)));
        }
        // Each runs: what is sent comes back.
        for (_, [_, input, output, _]) in &mut open {
            input.send("hello");
            output.until("hello");
        }
        let waiting: Vec<_> = open
            .iter()
            .map(|(operation, _)| {
                let mut waiting = std::os::unix::net::UnixStream::connect(daemon.dir.join("unix.socket")).expect("up");
                let line = format!("GET {operation}/wait HTTP/1.1\r\nHost: lxd\r\n\r\n");
                std::io::Write::write_all(&mut waiting, line.as_bytes()).expect("it reads");
                waiting
            })
            .collect();
        // Those who took up many questions at once go home when none has come for seconds.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let mut during = threads(&daemon);
        while during > before + 8 && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(250));
            during = threads(&daemon);
        }
        assert!(during <= before + 8, "{before} threads became {during}, with {MANY} commands and as many waiting");
        assert_eq!(waiting.len(), MANY);
        daemon.lxc(["stop", "c1", "--force"]).ok();
    });
}
