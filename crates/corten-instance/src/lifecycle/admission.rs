//! Whether an action may begin, given what is observed and what is under way: pure, total, without wildcard arms.

use std::fmt;

/// What the host shows of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// No process of it is there.
    Stopped,
    /// Its init runs.
    Running,
    /// Its processes are frozen.
    Frozen,
}

/// What a client may ask for, as far as it excludes other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make it.
    Create,
    /// Start it.
    Start,
    /// Stop it by asking its init.
    Stop,
    /// Kill it.
    Kill,
    /// Stop it and start it again.
    Restart,
    /// Freeze its processes.
    Freeze,
    /// Let them run again.
    Thaw,
    /// Change its configuration.
    Update,
    /// Give it another name.
    Rename,
    /// Remove it.
    Delete,
    /// Take, rename or remove a snapshot.
    Snapshot,
    /// Make it again what a snapshot is.
    Restore,
    /// Bring it up to what the instance is that it was copied from.
    Refresh,
    /// Clean up after its init has ended by itself.
    CleanUp,
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            // LXD holds an instance that it refreshes as if it made it.
            Action::Create | Action::Refresh => "create",
            Action::Start => "start",
            Action::Stop | Action::Kill | Action::CleanUp => "stop",
            Action::Restart => "restart",
            Action::Freeze => "freeze",
            Action::Thaw => "unfreeze",
            Action::Update => "update",
            Action::Rename => "rename",
            Action::Delete => "delete",
            Action::Snapshot => "snapshot",
            Action::Restore => "restore",
        })
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Begin.
    Go,
    /// The same is under way: wait for its end and share its outcome.
    Join,
    /// Something short is under way: wait for its end, then ask again.
    Wait,
    /// What is under way gives way to this: a forced stop ends the wait of a clean one.
    TakeOver,
    /// It is already as asked; the words are LXD's.
    AlreadySo(&'static str),
    /// It cannot begin; the words are LXD's.
    Refuse(String),
}

/// Decides about `asked`.
pub fn admit(observed: Observed, busy: Option<Action>, asked: Action) -> Verdict {
    match busy {
        Some(busy) => while_busy(busy, asked),
        None => while_idle(observed, asked),
    }
}

fn while_busy(busy: Action, asked: Action) -> Verdict {
    use Action::{
        CleanUp, Create, Delete, Freeze, Kill, Refresh, Rename, Restart, Restore, Snapshot, Start, Stop, Thaw, Update,
    };
    let refuse = || Verdict::Refuse(format!("Instance is busy running a \"{busy}\" operation"));
    match (asked, busy) {
        (Start, Start) | (Stop, Stop) | (Kill, Kill) => Verdict::Join,
        // An init that ended by itself is what a stop waits for; a kill of a clean stop cuts its wait short.
        (Stop | Kill, CleanUp) => Verdict::Join,
        (Kill, Stop) => Verdict::TakeOver,
        (CleanUp, Stop | Kill | Restart | Restore) => Verdict::Join,
        // A snapshot keeps nobody from anything for long, and snapshots of one instance are taken one by one.
        (
            Start | Stop | Kill | Restart | Freeze | Thaw | Update | Rename | Delete | Snapshot | Restore | Refresh
            | CleanUp,
            Snapshot,
        )
        | (Snapshot, Update | Freeze | Thaw | CleanUp) => Verdict::Wait,
        (
            Start,
            Create | Stop | Kill | Restart | Freeze | Thaw | Update | Rename | Delete | Restore | Refresh | CleanUp,
        )
        | (Stop, Create | Start | Kill | Restart | Freeze | Thaw | Update | Rename | Delete | Restore | Refresh)
        | (Kill, Create | Start | Restart | Freeze | Thaw | Update | Rename | Delete | Restore | Refresh)
        | (CleanUp, Create | Start | Freeze | Thaw | Update | Rename | Delete | Refresh | CleanUp)
        | (Snapshot, Create | Start | Stop | Kill | Restart | Rename | Delete | Restore | Refresh)
        | (Create | Restart | Freeze | Thaw | Update | Rename | Delete | Restore | Refresh, _) => refuse(),
    }
}

fn while_idle(observed: Observed, asked: Action) -> Verdict {
    use Action::{
        CleanUp, Create, Delete, Freeze, Kill, Refresh, Rename, Restart, Restore, Snapshot, Start, Stop, Thaw, Update,
    };
    use Observed::{Frozen, Running, Stopped};
    match (asked, observed) {
        (Create | Update | Snapshot | Restore | CleanUp, Stopped | Running | Frozen) => Verdict::Go,
        (Start, Stopped) => Verdict::Go,
        (Start, Running | Frozen) => Verdict::AlreadySo("The instance is already running"),
        (Stop | Kill | Restart, Stopped) => Verdict::AlreadySo("The instance is already stopped"),
        (Stop | Kill | Restart, Running | Frozen) => Verdict::Go,
        (Freeze, Running) => Verdict::Go,
        (Freeze, Stopped) => Verdict::Refuse("The container isn't running".to_string()),
        (Freeze, Frozen) => Verdict::AlreadySo("The container is already frozen"),
        (Thaw, Frozen) => Verdict::Go,
        (Thaw, Stopped) => Verdict::Refuse("The container isn't running".to_string()),
        (Thaw, Running) => Verdict::Refuse("The container is already running".to_string()),
        (Rename, Stopped) => Verdict::Go,
        (Rename, Running | Frozen) => Verdict::Refuse("Renaming of running container not allowed".to_string()),
        (Delete | Refresh, Stopped) => Verdict::Go,
        (Delete | Refresh, Running | Frozen) => Verdict::Refuse("Instance is running".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Action; 14] = [
        Action::Create,
        Action::Start,
        Action::Stop,
        Action::Kill,
        Action::Restart,
        Action::Freeze,
        Action::Thaw,
        Action::Update,
        Action::Rename,
        Action::Delete,
        Action::Snapshot,
        Action::Restore,
        Action::Refresh,
        Action::CleanUp,
    ];

    #[test]
    fn what_is_already_so_is_not_done_again() {
        let cases = [
            (Observed::Running, Action::Start, "The instance is already running"),
            (Observed::Stopped, Action::Stop, "The instance is already stopped"),
            (Observed::Stopped, Action::Kill, "The instance is already stopped"),
        ];
        for (observed, asked, words) in cases {
            assert_eq!(admit(observed, None, asked), Verdict::AlreadySo(words), "{asked:?} while {observed:?}");
        }
    }

    #[test]
    fn a_forced_stop_overtakes_a_clean_one_and_nothing_else_does() {
        for busy in ALL {
            for asked in ALL {
                let verdict = admit(Observed::Running, Some(busy), asked);
                let overtakes = (asked, busy) == (Action::Kill, Action::Stop);
                assert_eq!(verdict == Verdict::TakeOver, overtakes, "{asked:?} while {busy:?}");
                assert_ne!(verdict, Verdict::Go, "{asked:?} beside {busy:?}");
            }
        }
    }

    #[test]
    fn a_snapshot_is_waited_for_and_a_restore_is_not() {
        for asked in ALL.into_iter().filter(|asked| *asked != Action::Create) {
            assert_eq!(admit(Observed::Running, Some(Action::Snapshot), asked), Verdict::Wait, "{asked:?}");
        }
        let words = Verdict::Refuse("Instance is busy running a \"restore\" operation".to_string());
        assert_eq!(admit(Observed::Stopped, Some(Action::Restore), Action::Restore), words);
    }

    #[test]
    fn only_stopped_instances_are_renamed_and_deleted() {
        for observed in [Observed::Running, Observed::Frozen] {
            for asked in [Action::Rename, Action::Delete] {
                assert!(matches!(admit(observed, None, asked), Verdict::Refuse(_)));
                assert_eq!(admit(Observed::Stopped, None, asked), Verdict::Go);
            }
        }
    }
}
