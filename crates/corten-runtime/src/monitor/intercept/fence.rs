//! A process for which the kernel opens one block device and no other, whatever options or the device's own content say.
//!
//! An image may name the device of its journal by number, and the kernel opens that with the rights of who mounts. So the
//! mounting is done in a group of version 2 with a filter of its own, below the monitor's, where the container has no say.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use corten_host::cgroup::devices::{Access, Node, Policy, Rule, filter};
use corten_host::syscall::bpf::replace_device_filter;
use corten_host::syscall::clone3::{Side, clone3, exit_now};
use rustix::fs::{major, minor};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::Refused;

/// An empty group, removed when this is dropped. What a killed process leaves goes with the monitor's group.
struct Group(PathBuf);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// What a child's exit status says that did not find the call its own; no error number is so high.
const NOT_OURS: i32 = 255;

/// Has `work` done by a child that can open no block device but `number`; below `above`, the monitor's group. Where the
/// kernel has no such groups or filters there is no fence.
pub fn within(
    above: Option<&Path>,
    call: u64,
    number: u64,
    work: impl FnOnce() -> Result<(), Refused>,
) -> Result<(), Refused> {
    let Some((group, folder)) = above.and_then(|above| fenced(above, call, number)) else { return work() };
    match clone3(0, Some(folder.as_fd())).map_err(|_| Errno::AGAIN)? {
        Side::Child => exit_now(match work() {
            Ok(()) => 0,
            Err(Refused::NotOurs) => NOT_OURS,
            Err(Refused::By(errno)) => errno.raw_os_error(),
        }),
        Side::Parent { pidfd, .. } => {
            let ended = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
            drop(group);
            match ended.and_then(|status| status.exit_status()) {
                Some(0) => Ok(()),
                Some(NOT_OURS) | None => Err(Refused::NotOurs),
                Some(errno) => Err(Refused::By(Errno::from_raw_os_error(errno))),
            }
        }
    }
}

fn fenced(above: &Path, call: u64, number: u64) -> Option<(Group, File)> {
    let path = above.join(format!("mount-{call:x}"));
    std::fs::create_dir(&path).ok()?;
    let group = Group(path);
    let node = Node { block: true, major: Some(major(number)), minor: Some(minor(number)), access: Access::ALL };
    let rules = [Rule { allow: false, node: None }, Rule { allow: true, node: Some(node) }];
    let folder = File::open(&group.0).ok()?;
    replace_device_filter(&folder, &filter::assemble(&Policy::of(&rules))).ok()?;
    Some((group, folder))
}
