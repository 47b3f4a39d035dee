//! What the running kernel can do, found by trying where that is possible and by its version elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::idmap::{IdMap, userns};
use crate::{file, mount};

/// What containers and LXD's `environment.kernel_features` want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that are independent of each other")]
pub struct KernelFeatures {
    /// Mounts of the filesystem that was asked about can map ids.
    pub idmapped_mounts: bool,
    /// Addresses of another network namespace can be asked for by its id.
    pub netnsid_getifaddrs: bool,
    /// Device events can be sent into a network namespace.
    pub uevent_injection: bool,
    /// File capabilities can belong to a user namespace.
    pub unpriv_fscaps: bool,
    /// A system call can be handed to another process.
    pub seccomp_listener: bool,
    /// And let go on by it.
    pub seccomp_listener_continue: bool,
    /// And given a descriptor by it.
    pub seccomp_listener_addfd: bool,
    /// Ubuntu's filesystem that shifts ids is there.
    pub shiftfs: bool,
    /// Processes can be named by descriptors.
    pub pidfds: bool,
    /// A control group's view can be private.
    pub cgroup_namespaces: bool,
    /// Processes of different containers can be kept from sharing a processor core at the same time.
    pub core_scheduling: bool,
}

impl KernelFeatures {
    /// Looks at this kernel; `dir` is a directory on the filesystem where containers are to live.
    pub fn probe(dir: &Path) -> KernelFeatures {
        let kernel = version(&release());
        let actions = file::read("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
        let listener = actions.split_whitespace().any(|action| action == "user_notif");
        KernelFeatures {
            idmapped_mounts: can_map_ids(dir),
            netnsid_getifaddrs: kernel >= (4, 20),
            uevent_injection: kernel >= (4, 18),
            unpriv_fscaps: kernel >= (4, 14),
            seccomp_listener: listener,
            seccomp_listener_continue: listener && kernel >= (5, 5),
            seccomp_listener_addfd: listener && kernel >= (5, 9),
            shiftfs: filesystems().contains("shiftfs"),
            pidfds: pidfd_open(getpid(), PidfdFlags::empty()).is_ok(),
            cgroup_namespaces: Path::new("/proc/self/ns/cgroup").exists(),
            core_scheduling: has_core_scheduling(),
        }
    }

    /// The pairs of LXD's `environment.kernel_features`.
    pub fn environment(&self) -> [(&'static str, bool); 7] {
        [
            ("idmapped_mounts", self.idmapped_mounts),
            ("netnsid_getifaddrs", self.netnsid_getifaddrs),
            ("seccomp_listener", self.seccomp_listener),
            ("seccomp_listener_continue", self.seccomp_listener_continue),
            ("shiftfs", self.shiftfs),
            ("uevent_injection", self.uevent_injection),
            ("unpriv_fscaps", self.unpriv_fscaps),
        ]
    }
}

/// Whether a mount of the filesystem that holds `dir` can map ids, by making one that nobody sees.
pub fn can_map_ids(dir: &Path) -> bool {
    // The map says little: what is tried is whether the filesystem takes one at all.
    let Ok(namespace) = userns::namespace_for(&IdMap::both(1_000_000, 65_536)) else { return false };
    let tree = mount::clone_tree(dir, false);
    tree.is_ok_and(|tree| mount::map_ids(&tree, std::os::fd::AsFd::as_fd(&namespace), false).is_ok())
}

/// Filesystems that the kernel has now; others may come with a module.
pub fn filesystems() -> BTreeSet<String> {
    let text = file::read("/proc/filesystems").unwrap_or_default();
    text.lines().filter_map(|line| line.split_whitespace().next_back()).map(str::to_string).collect()
}

/// The kernel's release, `6.1.0-13-amd64`.
pub fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn has_core_scheduling() -> bool {
    use rustix::thread::{CoreSchedulingScope, core_scheduling_cookie};
    core_scheduling_cookie(getpid(), CoreSchedulingScope::Thread).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_two_numbers() {
        assert_eq!(version("6.1.0-13-amd64"), (6, 1));
        assert_eq!(version("5.4"), (5, 4));
        assert_eq!(version("strange"), (0, 0));
        assert!(version(&release()) >= (4, 0));
        assert!(filesystems().contains("proc"));
    }
}
