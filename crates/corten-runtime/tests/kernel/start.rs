//! What a started container is: isolated, unprivileged, complete.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use corten_runtime::spec::{Create, Mount, Rlimit, Root, Source};

use crate::harness::{BASE, Scratch, sh};

#[test]
fn it_has_namespaces_of_its_own_and_sees_nothing_of_the_host() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "user"] {
        let inside = std::fs::read_link(container.proc_path(&format!("ns/{kind}"))).expect("a namespace");
        let ours = std::fs::read_link(format!("/proc/thread-self/ns/{kind}")).expect("a namespace");
        assert_ne!(inside, ours, "{kind}");
    }
    let said = sh(&container, "echo $$ > /tmp/x; cat /proc/1/comm; hostname; ls /sys/class/net; ps | wc -l; id -u");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[..3], ["init", scratch.name.as_str(), "lo"], "{said:?}");
    assert!(lines[3].parse::<u32>().expect("a number") < 8, "{said:?}");
    assert_eq!(lines[4], "0");
    let mounts = sh(&container, "cat /proc/self/mounts").out;
    assert!(!mounts.contains("/work") && !mounts.contains("/tmp"), "{mounts}");
    assert_eq!(sh(&container, "ls /").out.split_whitespace().count(), 9 - 1, "only what is in the root");
    // Nothing that it mounts reaches the host.
    assert_eq!(sh(&container, "mount -t tmpfs none /tmp && touch /tmp/inside").status, 0);
    assert!(!scratch.root().join("tmp/inside").exists());
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn its_root_is_an_ordinary_user_outside_and_no_file_is_chowned() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let status = std::fs::read_to_string(container.proc_path("status")).expect("a status");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("a user");
    assert!(uid.split_whitespace().all(|id| id == BASE.to_string()), "{uid}");
    assert_eq!(sh(&container, "stat -c %u:%g /bin/busybox /dev/console; touch /root/new").out, "0:0\n0:5\n");
    for file in ["bin/busybox", "root/new"] {
        let data = std::fs::metadata(scratch.root().join(file)).expect("a file");
        assert_eq!((data.uid(), data.gid()), (0, 0), "{file} on disk");
    }
    assert_ne!(sh(&container, "mknod /tmp/disk b 8 0").status, 0);
    assert_ne!(sh(&container, "echo 1 > /proc/sys/kernel/panic").status, 0);
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn dev_and_the_kernels_file_systems_are_there() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let said = sh(
        &container,
        "echo lost > /dev/null && head -c 3 /dev/zero | wc -c && head -c 2 /dev/urandom | wc -c && \
         ls -d /dev/pts/ptmx /dev/shm /dev/mqueue /dev/console /dev/fd/1 && readlink /dev/ptmx /dev/stdin && \
         test -w /dev/shm && cat /proc/self/cgroup | grep -v ':/$' ; test -d /proc/1 && test -d /sys/class",
    );
    assert_eq!(
        (said.status, said.out.as_str()),
        (0, "3\n2\n/dev/console\n/dev/fd/1\n/dev/mqueue\n/dev/pts/ptmx\n/dev/shm\npts/ptmx\n/proc/self/fd/0\n"),
        "{said:?}"
    );
    // The container's own groups are the roots of the hierarchies that it sees, and it may make groups below.
    let groups = sh(&container, "for d in /sys/fs/cgroup/systemd /sys/fs/cgroup; do test -e $d/cgroup.procs && mkdir $d/sub && echo made; done");
    assert!(groups.out.contains("made"), "{groups:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn an_overlay_root_is_writable_and_keeps_its_changes() {
    let Some(scratch) = Scratch::new() else { return };
    let layers = scratch.dir.join("layers");
    for dir in ["upper", "work", "extra/etc"] {
        std::fs::create_dir_all(layers.join(dir)).expect("a directory");
    }
    std::fs::write(layers.join("extra/etc/motd"), "from the upper of two layers\n").expect("a file");
    let mut spec = scratch.spec();
    spec.root.source = Source::Overlay {
        lower: vec![layers.join("extra"), scratch.root()],
        upper: layers.join("upper"),
        work: layers.join("work"),
    };
    let (container, watch) = scratch.start(&spec);
    let said = sh(&container, "cat /etc/motd; echo mine > /etc/mine; rm /etc/passwd; chown 7:8 /etc/inittab");
    assert_eq!((said.status, said.out.as_str()), (0, "from the upper of two layers\n"), "{said:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
    let upper = |name: &str| std::fs::symlink_metadata(layers.join("upper/etc").join(name)).expect("a file");
    assert_eq!((upper("mine").uid(), upper("inittab").uid(), upper("inittab").gid()), (0, 7, 8));
    assert!(scratch.root().join("etc/passwd").exists(), "the layer below is as it was");
    let (container, watch) = scratch.start(&spec);
    let said = sh(&container, "cat /etc/mine; test -e /etc/passwd || echo gone; stat -c %u /etc/inittab");
    assert_eq!(said.out, "mine\ngone\n7\n");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_privileged_container_has_no_user_namespace_and_less_power_than_root() {
    let Some(scratch) = Scratch::new() else { return };
    let mut spec = scratch.spec();
    spec.idmap = None;
    spec.kernel.proc_mixed = true;
    spec.kernel.sys_mixed = true;
    spec.security.drop = ["sys_time", "sys_module", "sys_rawio", "mac_admin", "mac_override"].map(str::to_string).to_vec();
    let (container, watch) = scratch.start(&spec);
    let user = |path: &Path| std::fs::read_link(path).expect("a namespace");
    assert_eq!(user(&container.proc_path("ns/user")), user(Path::new("/proc/self/ns/user")));
    for what in ["echo 1 > /proc/sys/kernel/panic", "mkdir /sys/fs/cgroup/../x", "echo b > /proc/sysrq-trigger"] {
        assert_ne!(sh(&container, what).status, 0, "{what}");
    }
    assert_eq!(sh(&container, "echo 1 > /proc/sys/net/ipv4/ip_forward").status, 0);
    let bounding = sh(&container, "grep CapBnd /proc/self/status | cut -f2; grep CapBnd /proc/1/status | cut -f2");
    let bounding = if bounding.status == 127 { sh(&container, "cat /proc/self/status") } else { bounding };
    assert!(!bounding.out.is_empty());
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn mounts_limits_and_settings_of_the_spec_are_applied() {
    let Some(scratch) = Scratch::new() else { return };
    let shared = scratch.dir.join("shared");
    std::fs::create_dir(&shared).expect("a directory");
    std::fs::write(shared.join("file"), "hello\n").expect("a file");
    let mut spec = scratch.spec();
    let mut share = Mount::bind(&shared, "/mnt/deep/share", Create::Dir);
    share.idmapped = true;
    let mut readonly = Mount::bind(shared.join("file"), "etc/hello", Create::File);
    readonly.options.push("ro".to_string());
    let missing = Mount { optional: true, ..Mount::bind("/no/such/path", "/mnt/missing", Create::Dir) };
    let small = Mount {
        source: "tmpfs".into(),
        target: "/mnt/small".into(),
        fstype: Some("tmpfs".into()),
        options: ["size=64k", "noexec"].map(str::to_string).to_vec(),
        create: Create::Dir,
        ..Mount::default()
    };
    spec.mounts = vec![share, readonly, missing, small];
    spec.rlimits = vec![Rlimit { resource: "nofile".into(), soft: Some(77), hard: Some(88) }];
    spec.sysctls = vec![("net.ipv4.ip_forward".into(), "1".into())];
    spec.oom_score_adj = Some(123);
    spec.kernel.masked = vec!["/proc/timer_list".into(), "/no/such".into()];
    spec.cgroup.limits = vec![corten_host::cgroup::Limit::Pids(Some(50))];
    let (container, watch) = scratch.start(&spec);
    let said = sh(
        &container,
        "echo from inside > /mnt/deep/share/new; echo x > /etc/hello; cat /etc/hello; test -e /mnt/missing || echo none; \
         dd if=/dev/zero of=/mnt/small/x bs=1k count=100 2>/dev/null; stat -c %s /mnt/small/x; \
         cat /proc/sys/net/ipv4/ip_forward /proc/1/oom_score_adj /proc/timer_list",
    );
    assert_eq!(said.out, "hello\nnone\n65536\n1\n123\n", "{said:?}");
    assert_eq!(std::fs::metadata(shared.join("new")).expect("a file").uid(), 0, "the share maps ids");
    let limits = std::fs::read_to_string(container.proc_path("limits")).expect("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    assert_eq!(files.split_whitespace().collect::<Vec<_>>()[3..5], ["77", "88"]);
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_root_whose_files_were_shifted_needs_no_map() {
    let Some(scratch) = Scratch::new() else { return };
    let status = std::process::Command::new("chown").arg("-hR").arg(format!("{BASE}:{BASE}")).arg(scratch.root()).status();
    assert!(status.expect("chown").success());
    let mut spec = scratch.spec();
    spec.root = Root { source: Source::Tree { path: scratch.root() }, idmapped: false, readonly: true };
    let (container, watch) = scratch.start(&spec);
    let said = sh(&container, "stat -c %u:%g /bin/busybox; touch /root/x || echo read-only");
    assert_eq!(said.out, "0:0\nread-only\n", "{said:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}
