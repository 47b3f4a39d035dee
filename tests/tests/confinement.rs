//! System calls, capabilities and raw keys: what the configuration says is what is found inside.
#![forbid(unsafe_code)]

use stories::{Daemon, story};

fn inside(daemon: &Daemon, name: &str, script: &str) -> String {
    daemon.lxc(["exec", name, "--", "sh", "-c", script]).ok().trim().to_string()
}

fn status(daemon: &Daemon, name: &str, key: &str) -> String {
    let line = inside(daemon, name, &format!("grep {key}: /proc/1/status"));
    line.split_whitespace().last().unwrap_or_default().to_string()
}

#[test]
fn policies_of_system_calls_act() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        assert_eq!(status(&daemon, "c1", "Seccomp"), "2", "a filter is on");
        let with = |key: &str, value: &str| {
            daemon.lxc(["config", "set", "c1", &format!("{key}={value}")]).ok();
            daemon.lxc(["stop", "--force", "c1"]);
            let started = daemon.lxc(["start", "c1"]);
            daemon.lxc(["config", "unset", "c1", key]).ok();
            started
        };
        with("security.syscalls.deny_default", "false").ok();
        assert_eq!(status(&daemon, "c1", "Seccomp"), "0", "no filter is on");
        for key in ["security.syscalls.deny", "security.syscalls.blacklist"] {
            with(key, "mkdir errno 1\nmkdirat errno 1").ok();
            let refused = daemon.lxc(["exec", "c1", "--", "mkdir", "/root/new"]);
            assert!(refused.err.contains("Operation not permitted"), "{key}: {refused:?}");
        }
        with("raw.seccomp", "2\ndenylist\n[all]\nmkdir errno 13\nmkdirat errno 13").ok();
        let refused = daemon.lxc(["exec", "c1", "--", "mkdir", "/root/new"]);
        assert!(refused.err.contains("Permission denied"), "{refused:?}");
        // Nothing but a few calls: not enough for an init, whose start fails or ends at once.
        let started = with("security.syscalls.allow", "read\nwrite");
        assert!(started.status != 0 || daemon.get("/1.0/instances/c1")["status"] != "Running", "{started:?}");
        assert!(with("security.syscalls.deny", "no such line at all").status != 0);
        assert!(with("security.syscalls.intercept.mknod", "true").err.contains("doesn't support seccomp notify"));
        with("security.syscalls.deny_compat", "true");
        daemon.lxc(["start", "c1"]);
        assert_eq!(inside(&daemon, "c1", "echo fine"), "fine");
    });
}

#[test]
fn capabilities_are_those_that_the_keys_leave() {
    const SYS_MODULE: u64 = 1 << 16;
    const SYS_TIME: u64 = 1 << 25;
    const MAC_ADMIN: u64 = 1 << 33;
    const NET_RAW: u64 = 1 << 13;
    story(|host| {
        let daemon = host.daemon_on("dir");
        let bounding = |name: &str| u64::from_str_radix(&status(&daemon, name, "CapBnd"), 16).expect("proc(5)");
        daemon.lxc(["launch", "busybox", "p1", "-c", "security.privileged=true"]).ok();
        assert_eq!(bounding("p1") & (SYS_MODULE | SYS_TIME | MAC_ADMIN), 0);
        assert_ne!(bounding("p1") & NET_RAW, 0);
        let exec = inside(&daemon, "p1", "grep CapEff: /proc/self/status");
        let exec = u64::from_str_radix(exec.split_whitespace().last().unwrap_or_default(), 16).expect("proc(5)");
        assert_eq!(exec & SYS_MODULE, 0, "a command has no more than init");
        daemon.lxc(["launch", "busybox", "c1", "-c", "raw.lxc=lxc.cap.drop = net_raw"]).ok();
        assert_eq!(bounding("c1") & NET_RAW, 0);
        // In a user namespace the rest means nothing outside.
        assert_ne!(bounding("c1") & SYS_MODULE, 0);
        // A device that nobody opened.
        let made = inside(&daemon, "p1", "mknod /root/mem c 1 1; head -c 1 /root/mem 2>&1 || true");
        assert!(made.contains("not permitted"), "{made}");
    });
}

#[test]
fn ids_are_mapped_as_raw_idmap_says() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["config", "set", "c1", "raw.idmap=both 1000 1000"]).ok();
        let started = daemon.lxc(["start", "c1"]);
        if started.status != 0 {
            // Where /etc/subuid does not give root that id, LXD refuses as well.
            assert!(started.err.contains("idmap") || started.err.contains("map"), "{started:?}");
            return;
        }
        let map = inside(&daemon, "c1", "cat /proc/self/uid_map");
        assert!(map.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == ["1000", "1000", "1"]), "{map}");
        daemon.lxc(["config", "set", "c1", "raw.idmap=nonsense"]).refused();
    });
}

#[test]
fn nesting_shows_proc_and_sys_to_the_container_in_the_container() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "n1", "-c", "security.nesting=true"]).ok();
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        assert_eq!(inside(&daemon, "n1", "ls /dev/.lxc | sort | tr '\\n' ' '"), "proc sys");
        assert_eq!(inside(&daemon, "c1", "ls /dev/.lxc 2>/dev/null | wc -l"), "0");
    });
}

#[test]
fn modules_of_the_kernel_that_are_not_there_keep_a_container_from_starting() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let there = host.sh("ls /sys/module | head -1").trim().to_string();
        daemon.lxc(["init", "busybox", "c1", "-c", &format!("linux.kernel_modules={there}, no_such_module")]).ok();
        let refused = daemon.lxc(["start", "c1"]);
        assert!(refused.refused().contains("Failed to load kernel module 'no_such_module'"), "{}", refused.err);
        daemon.lxc(["config", "set", "c1", "linux.kernel_modules", &there]).ok();
        daemon.lxc(["start", "c1"]).ok();
        let refused = daemon.lxc(["config", "set", "c1", "linux.kernel_modules=no_such_module"]);
        assert!(refused.refused().contains("Failed to load kernel module"), "{}", refused.err);
        assert_eq!(daemon.lxc(["config", "get", "c1", "linux.kernel_modules"]).ok(), format!("{there}\n"));
    });
}
