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
            // What is remembered of a container that ends by itself may change at any moment, and with it the ETag.
            let unset = serde_json::json!({"config": {key: ""}}).to_string();
            daemon.lxc(["query", "-X", "PATCH", "-d", &unset, "/1.0/instances/c1"]).ok();
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
        with("security.syscalls.deny_compat", "true");
        daemon.lxc(["start", "c1"]);
        assert_eq!(inside(&daemon, "c1", "echo fine"), "fine");
    });
}

#[test]
fn devices_that_harm_nobody_are_made_for_an_unprivileged_container() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        // By processes of the container's own init, now and again and again.
        host.sh("f=one/storage-pools/default/containers/c1/rootfs
             printf '::respawn:/bin/sh -c \"[ -e /root/beat ] || /bin/busybox mknod /root/beat c 1 3; usleep 100000\"\\n' >> $f/etc/inittab
             mkdir host; chmod 755 host");
        let mknod = |daemon: &Daemon, words: &str| {
            let script = format!("umask 027; busybox mknod {words}");
            daemon.lxc(["exec", "c1", "--", "sh", "-c", &script])
        };
        daemon.lxc(["start", "c1"]).ok();
        assert!(mknod(&daemon, "/root/null c 1 3").refused().contains("Operation not permitted"));
        daemon.lxc(["stop", "-f", "c1"]).ok();
        daemon.lxc(["config", "set", "c1", "security.syscalls.intercept.mknod=true"]).ok();
        let source = format!("source={}", host.folder().join("host").display());
        daemon.lxc(["config", "device", "add", "c1", "host", "disk", "path=/host", &source]).ok();
        daemon.lxc(["start", "c1"]).ok();
        for (path, number) in
            [("/root/null", "1 3"), ("zero", "1 5"), ("/tmp/../root/full", "1 7"), ("/dev/random2", "1 8")]
        {
            mknod(&daemon, &format!("{path} c {number}")).ok();
        }
        assert_eq!(inside(&daemon, "c1", "stat -c '%F %u %g %a' /root/null"), "character special file 0 0 640");
        assert_eq!(inside(&daemon, "c1", "echo gone > /root/null; head -c 3 zero | wc -c"), "3");
        // Nothing that shows the host's memory or disks, nor for those who could not make it of their own.
        for words in ["/root/mem c 1 1", "/root/kmsg c 1 11", "/root/disk b 7 0", "/root/net c 10 200"] {
            assert!(mknod(&daemon, words).refused().contains("Operation not permitted"), "{words}");
        }
        assert!(mknod(&daemon, "/root/null c 1 3").refused().contains("File exists"));
        assert!(mknod(&daemon, "/nowhere/null c 1 3").refused().contains("No such file"));
        assert_ne!(mknod(&daemon, "/host/null c 1 3").status, 0, "the folder is the host's root's");
        let as_user = ["exec", "c1", "--user", "1000", "--", "busybox", "mknod", "/tmp/null", "c", "1", "3"];
        assert_ne!(daemon.lxc(as_user).status, 0, "an ordinary user may not");
        let nested = inside(&daemon, "c1", "busybox unshare -U -r busybox mknod /root/nested c 1 3 2>&1; ls /root");
        assert!(!nested.contains("nested\n") && !host.sh("ls host").contains("null"), "{nested}");
        // No daemon is needed.
        let init = daemon.get("/1.0/instances/c1/state")["pid"].to_string();
        daemon.kill();
        host.sh(&format!(
            "f=/proc/{init}/root/root/beat; rm -f $f; i=0; until test -c $f; do sleep 0.1; i=$((i+1)); [ $i -lt 300 ]; done"
        ));
        daemon.begin();
        mknod(&daemon, "/root/after c 1 9").ok();
        // A crowd is served one after the other.
        inside(
            &daemon,
            "c1",
            "for i in $(seq 100); do busybox mknod /tmp/$i c 1 3 & done; wait; ls /tmp | wc -l | grep -x 100",
        );
    });
}

#[test]
fn marks_of_overlays_and_priorities_are_set_for_an_unprivileged_container() {
    story(|host| {
        if !cfg!(target_arch = "x86_64") || !std::path::Path::new("/usr/bin/perl").exists() {
            println!("skipped: busybox sets no attributes, and the number of the call for perl is that of x86_64");
            return;
        }
        let daemon = host.daemon_on("dir");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        host.sh("cd one/storage-pools/default/containers/c1/rootfs; ln -s usr/lib usr/lib64 .");
        daemon.lxc(["config", "device", "add", "c1", "usr", "disk", "source=/usr", "path=/usr", "readonly=true"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        let mark = |name: &str, value: &str, at: &str| {
            let words = format!("(\"{at}\", \"{name}\", \"{value}\")");
            let call = format!("mkdir -p /root/d; perl -e 'my @w = {words}; exit(syscall(188, @w, 1, 0) ? 1 : 0)'");
            exec(&call)
        };
        let opaque = || mark("trusted.overlay.opaque", "y", "/root/d");
        // sched_setscheduler(2) to SCHED_RR, then sched_getscheduler(2).
        let priority = |user: &str, pid: &str| {
            let of = if pid == "0" { "0" } else { "shift" };
            let script = format!(
                "sleep 60 & perl -e 'my ($p, $o) = (pack(\"i\", 5), {of}); exit 1 if syscall(144, $o + 0, 2, $p); \
                 exit(syscall(145, $o + 0) == 2 ? 0 : 2)' {pid}; r=$?; kill $!; exit $r"
            );
            daemon.lxc(["exec", "c1", "--user", user, "--", "sh", "-c", &script]).status
        };
        assert_eq!(opaque().status, 1);
        assert_eq!((priority("0", "0"), priority("0", "$!")), (1, 1));
        daemon.lxc(["stop", "-f", "c1"]).ok();
        for call in ["setxattr", "sched_setscheduler"] {
            daemon.lxc(["config", "set", "c1", &format!("security.syscalls.intercept.{call}=true")]).ok();
        }
        daemon.lxc(["start", "c1"]).ok();
        opaque().ok();
        let folder = host.folder().join("one/storage-pools/default/containers/c1/rootfs/root/d");
        let mut value = [0; 8];
        assert_eq!(rustix::fs::getxattr(&folder, "trusted.overlay.opaque", &mut value[..]), Ok(1));
        assert_eq!(mark("trusted.other", "y", "/root/d").status, 1);
        assert_eq!(mark("trusted.overlay.opaque", "n", "/root/d").status, 1);
        assert_eq!(mark("trusted.overlay.opaque", "y", "/usr").status, 1, "it is the host's, and read-only");
        mark("user.x", "y", "/root/d").ok();
        // Where groups have shares of their own of real time, those of the story have none yet.
        host.sh("for group in /sys/fs/cgroup/cpu /sys/fs/cgroup/cpu/lxc.payload.c1; do
                   if test -e $group/cpu.rt_runtime_us; then echo 20000 > $group/cpu.rt_runtime_us; fi; done");
        assert_eq!((priority("0", "0"), priority("0", "$!")), (0, 0), "its own, and another's");
        assert_eq!(priority("0", "4000000"), 1, "nobody's");
        assert_eq!(priority("1000", "0"), 1, "an ordinary user may not");
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
