//! One group of the same name in every hierarchy: made, entered, listed, killed and removed together.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::knobs::{self, Limit};
use super::layout::{Hierarchy, Layout};
use super::member::{Member, read_pids, remove_tree};
use super::{Controller, Error, Result, Version, wait};

/// A control group: its directories in all hierarchies.
#[derive(Debug)]
pub struct Group {
    name: String,
    members: Vec<Member>,
}

impl Group {
    /// Makes the group `name` (`lxc.payload.c1`) in every hierarchy of `layout`. A group of that name that was left
    /// behind without processes is removed first, so that none of its limits stay. On version 1 its cpuset gets the
    /// parent's processors and memory nodes; on version 2 the controllers are enabled for it.
    ///
    /// A hierarchy that is mounted read-only is left out.
    ///
    /// # Errors
    /// [`Error::InUse`] when processes are in a group of that name; [`Error::File`] when the kernel refuses. What was
    /// made until then is removed.
    pub fn create(layout: &Layout, name: &str) -> Result<Group> {
        Group::create_where(layout, name, |_| true)
    }

    /// The same in those hierarchies only that `wanted` takes.
    ///
    /// # Errors
    /// See [`Group::create`].
    pub fn create_where(layout: &Layout, name: &str, wanted: impl Fn(&Hierarchy) -> bool) -> Result<Group> {
        let mut group = Group { name: name.to_string(), members: Vec::new() };
        for hierarchy in layout.hierarchies().iter().filter(|hierarchy| wanted(hierarchy)) {
            match Member::create(hierarchy, name) {
                Ok(member) => group.members.extend(member),
                Err(error) => {
                    // The directories made so far are empty; should one stay all the same, the next start removes it.
                    let _ = group.remove(Duration::ZERO);
                    return Err(error);
                }
            }
        }
        if group.members.is_empty() {
            return Err(Error::NoHierarchy);
        }
        Ok(group)
    }

    /// The group `name` in those hierarchies where it exists.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it exists in none.
    pub fn open(layout: &Layout, name: &str) -> Result<Group> {
        Group::open_where(layout, name, |_| true)
    }

    /// The same in those hierarchies only that `wanted` takes.
    ///
    /// # Errors
    /// See [`Group::open`].
    pub fn open_where(layout: &Layout, name: &str, wanted: impl Fn(&Hierarchy) -> bool) -> Result<Group> {
        let mut members = Vec::new();
        for hierarchy in layout.hierarchies().iter().filter(|hierarchy| wanted(hierarchy)) {
            match Member::open(hierarchy, name) {
                Ok(member) => members.push(member),
                Err(Error::File(error)) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        if members.is_empty() {
            return Err(Error::NotFound(name.to_string()));
        }
        Ok(Group { name: name.to_string(), members })
    }

    /// Its name, the path below each hierarchy's base.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directories, in the order of the layout's hierarchies.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Its directory in the unified hierarchy.
    pub fn unified(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.hierarchy.version == Version::V2)
    }

    /// Its directory in the hierarchy that has `controller`, by the rules of [`Layout::controller`].
    pub fn member(&self, controller: Controller) -> Option<&Member> {
        let inherent = matches!(controller, Controller::Devices | Controller::Freezer);
        let by_controller = |member: &&Member| member.hierarchy.controllers.contains(&controller);
        self.members.iter().find(by_controller).or_else(|| self.unified().filter(|_| inherent))
    }

    /// The descriptor that clone3 takes with `CLONE_INTO_CGROUP`; `None` on a host without the unified hierarchy.
    pub fn v2_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified().map(|member| member.dir())
    }

    /// A descriptor for cloning another process into a group whose own processes manage it: the group itself, or its
    /// child `.lxc` when the group has handed controllers to children, since version 2 then allows no process in it.
    ///
    /// # Errors
    /// [`Error::File`] when the child cannot be made.
    pub fn v2_attach_fd(&self) -> Result<Option<OwnedFd>> {
        self.unified().map(Member::attach_dir).transpose()
    }

    /// Moves process `pid` (0: the calling process) with all its threads into the group, in every hierarchy. The kernel
    /// takes its time for it: see [`super::Entrance`] for a process that can enter by itself.
    ///
    /// # Errors
    /// [`Error::File`] with the hierarchy's path when the kernel refuses.
    pub fn enter(&self, pid: u32) -> Result<()> {
        self.members.iter().try_for_each(|member| member.enter(pid))
    }

    /// Sets limits, in an order that the kernel takes; see [`knobs`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the host lacks the controller of one; those before it are set then.
    pub fn apply(&self, limits: &[Limit]) -> Result<()> {
        knobs::apply(self, limits)
    }

    /// The processes in the group and in all groups below it, as seen in the caller's pid namespace.
    ///
    /// # Errors
    /// [`Error::File`] when a list cannot be read.
    pub fn pids(&self) -> Result<Vec<u32>> {
        let Some(member) = self.unified().or(self.members.first()) else { return Ok(Vec::new()) };
        let mut pids = Vec::new();
        member.each_dir(&mut |dir, path| {
            pids.extend(read_pids(dir, path)?);
            Ok(())
        })?;
        Ok(pids)
    }

    /// Kills every process in the group and below it, also frozen ones; returns without waiting for their ends.
    ///
    /// # Errors
    /// [`Error::File`] when the kernel refuses.
    pub fn kill(&self) -> Result<()> {
        if let Some(unified) = self.unified()
            && unified.set_if_there("cgroup.kill", "1")?
        {
            return self.release_frozen();
        }
        // Without cgroup.kill (before Linux 5.14, or no version 2): a frozen group cannot fork while it is killed.
        let frozen = self.freeze(Duration::from_secs(1)).is_ok();
        for _ in 0..if frozen { 1 } else { 64 } {
            let pids = self.pids()?;
            if pids.is_empty() {
                break;
            }
            for pid in pids.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
                // A process that ended by itself meanwhile is what is wanted.
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        self.release_frozen()
    }

    /// Lets processes frozen by version 1 run, since these die only then.
    fn release_frozen(&self) -> Result<()> {
        match self.members.iter().find(|member| member.hierarchy.controllers.contains(&Controller::Freezer)) {
            Some(member) => member.set_if_there("freezer.state", "THAWED").map(|_| ()),
            None => Ok(()),
        }
    }

    /// Waits until no process is left in the group and below it.
    ///
    /// # Errors
    /// [`Error::Timeout`] when `patience` is over.
    pub fn wait_empty(&self, patience: Duration) -> Result<()> {
        let until = Instant::now() + patience;
        if let Some(unified) = self.unified() {
            // A process is in the same groups everywhere, and leaves them all at once.
            return wait::for_event(unified, "populated", false, "empty", until, patience);
        }
        loop {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(());
            }
            if !wait::for_ends(&pids, until) {
                let path = self.members[0].path.clone();
                return Err(Error::Timeout { path, wanted: "empty", after: patience });
            }
        }
    }

    /// Removes the group and all groups below it from every hierarchy, waiting up to `patience` for processes that
    /// are ending. A directory that is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Timeout`] or [`Error::File`]; the other hierarchies are done nevertheless.
    pub fn remove(&self, patience: Duration) -> Result<()> {
        let until = Instant::now() + patience;
        let mut outcome = Ok(());
        for member in &self.members {
            let mut removed = remove_tree(&member.path);
            while matches!(&removed, Err(error) if is_busy(error)) && Instant::now() < until {
                let left = until.saturating_duration_since(Instant::now());
                removed = self.wait_empty(left).and_then(|()| {
                    // Version 1 tells nobody when the last reference to a group goes; it does so within a tick.
                    let again = remove_tree(&member.path);
                    if matches!(&again, Err(error) if is_busy(error)) {
                        std::thread::sleep(Duration::from_micros(200));
                    }
                    again
                });
            }
            outcome = outcome.and(removed);
        }
        outcome
    }
}

fn is_busy(error: &Error) -> bool {
    matches!(error, Error::File(error) if error.source.raw_os_error() == Some(Errno::BUSY.raw_os_error()))
}

#[cfg(test)]
mod tests;
