//! Running commands in a container: status, streams, environment, terminals.
#![forbid(unsafe_code)]

use stories::{Daemon, Host, story};

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.with_pool("dir");
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1"]).ok();
    daemon
}

#[test]
fn status_and_streams_are_kept_apart() {
    story(|host| {
        let daemon = ready(host);
        let ran = daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
        assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (7, "out\n", "err\n"));
        assert_eq!(daemon.lxc(["exec", "c1", "--", "sh", "-c", "kill -9 $$"]).status, 137);
        assert_eq!(daemon.lxc(["exec", "c1", "--", "no-such-program"]).status, 127);
        assert_eq!(daemon.lxc(["exec", "c1", "--", "/etc/passwd"]).status, 126);
        // All bytes pass, and the end of the input arrives.
        let all: Vec<u8> = (0..=255u8).cycle().take(1_000_000).collect();
        let sum = daemon.lxc_with(["exec", "c1", "--", "md5sum"], &all);
        let file = host.folder().join("all");
        std::fs::write(&file, &all).expect("the story's folder is ours");
        let wanted = host.sh("md5sum < all");
        assert_eq!(sum.ok().split_whitespace().next(), wanted.split_whitespace().next());
        assert_eq!(daemon.lxc(["exec", "-n", "c1", "--", "cat"]).ok(), "");
        // A command that closes its output is not finished.
        let silent = daemon.lxc(["exec", "c1", "--", "sh", "-c", "exec >/dev/null 2>&1; usleep 300000; exit 9"]);
        assert_eq!(silent.status, 9);
    });
}

#[test]
fn who_where_and_with_what_environment() {
    story(|host| {
        let daemon = ready(host);
        let id = daemon.lxc(["exec", "c1", "--user", "1000", "--group", "1000", "--", "id"]);
        assert!(id.ok().contains("uid=1000(user) gid=1000(user)"), "{}", id.out);
        assert_eq!(daemon.lxc(["exec", "c1", "--cwd", "/tmp", "--", "pwd"]).ok(), "/tmp\n");
        assert_eq!(daemon.lxc(["exec", "c1", "--", "pwd"]).ok(), "/root\n");
        daemon.lxc(["config", "set", "c1", "environment.FROM=instance"]).ok();
        let env = daemon.lxc(["exec", "c1", "--env", "WITH=command", "--", "env"]);
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
