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
         ls -d /dev/pts/ptmx /dev/shm /dev/mqueue /dev/console /dev/fd/1 && readlink /dev/ptmx && readlink /dev/stdin && \
         test -w /dev/shm && cat /proc/self/cgroup | grep -v ':/$' ; test -d /proc/1 && test -d /sys/class",
    );
    assert_eq!(
        (said.status, said.out.as_str()),
        (0, "3\n2\n/dev/console\n/dev/fd/1\n/dev/mqueue\n/dev/pts/ptmx\n/dev/shm\npts/ptmx\n/proc/self/fd/0\n"),
        "{said:?}"
    );
    // The container's own groups are the roots of the hierarchies that it sees, and it may make groups below.
    let groups = sh(
        &container,
        "for d in /sys/fs/cgroup/systemd /sys/fs/cgroup; do test -e $d/cgroup.procs && mkdir $d/sub && echo made; done",
    );
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
    spec.security.drop =
        ["sys_time", "sys_module", "sys_rawio", "mac_admin", "mac_override"].map(str::to_string).to_vec();
    let (container, watch) = scratch.start(&spec);
    let user = |path: &Path| std::fs::read_link(path).expect("a namespace");
    assert_eq!(user(&container.proc_path("ns/user")), user(Path::new("/proc/self/ns/user")));
    for what in ["echo 1 > /proc/sys/kernel/panic", "mkdir /sys/fs/cgroup/../x", "echo b > /proc/sysrq-trigger"] {
        assert_ne!(sh(&container, what).status, 0, "{what}");
    }
    assert_eq!(sh(&container, "echo 1 > /proc/sys/net/ipv4/ip_forward").status, 0);
    // 16 to 18 and 25, 32, 33: capability.h.
    let unwanted = (1u64 << 16) | (1 << 17) | (1 << 25) | (1 << 32) | (1 << 33);
    for process in ["self", "1"] {
        let set = sh(&container, &format!("grep CapBnd /proc/{process}/status | cut -f2")).out;
        let set = u64::from_str_radix(set.trim(), 16).expect("a set");
        assert_eq!((set & unwanted, set & 1), (0, 1), "{process}: {set:x}");
    }
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
    spec.linux32 = true;
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
    assert_eq!(sh(&container, "ulimit -n; ulimit -Hn; uname -m").out, "77\n88\ni686\n");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_root_whose_files_were_shifted_needs_no_map() {
    let Some(scratch) = Scratch::new() else { return };
    let status =
        std::process::Command::new("chown").arg("-hR").arg(format!("{BASE}:{BASE}")).arg(scratch.root()).status();
    assert!(status.expect("chown").success());
    let mut spec = scratch.spec();
    spec.root = Root { source: Source::Tree { path: scratch.root() }, idmapped: false, readonly: true };
    let (container, watch) = scratch.start(&spec);
    let said = sh(&container, "stat -c %u:%g /bin/busybox; touch /root/x || echo read-only");
    assert_eq!(said.out, "0:0\nread-only\n", "{said:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_seccomp_filter_holds_for_init_and_for_all_that_is_run() {
    let Some(scratch) = Scratch::new() else { return };
    let mut spec = scratch.script("uname() { :; }; hostname new 2>/dev/null && echo could; echo ready; sleep 1000");
    spec.security.seccomp = deny_sethostname();
    let (container, watch) = scratch.start(&spec);
    while !container.console_log().expect("a log").ends_with(b"ready\r\n") {}
    assert_eq!(container.console_log().expect("a log"), b"ready\r\n");
    let said = sh(&container, "hostname new; grep Seccomp: /proc/self/status");
    assert!(said.err.contains("Permission denied") && said.out.contains("2"), "{said:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

/// `sethostname` (170 on x86-64) gives EACCES: struct sock_filter, as in seccomp(2).
fn deny_sethostname() -> Vec<u8> {
    let program: [(u16, u8, u8, u32); 4] =
        [(0x20, 0, 0, 0), (0x15, 0, 1, 170), (0x06, 0, 0, 0x0005_0000 | 13), (0x06, 0, 0, 0x7fff_0000)];
    program
        .iter()
        .flat_map(|(code, jt, jf, k)| [&code.to_ne_bytes()[..], &[*jt, *jf], &k.to_ne_bytes()[..]].concat())
        .collect()
}

#[test]
fn links_in_a_hostile_root_lead_nowhere_but_into_it() {
    let Some(scratch) = Scratch::new() else { return };
    let outside = scratch.dir.join("outside");
    std::fs::create_dir(&outside).expect("a directory");
    let root = scratch.root();
    for (name, wanted) in [("dev", outside.clone()), ("sys", "../../../../../../..".into()), ("mnt", outside.clone())] {
        let _ = std::fs::remove_dir(root.join(name));
        std::os::unix::fs::symlink(wanted, root.join(name)).expect("a link");
    }
    let mut spec = scratch.spec();
    spec.mounts = vec![Mount::bind(scratch.dir.join("run"), "/mnt/share", Create::Dir)];
    // Whether it starts matters little; what matters is that nothing happens outside.
    if let Ok(container) = corten_runtime::start(Path::new(crate::harness::MONITOR), &spec) {
        let watch = container.watch().expect("a watch");
        let refused = container.mount(&Mount::bind("/proc", outside.join("proc"), Create::Dir));
        drop(refused);
        container.kill().expect("killed");
        watch.wait().expect("ended");
    }
    assert_eq!(std::fs::read_dir(&outside).expect("a directory").count(), 0);
    let mounts = std::fs::read_to_string("/proc/thread-self/mounts").expect("mounts");
    assert!(!mounts.contains(scratch.name.as_str()), "{mounts}");
}

#[test]
fn an_old_systemd_gets_its_named_hierarchy_on_a_host_of_version_2() {
    let Some(scratch) = Scratch::new() else { return };
    let layout = corten_host::cgroup::Layout::discover().expect("control groups");
    if layout.unified().is_none() {
        return eprintln!("skipped: no control groups of version 2 here");
    }
    // This host as it would be with version 2 only.
    let mut value = serde_json::to_value(&layout).expect("written");
    value["hierarchies"].as_array_mut().expect("a list").retain(|one| one["version"] == "V2");
    let mut spec = scratch.spec();
    spec.cgroup.layout = Some(serde_json::from_value(value).expect("read"));
    spec.kernel.named_systemd_hierarchy = true;
    let (container, watch) = scratch.start(&spec);
    let said = sh(
        &container,
        "cd /sys/fs/cgroup; ls; mkdir systemd/sub && echo made; grep -c 1 systemd/cgroup.procs; \
         grep name=systemd /proc/1/cgroup | cut -d: -f3; grep systemd /proc/self/mounts | cut -d' ' -f2",
    );
    assert_eq!(said.out, "systemd\nunified\nmade\n1\n/\n/sys/fs/cgroup/systemd\n", "{said:?}");
    container.kill().expect("killed");
    watch.wait().expect("ended");
    let mounts = std::fs::read_to_string("/proc/thread-self/mounts").expect("mounts");
    assert!(!mounts.contains(scratch.name.as_str()), "{mounts}");
}
