//! Mounts and programs about devices that are made in the place of an unprivileged container's root.
#![forbid(unsafe_code)]

use stories::{Daemon, Host, Ran, story};

/// A loop device, until this is dropped.
struct Loop<'a> {
    host: &'a Host,
    path: String,
}

impl<'a> Loop<'a> {
    /// With the file `image` of the story's folder.
    fn of(host: &'a Host, image: &str) -> Loop<'a> {
        Loop { host, path: host.sh(&format!("losetup --find --show {image}")).trim().to_string() }
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().expect("a path")
    }

    /// Hands it to a container.
    fn give(&self, daemon: &Daemon, name: &str) {
        let source = format!("source={}", self.path);
        daemon.lxc(["config", "device", "add", name, self.name(), "unix-block", &source, "mode=0660"]).ok();
    }
}

impl Drop for Loop<'_> {
    fn drop(&mut self) {
        self.host.sh(&format!("losetup --detach {}", self.path));
    }
}

fn sh(daemon: &Daemon, name: &str, script: &str) -> Ran {
    daemon.lxc(["exec", name, "--", "sh", "-c", script])
}

/// What a script says that must succeed.
#[track_caller]
fn told(daemon: &Daemon, name: &str, script: &str) -> String {
    sh(daemon, name, script).ok().to_string()
}

/// That something failed, for this reason.
#[track_caller]
fn fails(ran: &Ran, why: &str) {
    assert!(ran.status != 0 && ran.err.contains(why), "{why:?} was to be the reason: {ran:?}");
}

fn set(daemon: &Daemon, name: &str, key: &str, value: &str) {
    daemon.lxc(["config", "set", name, &format!("security.syscalls.intercept.{key}={value}")]).ok();
}

/// An ext4 with a file of the host's root, one of the root of container `c1`, which runs, and a node that must mean nothing.
fn image(host: &Host, daemon: &Daemon) {
    let init = &daemon.get("/1.0/instances/c1/state")["pid"];
    host.sh(&format!(
        "read inside outside count < /proc/{init}/uid_map
         mkdir tree; touch tree/theirs tree/own; chown $outside:$outside tree/own; mknod -m 666 tree/disk b 7 0
         truncate -s 16M disk.img; mkfs.ext4 -q -d tree disk.img",
    ));
}

#[test]
fn file_systems_on_block_devices_are_mounted_for_an_unprivileged_container() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        image(host, &daemon);
        let disk = Loop::of(host, "disk.img");
        let path = disk.path.as_str();
        disk.give(&daemon, "c1");
        let mount = |words: &str, at: &str| sh(&daemon, "c1", &format!("mkdir -p {at}; mount {words} {path} {at}"));
        fails(&mount("-t ext4", "/mnt/a"), "ermission denied");
        set(&daemon, "c1", "mount", "true");
        set(&daemon, "c1", "mount.allowed", "ext4");
        daemon.lxc(["restart", "-f", "c1"]).ok();
        mount("-t ext4", "/mnt/a").ok();
        // It is there, inside only, under the name that it was asked for.
        let shown = told(&daemon, "c1", "grep ' /mnt/a ' /proc/mounts");
        assert!(shown.starts_with(&format!("{path} /mnt/a ext4 rw,nodev,relatime")), "{shown}");
        assert!(!std::fs::read_to_string("/proc/mounts").expect("proc").contains("/mnt/a"));
        // Ids are as on the disk: without a shift the host's root is nobody.
        assert_eq!(sh(&daemon, "c1", "stat -c %u /mnt/a/theirs /mnt/a/own").ok(), "65534\n0\n");
        sh(&daemon, "c1", "umount /mnt/a").ok();
        // What flags say is so.
        mount("-t ext4 -o ro,noexec,nosuid", "/mnt/a").ok();
        let shown = told(&daemon, "c1", "grep ' /mnt/a ' /proc/mounts");
        assert!(shown.contains(" ext4 ro,nosuid,nodev,noexec,relatime"), "{shown}");
        sh(&daemon, "c1", "umount /mnt/a").ok();
        // The kernel's own words for what it does not want.
        fails(&mount("-t ext4 -o no_such_option", "/mnt/a"), "nvalid argument");
        fails(&sh(&daemon, "c1", "mount -t ext4 /dev/nothing /mnt"), "No such file");
        fails(&sh(&daemon, "c1", "mount -t ext4 /dev/null /mnt"), "lock device required");
        fails(&sh(&daemon, "c1", &format!("mount -t ext4 {path} /nowhere")), "No such file");
        fails(&mount("-t xfs", "/mnt/a"), "ermission denied");
        // What it could mount all along it still can, and no more.
        sh(&daemon, "c1", "mount -t tmpfs tmpfs /mnt && umount /mnt && mount -o bind /root /mnt && umount /mnt").ok();
    });
}

/// Calls that a shell cannot make; see its first lines.
const PROBE: &str = include_str!("../probes/intercept.c");

/// Builds the probe, and puts it into a container.
fn probe(host: &Host, daemon: &Daemon, name: &str, at: &str) {
    std::fs::write(host.folder().join("intercept.c"), PROBE).expect("the story's folder is ours");
    host.sh("gcc -static -O1 -o intercept intercept.c -lpthread");
    let program = host.folder().join("intercept").display().to_string();
    daemon.lxc(["file", "push", &program, &format!("{name}{at}"), "--mode", "0755", "--create-dirs"]).ok();
}

/// Runs it, and gives what it says.
#[track_caller]
fn say(daemon: &Daemon, name: &str, words: &[&str]) -> String {
    daemon.lxc([&["exec", name, "--", "/root/probe"][..], words].concat()).ok().to_string()
}

/// That all lines of some names are done, and all others refused.
#[track_caller]
fn must_be(said: &str, done: &[&str]) {
    for line in said.lines() {
        let (what, how) = line.split_once(": ").expect("a line of the probe");
        assert_eq!(how == "DONE", done.contains(&what), "{line}\nall: {said}");
    }
    assert!(done.iter().all(|what| said.contains(&format!("{what}: DONE"))), "{said}");
}

#[test]
fn mounts_have_the_containers_ids_where_it_is_wanted_at_once_and_without_a_daemon() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1", "-c", "security.syscalls.intercept.mount=true"]).ok();
        image(host, &daemon);
        let disk = Loop::of(host, "disk.img");
        let path = disk.path.as_str();
        disk.give(&daemon, "c1");
        let mount = |daemon: &Daemon| sh(daemon, "c1", &format!("mount -t ext4 {path} /mnt"));
        fails(&mount(&daemon), "ermission denied");
        set(&daemon, "c1", "mount.allowed", "xfs,ext4");
        set(&daemon, "c1", "mount.shift", "true");
        mount(&daemon).ok();
        assert_eq!(sh(&daemon, "c1", "stat -c %u /mnt/theirs").ok(), "0\n");
        sh(&daemon, "c1", "echo new > /mnt/new; stat -c %u /mnt/new; umount /mnt").ok();
        host.sh(&format!("mount -o ro {path} tree; stat -c %u tree/new | grep -x 0; umount tree"));
        // It is a process of the container's own that mounts it when no daemon is there.
        let init = daemon.get("/1.0/instances/c1/state")["pid"].to_string();
        sh(&daemon, "c1", &format!("(sleep 3; mount -t ext4 {path} /mnt) > /dev/null 2>&1 &")).ok();
        daemon.kill();
        host.sh(&format!(
            "i=0; until test -e /proc/{init}/root/mnt/new; do sleep 0.1; i=$((i+1)); [ $i -lt 300 ]; done"
        ));
        daemon.begin();
        sh(&daemon, "c1", "umount /mnt").ok();
        set(&daemon, "c1", "mount.allowed", "xfs");
        fails(&mount(&daemon), "ermission denied");
        daemon.lxc(["config", "set", "c1", "security.syscalls.intercept.mount.fuse=xfs=a"]).refused();
        // A container that ends while something is mounted in it lets go of it.
        set(&daemon, "c1", "mount.allowed", "ext4");
        mount(&daemon).ok();
        daemon.lxc(["stop", "-f", "c1"]).ok();
        host.sh(&format!(
            "i=0; until fsck.ext4 -fn {path} > /dev/null; do sleep 0.1; i=$((i+1)); [ $i -lt 100 ]; done"
        ));
    });
}

#[test]
fn a_hostile_root_has_no_more_of_mounts_than_he_is_given() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1", "-c", "security.syscalls.intercept.mount=true"]).ok();
        image(host, &daemon);
        host.sh("mkdir secret share; touch secret/hidden; truncate -s 4M hidden.img; mkfs.ext4 -q -d secret hidden.img
             head -c 4M /dev/urandom > bad.img");
        let (disk, hidden, bad) = (Loop::of(host, "disk.img"), Loop::of(host, "hidden.img"), Loop::of(host, "bad.img"));
        let minor = hidden.path.trim_start_matches("/dev/loop");
        // A node that the container can see and not open.
        host.sh(&format!("chmod 755 share; mknod -m 600 share/hidden b 7 {minor}"));
        let source = format!("source={}", host.folder().join("share").display());
        set(&daemon, "c1", "mount.allowed", "ext4");
        daemon.lxc(["config", "device", "add", "c1", "share", "disk", "path=/share", &source]).ok();
        disk.give(&daemon, "c1");
        bad.give(&daemon, "c1");
        probe(host, &daemon, "c1", "/root/probe");
        sh(&daemon, "c1", "mkdir /a /b /many").ok();
        let (own, other) = (disk.path.as_str(), "/share/hidden");
        fails(&sh(&daemon, "c1", &format!("mount -t ext4 {other} /a")), "ermission denied");
        fails(&sh(&daemon, "c1", &format!("mount -t ext4 {} /a", bad.path)), "nvalid argument");
        must_be(&say(&daemon, "c1", &["more", own, "/a"]), &["mount"]);
        for (which, one, two) in [("source", own, other), ("target", "/a", "/b"), ("kind", "ext4", "proc")] {
            let said = say(&daemon, "c1", &["race", which, one, two, own, "/a"]);
            assert!(said.ends_with(" 0 bad\n") && !said.contains(" 0 done"), "{said}");
            print!("{said}");
        }
        let said = say(&daemon, "c1", &["links", own, other, "/a"]);
        assert!(said.ends_with(" 0 bad\n") && !said.contains(" 0 done"), "{said}");
        must_be(&say(&daemon, "c1", &["die", own, "/a"]), &["after"]);
        must_be(&say(&daemon, "c1", &["signals", own, "/a"]), &["signals"]);
        must_be(&say(&daemon, "c1", &["many", own, "/many"]), &["many"]);
        assert_eq!(sh(&daemon, "c1", "grep -c ext4.*/a /proc/mounts || true").ok(), "0\n");
        // An image that names another device of the host as its journal's.
        host.sh(&format!(
            "mke2fs -q -O journal_dev -b 1024 {}; truncate -s 16M linked.img; mkfs.ext4 -q -b 1024 -J device={} linked.img",
            hidden.path, hidden.path
        ));
        let linked = Loop::of(host, "linked.img");
        linked.give(&daemon, "c1");
        let mount = format!("mount -t ext4 {} /a", linked.path);
        host.sh(&format!("mount {} share && umount share", linked.path));
        assert_ne!(sh(&daemon, "c1", &mount).status, 0, "the host's journal is none of the container's");
        host.sh("! find /sys/fs/cgroup -name 'mount-*' | grep .");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("proc is mounted");
        assert!(!mounts.contains(own), "a mount inside shows on the host: {mounts}");
    });
}

#[test]
fn a_program_inside_serves_what_is_mounted_through_fuse() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1", "-c", "security.syscalls.intercept.mount=true"]).ok();
        // Where no udev has set its mode, only root of the host may use it.
        let device = ["config", "device", "add", "c1", "fuse", "unix-char", "path=/dev/fuse", "mode=0666"];
        daemon.lxc(device).ok();
        set(&daemon, "c1", "mount.fuse", "ext4=served,xfs=slow,btrfs=broken");
        probe(host, &daemon, "c1", "/sbin/mount.fuse");
        sh(
            &daemon,
            "c1",
            "mkdir -p /a /b; cd /a; mount -t ext4 -o ro,user_xattr /dev/any /mnt; stat -c %a /mnt | grep -x 751",
        )
        .ok();
        assert!(sh(&daemon, "c1", "grep ' /mnt ' /proc/mounts").ok().starts_with("served /mnt fuse.served "));
        assert_eq!(sh(&daemon, "c1", "cat /root/mount.fuse.log").ok(), "0 served#/dev/any /mnt user_xattr,ro\n");
        // It belongs to the container.
        assert!(sh(&daemon, "c1", "ps | grep -v grep | grep -c mount.fuse").ok().trim() == "1");
        sh(&daemon, "c1", "umount /mnt").ok();
        fails(&sh(&daemon, "c1", "mount -t btrfs /dev/any /mnt"), "ermission denied");
        // Those that never come to an end keep nobody else waiting, and not more than a few are waited for.
        let slow = "for i in $(seq 16); do mount -t xfs /dev/any /b > /dev/null 2>&1 & done";
        sh(&daemon, "c1", slow).ok();
        sh(&daemon, "c1", "i=0; until [ $(grep -c slow /root/mount.fuse.log) = 16 ]; do usleep 100000; i=$((i+1)); [ $i -lt 300 ]; done").ok();
        fails(&sh(&daemon, "c1", "mount -t ext4 /dev/any /mnt"), "temporarily unavailable");
        sh(&daemon, "c1", "busybox killall mount.fuse; i=0; until mount -t ext4 /dev/any /mnt; do usleep 100000; i=$((i+1)); [ $i -lt 300 ]; done; umount /mnt").ok();
        // Who is not the container's root gets what the kernel gives him.
        let as_user = ["exec", "c1", "--user", "1000", "--", "busybox", "mount", "-t", "ext4", "/dev/any", "/mnt"];
        fails(&daemon.lxc(as_user), "ermission denied");
        daemon.lxc(["stop", "-f", "c1"]).ok();
    });
}

#[test]
fn programs_about_devices_are_loaded_and_attached_below_the_containers_group() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let groups = told(&daemon, "c1", "grep ' cgroup2 ' /proc/mounts | busybox cut -d ' ' -f 2");
        let Some(groups) = groups.lines().next() else {
            println!("skipped: there are no control groups of version 2");
            return;
        };
        probe(host, &daemon, "c1", "/root/probe");
        must_be(&say(&daemon, "c1", &["programs", groups]), &[]);
        set(&daemon, "c1", "bpf", "true");
        daemon.lxc(["restart", "-f", "c1"]).ok();
        must_be(&say(&daemon, "c1", &["programs", groups]), &[]);
        set(&daemon, "c1", "bpf.devices", "true");
        daemon.lxc(["restart", "-f", "c1"]).ok();
        let said = say(&daemon, "c1", &["programs", groups]);
        let done = [
            "load",
            "closed at exec",
            "attach",
            "it acts",
            "detach",
            "attach to all",
            "they are all",
            "detach from all",
        ];
        must_be(&said, &done);
        assert_eq!(said.matches("hostile").count(), 12, "{said}");
    });
}

#[test]
fn mounts_are_made_where_their_caller_is() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1", "-c", "security.syscalls.intercept.mount=true"]).ok();
        set(&daemon, "c1", "mount.allowed", "ext4,hugetlbfs");
        image(host, &daemon);
        let disk = Loop::of(host, "disk.img");
        disk.give(&daemon, "c1");
        let path = disk.path.as_str();
        // In a mount namespace of its own, and in nobody else's.
        let alone = format!("mount -t ext4 {path} /mnt && test -e /mnt/own && echo there");
        assert_eq!(told(&daemon, "c1", &format!("busybox unshare -m sh -c '{alone}'")), "there\n");
        assert_eq!(told(&daemon, "c1", "grep -c ' /mnt ' /proc/mounts || true"), "0\n");
        let elsewhere = format!(
            "busybox unshare -m sleep 60 & sleep 1; mount -t ext4 {path} /proc/$!/root/mnt; r=$?; kill $!; exit $r"
        );
        fails(&sh(&daemon, "c1", &elsewhere), "nvalid argument");
        // Below its own root, from its own folder, through its own links.
        let jail = format!(
            "mkdir -p /jail/bin /jail/dev /jail/mnt && cp /bin/busybox /jail/bin && ln -s /mnt /jail/link
             mount -o rbind /dev /jail/dev && busybox chroot /jail /bin/busybox mount -t ext4 {path} /link
             test -e /jail/mnt/own && umount /jail/mnt
             mkdir -p /tmp/here && cd /tmp && mount -t ext4 {path} here && test -e /tmp/here/own && umount /tmp/here"
        );
        sh(&daemon, "c1", &jail.replace("cp ", "busybox cp ").replace("ln ", "busybox ln ")).ok();
        // Huge pages, where the kernel has them, belong to who mounts them, or whom he names.
        if host.sh("cat /proc/filesystems").contains("hugetlbfs") {
            let pages = |options: &str| {
                told(
                    &daemon,
                    "c1",
                    &format!("mount -t hugetlbfs {options} none /mnt && stat -c '%u %g' /mnt; umount /mnt"),
                )
            };
            assert_eq!(pages(""), "0 0\n");
            assert_eq!(pages("-o uid=5,mode=750,gid=7"), "5 7\n");
            fails(&sh(&daemon, "c1", "mount -t hugetlbfs -o uid=4294967294 none /mnt"), "nvalid argument");
        }
    });
}
