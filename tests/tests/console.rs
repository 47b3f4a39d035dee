//! The console: typed at, left, shown afterwards, and held by one client at a time.
#![forbid(unsafe_code)]

use stories::{Daemon, Host, Terminal, story};

const HINT: &str = "To detach from the console, press: <ctrl>+a q";

/// A container whose console is a shell.
fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon_on("dir");
    daemon.lxc(["init", "busybox", "c1"]).ok();
    host.sh("f=$(ls -d one/storage-pools/default/containers/c1/rootfs); printf 'console::respawn:/bin/sh\\n' > $f/etc/inittab");
    daemon.lxc(["start", "c1"]).ok();
    daemon
}

/// A client at the console, who has seen that what is typed is done: the sum of 20 and `more`, after a word.
fn attached(daemon: &Daemon, word: &str, more: u32) -> Terminal {
    let mut client = Terminal::open(daemon, &["console", "c1"]);
    client.until(HINT);
    client.kind(&format!("echo {word} $((20+{more}))\n"));
    client.until(&format!("{word} {}", 20 + more));
    client
}

#[test]
fn the_console_is_used_left_and_taken_up_again() {
    story(|host| {
        let daemon = ready(host);
        for turn in ["first", "second"] {
            let mut console = Terminal::open(&daemon, &["console", "c1"]);
            console.until(HINT);
            console.kind(&format!("echo {turn} $((20+1)); stty size\n"));
            console.until(&format!("{turn} 21"));
            console.until("24 80");
            console.kind_escape();
            assert_eq!(console.ended(), 0);
        }
        let log = daemon.lxc(["console", "c1", "--show-log"]);
        assert!(log.ok().contains("first 21") && log.out.contains("second 21"), "{}", log.out);
    });
}

#[test]
fn a_second_client_is_refused_unless_by_force() {
    story(|host| {
        let daemon = ready(host);
        let mut first = attached(&daemon, "here", 1);
        let mut second = Terminal::open(&daemon, &["console", "c1"]);
        second.until("Failed to attach to the console: somebody is attached to it already");
        assert_eq!(second.ended(), 1);
        // The first one has noticed nothing.
        first.kind("echo still $((20+2))\n");
        first.until("still 22");
        first.kind_escape();
        assert_eq!(first.ended(), 0);
        let mut third = attached(&daemon, "now", 3);
        third.kind_escape();
        assert_eq!(third.ended(), 0);
    });
}

#[test]
fn by_force_the_console_goes_to_whoever_asks_last() {
    story(|host| {
        let daemon = ready(host);
        let first = attached(&daemon, "here", 1);
        // What `lxc console` of 5.0.2 cannot ask for: the client library's request, with one more field.
        let answer = daemon.ask("POST", "/1.0/instances/c1/console", r#"{"width":90,"height":30,"force":true}"#);
        assert_eq!(answer.code, 202, "{:?}", answer.body);
        let operation = answer.body["operation"].as_str().expect("an operation").to_string();
        let secret =
            |name: &str| answer.body["metadata"]["metadata"]["fds"][name].as_str().expect("a secret").to_string();
        let control = daemon.websocket(&operation, &secret("control"));
        let mut second = daemon.websocket(&operation, &secret("0"));
        // The first client is sent away, and says so by ending.
        first.ended();
        second.send("stty size; echo mine $((20+2))\n");
        second.until("30 90");
        second.until("mine 22");
        let mut third = Terminal::open(&daemon, &["console", "c1"]);
        third.until("somebody is attached to it already");
        assert_eq!(third.ended(), 1);
        // Whoever lets go of the control websocket has left.
        drop(control);
        second.until_closed();
        let mut fourth = attached(&daemon, "mine", 3);
        fourth.kind_escape();
        assert_eq!(fourth.ended(), 0);
        let log = daemon.lxc(["console", "c1", "--show-log"]);
        for words in ["here 21", "mine 22", "mine 23"] {
            assert!(log.ok().contains(words), "{words} is not in {}", log.out);
        }
    });
}

#[test]
fn what_is_no_console_is_refused() {
    story(|host| {
        let daemon = ready(host);
        for (body, words) in [
            (r#"{"type":"vga"}"#, "VGA console is only supported by virtual machines"),
            (r#"{"type":"what"}"#, "Unknown console type \"what\""),
        ] {
            let answer = daemon.ask("POST", "/1.0/instances/c1/console", body);
            assert_eq!((answer.code, answer.error()), (400, words));
        }
        assert_eq!(daemon.ask("POST", "/1.0/instances/nope/console", "{}").code, 404);
        daemon.lxc(["stop", "c1", "--force"]).ok();
        let stopped = daemon.ask("POST", "/1.0/instances/c1/console", "{}");
        assert_eq!((stopped.code, stopped.error()), (400, "Instance is not running"));
        // What the last run has shown can still be read.
        daemon.lxc(["console", "c1", "--show-log"]).ok();
    });
}
