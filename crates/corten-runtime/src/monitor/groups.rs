//! The control groups of a container and its monitor.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use corten_host::cgroup::devices::Rule;
use corten_host::cgroup::layout::Hierarchy;
use corten_host::cgroup::{self, Entrance, Group, Layout, Version};
use corten_host::syscall::clone3::{Side, clone3, exit_now};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::PidfdFlags;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use super::{named_systemd, steps};
use crate::failure::StartFailed;
use crate::spec::Spec;

/// Both groups.
#[derive(Debug)]
pub struct Groups {
    /// Where they are.
    pub layout: Layout,
    /// The container's processes.
    pub payload: Group,
    /// The monitor.
    pub monitor: Group,
}

/// Makes the groups, with the limits of the container's.
pub fn make(spec: &Spec) -> Result<Groups, StartFailed> {
    let failed = |what: &str, error: cgroup::Error| StartFailed::new(steps::GROUPS, what, &to_io(error));
    let mut layout = match &spec.cgroup.layout {
        Some(layout) => layout.clone(),
        None => Layout::discover().map_err(|error| failed("finding the control groups", error))?,
    };
    if spec.kernel.named_systemd_hierarchy && layout.is_pure_v2() {
        layout = named_systemd::mount(&spec.run_dir, layout).map_err(|error| {
            StartFailed::new(steps::GROUPS, "mounting the control group hierarchy name=systemd", &error)
        })?;
    }
    make_in(layout, spec).inspect_err(|_| named_systemd::unmount(&spec.run_dir))
}

/// How many containers of one name may run on a host, each under a daemon of its own.
const NAMESAKES: u32 = 1000;

fn make_in(layout: Layout, spec: &Spec) -> Result<Groups, StartFailed> {
    let failed = |what: &str, error: cgroup::Error| StartFailed::new(steps::GROUPS, what, &to_io(error));
    let (monitor, payload) = pair(&layout, spec).map_err(|(what, error)| failed(what, error))?;
    let groups = Groups { layout, payload, monitor };
    match prepare(&groups, spec) {
        Ok(()) => Ok(groups),
        Err(failure) => {
            remove(&groups);
            Err(failure)
        }
    }
}

/// Both groups. Where another daemon's container of the same name has them, `-1`, `-2`, … is added, as liblxc does.
fn pair(layout: &Layout, spec: &Spec) -> Result<(Group, Group), (&'static str, cgroup::Error)> {
    let mut namesake = 0;
    loop {
        let suffix = if namesake == 0 { String::new() } else { format!("-{namesake}") };
        match pair_named(layout, &spec.cgroup.monitor, &spec.cgroup.payload, &suffix) {
            Err((_, cgroup::Error::InUse { .. })) if namesake < NAMESAKES => namesake += 1,
            outcome => return outcome,
        }
    }
}

fn pair_named(
    layout: &Layout,
    monitor: &str,
    payload: &str,
    suffix: &str,
) -> Result<(Group, Group), (&'static str, cgroup::Error)> {
    let monitor = Group::create_where(layout, &format!("{monitor}{suffix}"), |one| has_monitors(layout, one))
        .map_err(|error| ("making the monitor's control group", error))?;
    match Group::create(layout, &format!("{payload}{suffix}")) {
        Ok(payload) => Ok((monitor, payload)),
        Err(error) => {
            let _ = monitor.remove(Duration::ZERO);
            Err(("making the container's control group", error))
        }
    }
}

/// Whether monitors have groups of their own in a hierarchy: where somebody tells services apart by it, as systemd does
/// in version 2 and in its own one without controllers. Elsewhere a group would count and limit nothing, at the price of
/// making and removing it.
fn has_monitors(layout: &Layout, hierarchy: &Hierarchy) -> bool {
    let tells_apart = |one: &Hierarchy| one.version == Version::V2 || one.controllers.is_empty();
    tells_apart(hierarchy) || !layout.hierarchies().iter().any(tells_apart)
}

fn prepare(groups: &Groups, spec: &Spec) -> Result<(), StartFailed> {
    let failed = |what: &str, error: cgroup::Error| StartFailed::new(steps::GROUPS, what, &to_io(error));
    groups.payload.apply(&spec.cgroup.limits).map_err(|error| failed("setting limits", error))?;
    if !spec.cgroup.devices.is_empty() {
        let rules = spec.cgroup.devices.iter().map(|line| {
            let rule: Rule =
                if line.allow { Rule::allow(&line.rule) } else { Rule::deny(&line.rule) }.map_err(|error| {
                    StartFailed::new(steps::GROUPS, "reading the device list", &io::Error::other(error))
                })?;
            Ok(rule)
        });
        let rules = rules.collect::<Result<Vec<Rule>, StartFailed>>()?;
        groups.payload.apply_devices(&rules).map_err(|error| failed("setting the device list", error))?;
    }
    if let Some(map) = &spec.idmap
        && let (Some(uid), Some(gid)) = (map.host_uid(0), map.host_gid(0))
    {
        groups.payload.chown(uid, gid).map_err(|error| failed("giving the control group to the container", error))?;
    }
    Ok(())
}

/// The way into a group, for a process of one thread that has been cloned into its part of version 2.
pub fn entrance(group: &Group) -> Result<Entrance, StartFailed> {
    group.entrance().map_err(|error| {
        StartFailed::new(steps::GROUPS, format!("opening the control group {}", group.name()), &to_io(error))
    })
}

/// Takes the monitor into its own.
pub fn enter_own(groups: &Groups) -> Result<(), StartFailed> {
    entrance(&groups.monitor)?
        .walk_in()
        .map_err(|error| StartFailed::new(steps::GROUPS, "entering the monitor's control group", &to_io(error)))
}

/// Kills what is left in the container's group and removes both. A monitor leaves its own first, and is another process
/// afterwards: see [`leave`].
pub fn remove(groups: &Groups) {
    if let Err(error) = groups.payload.kill().and_then(|()| groups.payload.remove(Duration::from_secs(10))) {
        super::warn(&format!("removing the container's control group: {error}"));
    }
    let me = std::process::id();
    if groups.monitor.pids().is_ok_and(|pids| pids.contains(&me))
        && let Err(error) = leave(&groups.monitor)
    {
        super::warn(&format!("leaving the monitor's control group: {error}"));
    }
    if let Err(error) = groups.monitor.remove(Duration::from_millis(100)) {
        super::warn(&format!("removing the monitor's control group: {error}"));
    }
}

/// Goes on in the groups above `own`, where it can then be removed. To be moved within version 2 takes a grace period
/// of RCU, tens of milliseconds on a busy machine, while to be born in a group takes nothing: the caller goes on as a
/// copy of itself, born above, once the old process has ended.
///
/// It is refused where the group above hands on controllers of version 2.
fn leave(own: &Group) -> io::Result<()> {
    own.way_out().and_then(|way| way.walk_in()).map_err(to_io)?;
    let Some(above) = own.unified().and_then(|member| member.path.parent()) else { return Ok(()) };
    let above = rustix::fs::open(above, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let old = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())?;
    // The container's pid namespace, in which children were born until now, is dead.
    move_into_thread_name_spaces(old.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
    match clone3(0, Some(above.as_fd()))? {
        Side::Parent { .. } => exit_now(0),
        Side::Child => {
            while poll(&mut [PollFd::new(&old, PollFlags::IN)], None) == Err(Errno::INTR) {}
            Ok(())
        }
    }
}

fn to_io(error: cgroup::Error) -> io::Error {
    match error {
        cgroup::Error::File(error) => match error.source.raw_os_error() {
            Some(_) => io::Error::other(error.to_string()),
            None => error.source,
        },
        other => io::Error::other(other.to_string()),
    }
}
