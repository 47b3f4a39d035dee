//! What daemon and monitor say to each other: JSON packets over the monitor's socket, with descriptors where needed.
//!
//! A connection carries either questions, each answered before the next, or after [`Request::Exec`] and
//! [`Request::Subscribe`] what happens later. A monitor outlives the daemon that started it, so messages are never
//! changed, only added: each has a line in `testdata/protocol-1.jsonl` that may never change.

pub mod wire;

use serde::{Deserialize, Serialize};

use crate::spec::{Create, ExecSpec, InterceptedMounts};

/// The version that a monitor says in its greeting. It grows when a message is added.
pub const VERSION: u32 = 4;

/// What is asked of a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Who is there? Answered by [`Reply::Hello`] with a pidfd of the container's init.
    Hello,
    /// Run a process inside. Descriptors: its standard input, output and error, then those that the monitor is to hold
    /// (and drain once the caller is gone) so that the process never loses its terminal or its readers. Answered by
    /// [`Reply::Started`] with a pidfd, and when it ends by [`Reply::Exited`].
    Exec(ExecSpec),
    /// A terminal of the container's own devpts. Answered by [`Reply::Pty`] with master and slave.
    OpenPty {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
        /// Owner, as seen inside.
        uid: u32,
        /// Group, as seen inside; `None` keeps the `tty` group.
        gid: Option<u32>,
    },
    /// Tell when the container ends: answered by [`Reply::Done`] now and [`Reply::Ended`] then.
    Subscribe,
    /// Attach to the console: answered by [`Reply::Done`] with a stream socket that is the terminal.
    Console {
        /// Detaches whoever is attached; else that is a refusal (`EBUSY`).
        force: bool,
    },
    /// The console's last output: answered by [`Reply::Done`] with a memory file.
    ConsoleLog,
    /// Forget it.
    ClearConsoleLog,
    /// The terminal's size.
    ConsoleResize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Attach the mount that comes as descriptor.
    Mount {
        /// Where, from the container's root.
        target: String,
        /// What is made when the target is missing.
        create: Create,
    },
    /// Take the uppermost mount at `target` away.
    Unmount {
        /// Where, from the container's root.
        target: String,
        /// Removes the empty file or directory that is then seen.
        remove: bool,
    },
    /// The exec sessions under way: answered by [`Reply::Sessions`].
    Sessions,
    /// Interfaces given to the container later, for the monitor to bring back at its end: `(name inside, name on the
    /// host)`.
    ReturnLink {
        /// Its name inside.
        name: String,
        /// Its name on the host; `None` forgets the interface.
        return_as: Option<String>,
    },
    /// Serve the container's files over SFTP on the stream socket that comes as descriptor, as the container's root:
    /// answered by [`Reply::Done`] with a pidfd of the child that does. Since version 2.
    Files,
    /// Let the container's processes go on should whoever asks this hang up: he is about to freeze them for a moment.
    /// Since version 3.
    Hold,
    /// After [`Request::Hold`], on the same connection: let them go on now. Since version 3.
    Release,
    /// Which mounts are made for the container's root from now on: answered by [`Reply::Done`]. Since version 4.
    InterceptedMounts(InterceptedMounts),
}

/// What a monitor answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Hello`].
    Hello {
        /// See [`VERSION`].
        version: u32,
        /// The spec's name.
        name: String,
        /// The container's init in the monitor's pid namespace.
        init: i32,
        /// The monitor.
        monitor: i32,
    },
    /// It is done.
    Done,
    /// It was not done.
    Failed {
        /// What was being done, to what.
        what: String,
        /// The kernel's error number, or 0.
        errno: i32,
        /// More than the error number says.
        detail: Option<String>,
    },
    /// To [`Request::OpenPty`].
    Pty {
        /// Its number in the container's `/dev/pts`.
        number: u32,
    },
    /// To [`Request::Exec`].
    Started {
        /// Its pid in the monitor's pid namespace.
        pid: i32,
    },
    /// An exec'd process ended.
    Exited {
        /// Its exit status, or 128 + the signal that killed it.
        status: i32,
    },
    /// The container ended.
    Ended(Exit),
    /// To [`Request::Sessions`].
    Sessions(Vec<SessionInfo>),
}

/// A process run by [`Request::Exec`] that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Its pid in the monitor's pid namespace.
    pub pid: i32,
    /// Its command line.
    pub argv: Vec<String>,
    /// Whoever started it is still there.
    pub attended: bool,
}

/// What a monitor says to whoever started it, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The container's first program runs; comes with a pidfd of it.
    Started {
        /// The container's init in the monitor's pid namespace.
        init: i32,
        /// The monitor.
        monitor: i32,
    },
    /// It does not, and nothing is left of it.
    Failed(crate::failure::StartFailed),
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Its init exited with this status.
    Exited(i32),
    /// Its init was killed by this signal.
    Killed(i32),
    /// It asked to be halted or powered off (reboot(2)).
    Halted,
    /// It asked to be started again (reboot(2)).
    Rebooted,
}
