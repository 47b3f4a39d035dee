//! Priorities above those of ordinary processes, for the root of a container that may give them.

use corten_host::syscall::clone3::{Side, exit_now, fork};
use corten_host::syscall::process::set_scheduler;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use rustix::thread::{CapabilitySet, LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::AsFd;

use super::caller::Caller;
use super::{Asked, Refused};

/// sched_setscheduler(2), by the container's root.
pub fn set(asked: &Asked<'_>, caller: &Caller) -> Result<(), Refused> {
    let root = (asked.map.host_uid(0), asked.map.host_gid(0));
    let is_root = (Some(caller.status.uid), Some(caller.status.gid)) == root;
    let (pid, policy) = (asked.short(0).cast_signed(), asked.short(1).cast_signed());
    if !is_root || !caller.has(CapabilitySet::SYS_NICE) || pid < 0 || policy < 0 {
        return Err(Refused::NotOurs);
    }
    let mut priority = [0; 4];
    if caller.bytes(asked.argument(2), &mut priority)?.len() != priority.len() {
        return Err(Refused::By(Errno::FAULT));
    }
    // The number is one of the caller's pid namespace; where it is 0, the caller's own there.
    let own = caller.status.pids.last().copied().ok_or(Refused::NotOurs)?;
    let target = if pid == 0 { own } else { pid };
    let namespace = caller.namespace("pid")?;
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    // Only processes that are born from now on are in it.
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::ProcessID))?;
    match fork().map_err(|_| Errno::AGAIN)? {
        Side::Child => {
            let done = set_scheduler(target, policy, i32::from_ne_bytes(priority));
            exit_now(done.map_or_else(|error| error.raw_os_error().unwrap_or(255), |()| 0))
        }
        Side::Parent { pidfd, .. } => {
            let ended = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
            match ended.and_then(|status| status.exit_status()) {
                Some(0) => Ok(()),
                Some(errno) => Err(Refused::By(Errno::from_raw_os_error(errno))),
                None => Err(Refused::By(Errno::PERM)),
            }
        }
    }
}
