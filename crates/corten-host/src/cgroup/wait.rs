//! Waiting for what happens to a group: events of version 2, ends of processes elsewhere. Nothing here polls by time.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::member::Member;
use super::{Error, Result};
use crate::file;

/// Waits until `key` of the group's `cgroup.events` is `value`. A group that is removed meanwhile counts as reached
/// when it was to become empty.
pub(super) fn for_event(
    member: &Member,
    key: &'static str,
    value: bool,
    wanted: &'static str,
    until: Instant,
    patience: Duration,
) -> Result<()> {
    let path = member.path.join("cgroup.events");
    let wrong = |errno: Errno| Error::File(file::Error::new("waiting on", &path, errno));
    let open = match openat(member.dir(), "cgroup.events", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) if !value => return Ok(()),
        opened => opened.map_err(wrong)?,
    };
    let mut events = File::from(open);
    loop {
        let mut text = String::new();
        let read = events.rewind().and_then(|()| events.read_to_string(&mut text));
        match read {
            Err(source) if source.raw_os_error() == Some(libc::ENODEV) && !value => return Ok(()),
            Err(source) => return Err(file::Error::new("reading", &path, source).into()),
            Ok(_) => {}
        }
        match flag(&text, key) {
            Some(now) if now == value => return Ok(()),
            Some(_) => {}
            None => return Err(Error::Malformed { path, found: text, wanted: "lines of a key and 0 or 1" }),
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout { path: member.path.clone(), wanted, after: patience });
        }
        let mut polled = [PollFd::new(&events, PollFlags::PRI)];
        match rustix::event::poll(&mut polled, Some(&timespec(left))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(wrong(errno)),
        }
    }
}

/// Waits until all of `pids` have ended; `false` when `until` came first.
pub(super) fn for_ends(pids: &[u32], until: Instant) -> bool {
    let open = |pid: &u32| pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok();
    let ends: Vec<OwnedFd> = pids.iter().filter_map(open).collect();
    for end in &ends {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match rustix::event::poll(&mut [PollFd::new(end, PollFlags::IN)], Some(&timespec(left))) {
                Ok(0) => return false,
                Err(Errno::INTR) => {}
                _ => break,
            }
        }
    }
    true
}

/// The flag `key` in the text of a `cgroup.events` file.
pub fn flag(text: &str, key: &str) -> Option<bool> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
    Some(value.trim() == "1")
}

fn timespec(left: Duration) -> Timespec {
    Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn flags_are_found_by_their_whole_key() {
        let text = "populated 1\nfrozen 0\n";
        assert_eq!(super::flag(text, "populated"), Some(true));
        assert_eq!(super::flag(text, "frozen"), Some(false));
        assert_eq!(super::flag(text, "pop"), None);
    }
}
