//! On a file system that cannot map ids, the files of a container get the ids that it has on the host.
#![forbid(unsafe_code)]

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use stories::{Daemon, Host, story};

/// A daemon with a pool `default` on an overlay of the host's, which keeps owners, ACLs and capabilities and can map no ids.
fn without_idmaps(host: &Host) -> Daemon {
    host.sh("mkdir -p base over; mount -t tmpfs none base; mkdir -p base/lower base/upper base/work
             mount -t overlay none over -o lowerdir=base/lower,upperdir=base/upper,workdir=base/work; mkdir over/pool");
    let daemon = host.daemon();
    let source = format!("source={}", host.folder().join("over/pool").display());
    daemon.lxc(["storage", "create", "default", "dir", &source]).ok();
    daemon.lxc(["profile", "device", "add", "default", "root", "disk", "path=/", "pool=default"]).ok();
    daemon.import_busybox("busybox");
    daemon
}

fn root(daemon: &Daemon) -> PathBuf {
    daemon.dir.join("storage-pools/default/containers/c1/rootfs")
}

fn owner(daemon: &Daemon, file: &str) -> u32 {
    std::fs::symlink_metadata(root(daemon).join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).uid()
}

fn remembered(daemon: &Daemon) -> String {
    daemon.lxc(["config", "get", "c1", "volatile.last_state.idmap"]).ok().trim().to_string()
}

/// The story is over: what was mounted for it goes.
fn tidy(host: &Host, daemon: Daemon) {
    daemon.lxc(["delete", "--force", "c1"]).ok();
    drop(daemon);
    host.sh("umount -l over; umount -l base");
}

#[test]
fn files_are_shifted_once_and_back_when_the_container_is_to_be_privileged() {
    story(|host| {
        let daemon = without_idmaps(host);
        daemon.lxc(["init", "busybox", "c1"]).ok();
        assert_eq!((owner(&daemon, "bin/busybox"), remembered(&daemon).as_str()), (0, "[]"));
        // A capability of a file, an ACL for user 1000, a file of user 1000: all with ids inside.
        let tree = root(&daemon).display().to_string();
        host.sh(&format!(
            "cp {tree}/bin/busybox {tree}/bin/able; setcap cap_net_raw+ep {tree}/bin/able
             echo x > {tree}/root/listed; setfacl -m u:1000:r {tree}/root/listed
             echo x > {tree}/tmp/owned; chown 1000:1000 {tree}/tmp/owned; chmod 4755 {tree}/tmp/owned"
        ));
        daemon.lxc(["start", "c1"]).ok();
        let base = owner(&daemon, "bin/busybox");
        assert!(base >= 100_000, "{base}");
        assert_eq!(owner(&daemon, "tmp/owned"), base + 1000);
        assert_eq!(host.sh(&format!("stat -c %a {tree}/tmp/owned")).trim(), "4755");
        assert!(host.sh(&format!("getfacl -n {tree}/root/listed")).contains(&format!("user:{}:r--", base + 1000)));
        assert!(host.sh(&format!("getcap -n {tree}/bin/able")).contains(&format!("[rootid={base}]")));
        assert!(remembered(&daemon).contains(&format!("\"Hostid\":{base}")), "{}", remembered(&daemon));
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u", "/tmp/owned"]).ok().trim(), "1000");
        daemon.lxc(["exec", "c1", "--", "touch", "/root/made"]).ok();
        assert_eq!(owner(&daemon, "root/made"), base);
        // Once is enough.
        daemon.lxc(["restart", "--force", "c1"]).ok();
        assert_eq!((owner(&daemon, "root/made"), owner(&daemon, "tmp/owned")), (base, base + 1000));
        // Privileged and back.
        daemon.lxc(["config", "set", "c1", "security.privileged=true"]).ok();
        daemon.lxc(["restart", "--force", "c1"]).ok();
        assert_eq!((owner(&daemon, "root/made"), owner(&daemon, "tmp/owned")), (0, 1000));
        assert!(host.sh(&format!("getfacl -n {tree}/root/listed")).contains("user:1000:r--"));
        assert_eq!(remembered(&daemon), "[]");
        daemon.lxc(["stop", "--force", "c1"]).ok();
        daemon.lxc(["config", "set", "c1", "security.privileged=false"]).ok();
        daemon.lxc(["config", "set", "c1", "security.protection.shift=true"]).ok();
        let refused = daemon.lxc(["start", "c1"]);
        assert!(refused.refused().contains("Container is protected against filesystem shifting"), "{refused:?}");
        assert_eq!(owner(&daemon, "root/made"), 0);
        daemon.lxc(["config", "unset", "c1", "security.protection.shift"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(owner(&daemon, "root/made"), base);
        tidy(host, daemon);
    });
}

#[test]
fn a_shift_that_a_kill_cut_short_is_ended_by_the_next_daemon() {
    story(|host| {
        let mut daemon = without_idmaps(host);
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let tree = root(&daemon).display().to_string();
        host.sh(&format!("mkdir {tree}/many; cd {tree}/many; for i in $(seq 4000); do : > $i; done"));
        let mut start = daemon.lxc_command(["start", "c1"]);
        let mut start = start.stderr(std::process::Stdio::null()).spawn().expect("lxc was built");
        // As soon as some files have other owners, not all have.
        while !(1..=4000).any(|file| owner(&daemon, &format!("many/{file}")) != 0) {}
        daemon.kill();
        start.wait().expect("lxc ends with its daemon");
        daemon.begin();
        let owners: std::collections::BTreeSet<u32> =
            (1..=4000).map(|file| owner(&daemon, &format!("many/{file}"))).collect();
        assert_eq!(owners.len(), 1, "{owners:?}");
        assert_ne!(owners.first(), Some(&0));
        assert!(remembered(&daemon).contains("Hostid"));
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u", "/many/1"]).ok().trim(), "0");
        tidy(host, daemon);
    });
}

#[test]
fn files_are_shifted_where_the_administrator_wants_no_mapped_mounts() {
    story(|host| {
        let daemon =
            Daemon::start_with(host.folder(), "one", vec![("LXD_IDMAPPED_MOUNTS_DISABLE", PathBuf::from("1"))]);
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        assert_eq!(daemon.get("/1.0")["environment"]["kernel_features"]["idmapped_mounts"], "false");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let base = owner(&daemon, "bin/busybox");
        assert!(base >= 100_000 && remembered(&daemon).contains(&format!("\"Hostid\":{base}")), "{base}");
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u", "/bin/busybox"]).ok().trim(), "0");
        daemon.lxc(["stop", "--force", "c1"]).ok();
        // What is shifted already may be protected from being shifted, and started.
        daemon.lxc(["config", "set", "c1", "security.protection.shift=true"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        daemon.lxc(["stop", "--force", "c1"]).ok();
        daemon.lxc(["config", "set", "c1", "security.privileged=true"]).ok();
        let refused = daemon.lxc(["start", "c1"]);
        assert!(refused.refused().contains("Container is protected against filesystem shifting"), "{refused:?}");
        assert_eq!(owner(&daemon, "bin/busybox"), base);
        daemon.lxc(["config", "unset", "c1", "security.protection.shift"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!((owner(&daemon, "bin/busybox"), remembered(&daemon).as_str()), (0, "[]"));
    });
}
