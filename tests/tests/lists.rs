//! `lxc list`: every column, format, filter and order, as Debian's client prints them from the same daemon.
#![forbid(unsafe_code)]

use stories::{Daemon, Ran, story};

/// What both clients print for this command line. Debian's may not be installed; ours is then only run.
#[track_caller]
fn same(daemon: &Daemon, arguments: &[&str]) -> String {
    let told = |ran: &Ran| (ran.status, ran.out.clone(), ran.err.clone());
    let mut before = daemon.lxc(arguments);
    while let Some(theirs) = daemon.original_lxc(arguments) {
        let after = daemon.lxc(arguments);
        // A packet may pass between two looks; they count when nothing has changed meanwhile.
        if told(&before) == told(&after) {
            assert_eq!(told(&before), told(&theirs), "{arguments:?}");
            break;
        }
        before = after;
    }
    before.out
}

/// Some containers: stopped ones of several kinds, and a frozen one, whose figures stand still between two looks.
fn populated(daemon: &Daemon) {
    daemon.with_pool("dir");
    daemon.import_busybox("busybox");
    daemon.lxc(["network", "create", "br0", "ipv4.address=10.91.0.1/24", "ipv6.address=fd42:1:2:3::1/64"]).ok();
    daemon.lxc(["init", "busybox", "c1", "-c", "user.zoo=a,b \"c\""]).ok();
    daemon.lxc(["init", "busybox", "c2", "-c", "user.zoo=b", "-c", "limits.memory=32MiB", "-d", "root,size=1GiB"]).ok();
    daemon.lxc(["init", "busybox", "e1", "-e"]).ok();
    daemon.lxc(["snapshot", "c1"]).ok();
    daemon.lxc(["launch", "busybox", "r1", "-n", "br0"]).ok();
    daemon.lxc(["exec", "r1", "--", "sh", "-c", "ip link set eth0 up && udhcpc -i eth0 -n -q -t 10"]).ok();
    daemon.lxc(["pause", "r1"]).ok();
}

const COLUMNS: [&str; 37] = [
    "ns4tS",
    "4",
    "6",
    "a",
    "b",
    "c",
    "d",
    "D",
    "e",
    "f",
    "F",
    "l",
    "L",
    "M",
    "n",
    "N",
    "P",
    "p",
    "s",
    "S",
    "t",
    "U",
    "m",
    "46nst",
    "nsaebcdDfFlLMPpStmN",
    "n,user.zoo",
    "n,devices:root.size:SIZE",
    "n,limits.memory:MEM:10",
    "n,user.zoo::3",
    "n,image.os:",
    "n,volatile.eth0.hwaddr",
    "nx",
    "",
    "n,foo",
    "n,user.zoo:X:-1",
    "n,user.zoo:X:a",
    "n,,s",
];

const FILTERS: [&str; 22] = [
    "c1",
    "^c",
    "c1|e1",
    "user.zoo=b",
    "limits.memory=.*",
    "status=running",
    "status=STOPPED",
    "status=frozen",
    "type=container",
    "ipv4=10.91.0.0/24",
    "ipv6=fd42::/16",
    "s=r",
    "architecture=x86_64",
    "name=c2",
    "location=none",
    "nope=1",
    "image.os=Busybox",
    "project=default",
    "[",
    "(a",
    "status=running,stopped",
    "state=stopped",
];

#[test]
fn lists_are_printed_as_the_original_prints_them() {
    story(|host| {
        let daemon = host.daemon();
        populated(&daemon);
        let rows = same(&daemon, &["list", "-c", "ns4tS", "-f", "csv"]);
        assert_eq!(rows.lines().next(), Some("c1,STOPPED,,CONTAINER,1"));
        assert!(rows.contains("r1,FROZEN,10.91.0."), "{rows}");
        for columns in COLUMNS {
            same(&daemon, &["list", "-c", columns]);
            same(&daemon, &["list", "-f", "csv", "-c", columns]);
        }
        for format in ["csv", "json", "yaml", "compact", "table", "foo"] {
            same(&daemon, &["list", "-c", "nst46lNS", "-f", format]);
        }
        for filter in FILTERS {
            same(&daemon, &["list", "-c", "ns", filter]);
        }
        let lines: [&[&str]; 12] = [
            &["list"],
            &["ls", "-c", "n"],
            &["list", "--fast"],
            &["list", "--columns", "ns", "--fast"],
            &["list", "c1", "c2", "-c", "n"],
            &["list", "user.zoo=b", "status=stopped", "-c", "n"],
            &["list", "local:"],
            &["list", "local:c1", "-c", "n"],
            &["list", "nope:"],
            &["list", "--all-projects", "-c", "ens"],
            &["list", "--project", "foo"],
            &["list", "-c", "n", "-f", "csv,noheader"],
        ];
        for line in lines {
            same(&daemon, line);
        }
        daemon.lxc(["delete", "-f", "r1"]).ok();
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn what_is_shown_is_shown_as_the_original_shows_it() {
    story(|host| {
        let daemon = host.daemon();
        populated(&daemon);
        let lines: [&[&str]; 15] = [
            &["info", "c1"],
            &["config", "show", "r1"],
            &["config", "show", "-e", "c2"],
            &["config", "show"],
            &["config", "device", "show", "c2"],
            &["config", "device", "list", "c2"],
            &["profile", "show", "default"],
            &["profile", "list"],
            &["network", "show", "br0"],
            &["network", "list"],
            &["network", "list-leases", "br0"],
            &["storage", "list"],
            &["storage", "show", "default"],
            &["storage", "volume", "list", "default"],
            &["image", "list", "-f", "yaml"],
        ];
        for line in lines {
            let shown = same(&daemon, line);
            assert!(!shown.is_empty(), "{line:?}");
        }
        // Interfaces come in any order there.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
            lines.sort_unstable();
            lines
        };
        let info = daemon.lxc(["info", "r1"]);
        for words in ["Status: FROZEN", "PID: ", "Host interface: veth", "inet:  10.91.0."] {
            assert!(info.ok().contains(words), "{words} is missing in {}", info.out);
        }
        if let Some(theirs) = daemon.original_lxc(["info", "r1"]) {
            let plain = |text: &str| sorted(&text.replace(|any: char| any.is_ascii_digit(), "0"));
            assert_eq!(plain(&info.out).len(), plain(&theirs.out).len(), "{}{}", info.out, theirs.out);
        }
        // Keys are in LXD's order: as text, each part of digits as a number.
        let shown = daemon.lxc(["config", "show", "r1"]).ok().to_string();
        let keys: Vec<&str> =
            shown.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
        assert_eq!(
            keys,
            ["architecture", "config", "devices", "ephemeral", "profiles", "- default", "stateful", "description"]
        );
        let volatile: Vec<&str> =
            shown.lines().filter_map(|line| line.trim().strip_prefix("volatile.")?.split(':').next()).collect();
        let mut sorted = volatile.clone();
        sorted.sort_unstable();
        assert_eq!(volatile, sorted);
        daemon.lxc(["delete", "-f", "r1"]).ok();
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

/// That the list, which is kept, says the same as the one that is made for a filter, and as each instance alone.
#[track_caller]
fn list_is_true(daemon: &Daemon, query: &str) -> serde_json::Value {
    let list = daemon.get(&format!("/1.0/instances?recursion=1{query}"));
    let made = daemon.get(&format!("/1.0/instances?recursion=1{query}&filter=name+ne+nothing"));
    assert_eq!(list, made);
    for one in list.as_array().expect("a list") {
        let (name, project) = (one["name"].as_str().expect("text"), one["project"].as_str().expect("text"));
        assert_eq!(*one, daemon.get(&format!("/1.0/instances/{name}?project={project}")));
    }
    list
}

#[test]
fn the_list_is_true_after_every_change() {
    story(|host| {
        let daemon = host.daemon();
        assert_eq!(list_is_true(&daemon, ""), serde_json::json!([]));
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        let tricky = "user.tricky=\"status\":\"Stopped\",\"status_code\":102";
        let lines: [&[&str]; 17] = [
            &["init", "busybox", "c1"],
            &["init", "busybox", "c2", "-c", tricky],
            &["config", "set", "c2", "user.x=1"],
            &["profile", "set", "default", "user.everyone=1"],
            &["profile", "device", "add", "default", "n", "none"],
            &["start", "c2"],
            &["pause", "c2"],
            &["start", "c2"],
            &["config", "device", "add", "c1", "m", "disk", "source=/etc", "path=/mnt"],
            &["rename", "c1", "c0"],
            &["snapshot", "c0"],
            &["project", "create", "p", "-c", "features.images=false", "-c", "features.profiles=false"],
            &["init", "busybox", "other", "--project", "p"],
            &["exec", "c2", "--", "poweroff"],
            &["stop", "c2", "--force"],
            &["delete", "c0"],
            &["profile", "unset", "default", "user.everyone"],
        ];
        for line in lines {
            let ran = daemon.lxc(line);
            // It may have stopped by itself before.
            if line[0] != "stop" {
                ran.ok();
            }
            list_is_true(&daemon, "");
            list_is_true(&daemon, "&all-projects=true");
        }
        daemon.lxd(["sql", "global", "UPDATE instances SET description = 'by hand'"], b"").ok();
        let list = list_is_true(&daemon, "&project=p");
        assert_eq!((&list[0]["name"], &list[0]["description"]), (&"other".into(), &"by hand".into()));
        assert_eq!(list_is_true(&daemon, "&all-projects=true").as_array().map(Vec::len), Some(2));
        let paths = daemon.get("/1.0/instances?all-projects=true");
        assert_eq!(paths, serde_json::json!(["/1.0/instances/c2", "/1.0/instances/other?project=p"]));
    });
}
