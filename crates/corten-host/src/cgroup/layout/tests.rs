//! Layouts of hosts of all three kinds, from their tables.

use super::*;

fn mount(root: &str, point: &str, kind: &str, options: &str) -> String {
    format!("1 1 0:1 {root} {point} rw - {kind} none rw,{options}\n")
}

fn layout(mounts: &str, groups: &str) -> Layout {
    Layout::from_tables(&mounts::parse(mounts), groups).expect("a layout")
}

#[test]
fn a_hybrid_host_answers_for_each_controller() {
    let mounts = mount("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct")
        + &mount("/", "/elsewhere/memory", "cgroup", "memory")
        + &mount("/", "/sys/fs/cgroup/memory", "cgroup", "memory")
        + &mount("/", "/sys/fs/cgroup/systemd", "cgroup", "xattr,name=systemd")
        + &mount("/", "/no/such/unified", "cgroup2", "nsdelegate");
    let groups = "4:cpu,cpuacct:/\n3:memory:/\n2:name=systemd:/init.scope\n1:pids:/\n0::/init.scope\n";
    let layout = layout(&mounts, groups);
    assert_eq!(layout.mode(), "hybrid");
    let base = |controller| layout.controller(controller).map(|place| place.hierarchy.base.display().to_string());
    assert_eq!(base(Controller::CpuAcct).as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct"));
    assert_eq!(base(Controller::Memory).as_deref(), Some("/sys/fs/cgroup/memory"));
    assert_eq!(base(Controller::Pids), None, "it is not mounted");
    assert_eq!(base(Controller::Freezer).as_deref(), Some("/no/such/unified"));
    let systemd = &layout.hierarchies()[2];
    assert_eq!((systemd.label.as_str(), systemd.controllers.len()), ("name=systemd", 0));
    assert_eq!(systemd.base, PathBuf::from("/sys/fs/cgroup/systemd"));
}

#[test]
fn a_unified_host_lists_its_controllers_in_a_file() {
    let dir = std::env::temp_dir().join(format!("corten-layout-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("user.slice")).expect("temporary directory");
    std::fs::write(dir.join("cgroup.controllers"), "cpuset cpu io memory pids\n").expect("writable");
    std::fs::write(dir.join("user.slice/memory.swap.max"), "max\n").expect("writable");
    let layout = layout(&mount("/", dir.to_str().expect("plain"), "cgroup2", "nsdelegate"), "0::/init.scope\n");
    assert_eq!(layout.mode(), "cgroup2");
    for controller in [Controller::Cpu, Controller::CpuAcct, Controller::Blkio, Controller::Devices] {
        assert_eq!(layout.controller(controller).map(|place| place.version), Some(Version::V2), "{controller}");
    }
    assert!(layout.controller(Controller::NetPrio).is_none());
    assert!(layout.supports(Feature::MemorySwap) && !layout.supports(Feature::MemorySwappiness));
    std::fs::remove_dir_all(&dir).expect("removable");
}

#[test]
fn groups_are_made_where_the_mount_shows_them() {
    let point = "/sys/fs/cgroup/pids";
    for (root, group, base) in [
        ("/", "/", "/sys/fs/cgroup/pids"),
        ("/", "/machine/x", "/sys/fs/cgroup/pids/machine/x"),
        ("/machine", "/machine/x", "/sys/fs/cgroup/pids/x"),
        ("/", "/../..", "/sys/fs/cgroup/pids"),
    ] {
        let layout = layout(&mount(root, point, "cgroup", "pids"), &format!("1:pids:{group}\n"));
        assert_eq!(layout.hierarchies()[0].base, PathBuf::from(base), "{root} {group}");
        assert_eq!(layout.mode(), "legacy");
    }
}

#[test]
fn a_host_without_groups_is_told_so() {
    assert!(matches!(Layout::from_tables(&[], "0::/\n"), Err(Error::NoHierarchy)));
}
