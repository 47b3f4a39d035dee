//! Groups in plain directories that stand for hierarchies: what is written where, and what a missing controller means.

use std::path::{Path, PathBuf};

use super::*;
use crate::cgroup::knobs::Quota;
use crate::proc::mounts;

/// A directory for each hierarchy of a host, removed with the test.
struct Host {
    root: PathBuf,
    layout: Layout,
}

impl Host {
    /// `old` are labels of version 1; `unified` the controllers of version 2.
    fn new(test: &str, old: &[&str], unified: Option<&str>) -> Host {
        let root = std::env::temp_dir().join(format!("corten-group-{test}-{}", std::process::id()));
        let (mut table, mut groups) = (String::new(), String::new());
        for label in old {
            let point = root.join(label);
            std::fs::create_dir_all(&point).expect("temporary directory");
            table += &format!("1 1 0:1 / {} rw - cgroup none rw,{label}\n", point.display());
            groups += &format!("1:{label}:/\n");
        }
        if let Some(controllers) = unified {
            let point = root.join("unified");
            std::fs::create_dir_all(&point).expect("temporary directory");
            std::fs::write(point.join("cgroup.controllers"), controllers).expect("writable");
            std::fs::write(point.join("cgroup.subtree_control"), "").expect("writable");
            table += &format!("1 1 0:1 / {} rw - cgroup2 none rw\n", point.display());
            groups += "0::/\n";
        }
        let layout = Layout::from_tables(&mounts::parse(&table), &groups).expect("a layout");
        Host { root, layout }
    }

    /// What the kernel does at once: files in the group.
    fn files(&self, label: &str, names: &[&str]) {
        for name in names {
            std::fs::write(self.root.join(label).join("g").join(name), "").expect("writable");
        }
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).expect("readable")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.root).expect("removable");
    }
}

#[test]
fn each_limit_goes_where_its_controller_is() {
    let host = Host::new("hybrid", &["cpu", "name=systemd"], Some("memory pids"));
    let group = Group::create(&host.layout, "g").expect("made");
    assert_eq!(group.members().len(), 3);
    // Each in a write of its own, which a plain file shows one over the other: "+memory", then "+pids".
    assert_eq!(host.read("unified/cgroup.subtree_control"), "+pidsry");
    host.files("cpu", &["cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us"]);
    host.files("unified", &["memory.max", "memory.swap.max", "pids.max"]);
    let quota = Quota { quota: 25_000, period: 100_000 };
    let limits = [
        Limit::CpuAllowance { percent: 50, priority: 10 },
        Limit::CpuQuota(Some(quota)),
        Limit::MemorySwap(Some(0)),
        Limit::Memory(Some(1 << 20)),
        Limit::Pids(Some(9)),
    ];
    group.apply(&limits).expect("set");
    assert_eq!(host.read("cpu/g/cpu.shares"), "512");
    assert_eq!(
        (host.read("cpu/g/cpu.cfs_quota_us"), host.read("cpu/g/cpu.cfs_period_us")),
        ("25000".into(), "100000".into())
    );
    assert_eq!(
        (host.read("unified/g/memory.max"), host.read("unified/g/memory.swap.max")),
        ("1048576".into(), "0".into())
    );
    assert_eq!(host.read("unified/g/pids.max"), "9");
}

#[test]
fn what_the_host_cannot_do_is_told() {
    let host = Host::new("missing", &["memory"], None);
    let group = Group::create(&host.layout, "g").expect("made");
    let refused = group.apply(&[Limit::Pids(Some(1))]).unwrap_err().to_string();
    assert_eq!(refused, "cannot limit processes: this host has no cgroup pids controller for it");
    // Swap is not counted by every kernel: the limit of memory does without, that of swap does not.
    host.files("memory", &["memory.limit_in_bytes"]);
    group.apply(&[Limit::Memory(Some(4096))]).expect("set");
    let refused = group.apply(&[Limit::MemorySwap(Some(0))]).unwrap_err();
    assert!(matches!(refused, Error::Unsupported { .. }), "{refused}");
    assert!(matches!(group.freeze(Duration::ZERO), Err(Error::Unsupported { .. })));
}

#[test]
fn what_was_made_before_a_failure_is_removed() {
    let host = Host::new("failure", &["cpu", "pids"], None);
    // A file where the group's directory is to be.
    std::fs::write(host.root.join("pids/g"), "").expect("writable");
    let refused = Group::create(&host.layout, "g").unwrap_err();
    assert!(refused.to_string().contains("pids/g"), "{refused}");
    assert!(!Path::new(&host.root.join("cpu/g")).exists());
}
