//! Stopping all processes of a group at once, and letting them go on.

use std::time::{Duration, Instant};

use super::group::Group;
use super::member::Member;
use super::{Controller, Error, Result, Version, wait};

impl Group {
    /// Freezes the group and waits until every process in it stands still. Where the unified hierarchy is mounted its
    /// freezer is used, since it reports when it is done.
    ///
    /// # Errors
    /// [`Error::Timeout`] when `patience` is over: the group is thawed again then. [`Error::Unsupported`] on a host
    /// without a freezer.
    pub fn freeze(&self, patience: Duration) -> Result<()> {
        let done = self.change(true, patience);
        if matches!(done, Err(Error::Timeout { .. })) {
            self.change(false, Duration::ZERO).or_else(|error| match error {
                Error::Timeout { .. } => Ok(()),
                other => Err(other),
            })?;
        }
        done
    }

    /// Lets the group run again and waits until it does.
    ///
    /// # Errors
    /// See [`Group::freeze`].
    pub fn thaw(&self, patience: Duration) -> Result<()> {
        self.change(false, patience)
    }

    /// Whether all of the group stands still.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host without a freezer, [`Error::File`] when its state cannot be read.
    pub fn frozen(&self) -> Result<bool> {
        let member = self.freezer()?;
        match member.hierarchy.version {
            Version::V1 => Ok(member.get("freezer.state")? == "FROZEN"),
            Version::V2 => Ok(wait::flag(&member.get("cgroup.events")?, "frozen") == Some(true)),
        }
    }

    fn freezer(&self) -> Result<&Member> {
        let unified = self.unified().filter(|member| member.has("cgroup.freeze"));
        let v1 = || self.member(Controller::Freezer).filter(|member| member.hierarchy.version == Version::V1);
        let missing = || Error::Unsupported { what: "freeze".into(), controller: Controller::Freezer };
        unified.or_else(v1).ok_or_else(missing)
    }

    fn change(&self, frozen: bool, patience: Duration) -> Result<()> {
        let member = self.freezer()?;
        let until = Instant::now() + patience;
        let wanted = if frozen { "frozen" } else { "thawed" };
        match member.hierarchy.version {
            Version::V2 => {
                member.set("cgroup.freeze", if frozen { "1" } else { "0" })?;
                wait::for_event(member, "frozen", frozen, wanted, until, patience)
            }
            Version::V1 => {
                let state = if frozen { "FROZEN" } else { "THAWED" };
                member.set("freezer.state", state)?;
                // The old freezer has no event: the state moves from FREEZING to FROZEN when it is read.
                let mut pause = Duration::from_micros(50);
                while member.get("freezer.state")? != state {
                    if Instant::now() >= until {
                        return Err(Error::Timeout { path: member.path.clone(), wanted, after: patience });
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(5));
                }
                Ok(())
            }
        }
    }
}
