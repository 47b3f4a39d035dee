//! Clients that vanish: what they had under way ends, and nobody after them notices.
#![forbid(unsafe_code)]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use stories::{Daemon, Terminal, story};

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn client(daemon: &Daemon, words: &[&str]) -> Child {
    let mut client = daemon.lxc_command(words);
    client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("lxc was built")
}

fn vanish(mut client: Child) {
    client.kill().expect("it is our child");
    client.wait().expect("it is our child");
}

fn runs_inside(daemon: &Daemon, what: &str) -> bool {
    daemon.lxc(["exec", "c1", "--", "ps"]).ok().lines().any(|line| line.contains(what) && !line.contains("ps"))
}

fn nothing_is_under_way(daemon: &Daemon) -> bool {
    daemon.get("/1.0/operations")["running"].is_null()
}

#[test]
fn whoever_vanishes_takes_along_what_was_under_way() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        // A command that reads, one that only waits, one that writes more than anybody takes.
        for words in [&["cat", "-"][..], &["sleep", "1234"], &["sh", "-c", "while true; do echo much; done"]] {
            let client = client(&daemon, &[&["exec", "c1", "--"], words].concat());
            eventually("the command runs", || runs_inside(&daemon, &words.join(" ")));
            vanish(client);
            eventually(&format!("the end of {words:?}"), || !runs_inside(&daemon, &words.join(" ")));
            eventually("no operation goes on", || nothing_is_under_way(&daemon));
        }
        // With a terminal.
        let mut typist =
            Terminal::open(&daemon, &["exec", "c1", "-t", "--", "sh", "-c", "echo h$((1+1))re; sleep 4321"]);
        typist.until("h2re");
        typist.vanished();
        eventually("the command has ended", || !runs_inside(&daemon, "sleep 4321"));
        // The console is free again for the next.
        for _ in 0..2 {
            let mut typist = Terminal::open(&daemon, &["console", "c1"]);
            typist.until("To detach from the console");
            typist.vanished();
            eventually("no operation goes on", || nothing_is_under_way(&daemon));
        }
        // Whoever waits for an operation is not what the operation waits for.
        let body = serde_json::json!({ "command": ["sleep", "2"], "wait-for-websocket": false }).to_string();
        let answer = daemon.ask("POST", "/1.0/instances/c1/exec", &body);
        let operation = answer.body["operation"].as_str().expect("it is one").to_string();
        vanish(client(&daemon, &["query", &format!("{operation}/wait")]));
        let ended = daemon.get(&format!("{operation}/wait"));
        assert_eq!((ended["status"].as_str(), ended["metadata"]["return"].as_i64()), (Some("Success"), Some(0)));
        daemon.lxc(["delete", "--force", "c1"]).ok();
    });
}
