//! What holds a container's processes back: id map, capabilities, seccomp, AppArmor, and the view of the kernel's files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The ids of a user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// Users.
    pub uids: Vec<IdRange>,
    /// Groups.
    pub gids: Vec<IdRange>,
}

impl IdMap {
    /// One range, for users and groups alike, from 0 inside.
    pub fn simple(outside: u32, count: u32) -> IdMap {
        let range = IdRange { inside: 0, outside, count };
        IdMap { uids: vec![range], gids: vec![range] }
    }

    /// The host's id of a user inside.
    pub fn host_uid(&self, inside: u32) -> Option<u32> {
        host_id(&self.uids, inside)
    }

    /// The host's id of a group inside.
    pub fn host_gid(&self, inside: u32) -> Option<u32> {
        host_id(&self.gids, inside)
    }

    /// The user inside that one of the host's is.
    pub fn inside_uid(&self, outside: u32) -> Option<u32> {
        inside_id(&self.uids, outside)
    }

    /// The group inside that one of the host's is.
    pub fn inside_gid(&self, outside: u32) -> Option<u32> {
        inside_id(&self.gids, outside)
    }
}

fn inside_id(ranges: &[IdRange], outside: u32) -> Option<u32> {
    let range = ranges.iter().find(|range| outside >= range.outside && outside - range.outside < range.count)?;
    range.inside.checked_add(outside - range.outside)
}

fn host_id(ranges: &[IdRange], inside: u32) -> Option<u32> {
    let range = ranges.iter().find(|range| inside >= range.inside && inside - range.inside < range.count)?;
    range.outside.checked_add(inside - range.inside)
}

/// A line of `uid_map` or `gid_map`, see user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// First id inside.
    pub inside: u32,
    /// First id on the host.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// How the kernel's own files look inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kernel {
    /// `/proc/sys` and `/proc/sysrq-trigger` are read-only (liblxc's `proc:mixed`, for privileged containers), with
    /// `/proc/sys/net` writable.
    pub proc_mixed: bool,
    /// `/sys` is read-only but for `/sys/devices/virtual/net` (liblxc's `sys:mixed`, for privileged containers).
    pub sys_mixed: bool,
    /// The cgroup hierarchies are mounted inside, writable below the container's own groups.
    pub cgroups: bool,
    /// Mounts a v1 hierarchy `none,name=systemd` for the container on a host that has only cgroup v2, for guests whose
    /// systemd is too old for it.
    pub named_systemd_hierarchy: bool,
    /// Extra `/proc` and `/sys` at `/dev/.lxc`, so that containers inside may mount their own (security.nesting).
    pub nesting: bool,
    /// Paths covered by an empty read-only directory or `/dev/null`.
    pub masked: Vec<String>,
    /// Paths made read-only.
    pub readonly: Vec<String>,
}

impl Default for Kernel {
    fn default() -> Kernel {
        Kernel {
            proc_mixed: false,
            sys_mixed: false,
            cgroups: true,
            named_systemd_hierarchy: false,
            nesting: false,
            masked: Vec::new(),
            readonly: Vec::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What the container's processes may not do, in [`init`](super::Process) and in all that are run later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Capabilities taken away for good, as in liblxc: `sys_time`, `mac_admin`, …
    pub drop: Vec<String>,
    /// When given, all but these are taken away.
    pub keep: Option<Vec<String>>,
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: bool,
    /// A classic BPF program as seccomp(2) takes it: 8 bytes per instruction, in the machine's byte order.
    pub seccomp: Vec<u8>,
    /// Whether the filter hands calls over, which the monitor then does in the container's place, or lets go on.
    #[serde(skip_serializing_if = "is_false")]
    pub intercept: bool,
    /// Which mounts are made for the container's root, where mount(2) is handed over.
    #[serde(skip_serializing_if = "InterceptedMounts::is_none")]
    pub mounts: InterceptedMounts,
    /// Whether its root may have programs about devices on its own control groups, where bpf(2) is handed over.
    #[serde(skip_serializing_if = "is_false")]
    pub device_programs: bool,
    /// The AppArmor profile that the processes enter at exec.
    pub apparmor: Option<String>,
}

/// Mounts that the kernel refuses to a container's root and that are made in its place all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InterceptedMounts {
    /// File systems that the kernel mounts.
    pub allowed: Vec<String>,
    /// File systems that a program inside serves through FUSE, and the program's name for `mount.fuse`.
    pub fuse: BTreeMap<String, String>,
    /// Whether the ids on what the kernel mounts are the container's, where the file system can have that.
    pub shift: bool,
}

impl InterceptedMounts {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.allowed.is_empty() && self.fuse.is_empty()
    }
}
