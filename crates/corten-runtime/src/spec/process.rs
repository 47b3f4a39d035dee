//! The processes of a container: the first one, and those run in it later.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The first process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// Working directory; `/` when empty.
    #[serde(default)]
    pub cwd: PathBuf,
    /// User, as seen inside.
    #[serde(default)]
    pub uid: u32,
    /// Group, as seen inside.
    #[serde(default)]
    pub gid: u32,
}

impl Process {
    /// `/sbin/init`, told as liblxc tells it that it runs in a container.
    pub fn init() -> Process {
        Process {
            argv: vec!["/sbin/init".to_string()],
            env: vec!["container=lxc".to_string()],
            cwd: PathBuf::new(),
            uid: 0,
            gid: 0,
        }
    }
}

/// A process run in a running container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// Program and arguments. A program without a slash is looked up in the `PATH` of `env`, inside the container.
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// Working directory; `/` when empty.
    #[serde(default)]
    pub cwd: PathBuf,
    /// User, as seen inside.
    #[serde(default)]
    pub uid: u32,
    /// Group, as seen inside.
    #[serde(default)]
    pub gid: u32,
    /// Supplementary groups, as seen inside.
    #[serde(default)]
    pub groups: Vec<u32>,
    /// Standard input is a terminal and becomes the controlling one of a session of its own.
    #[serde(default)]
    pub tty: bool,
}

/// A resource limit, see getrlimit(2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// `nofile`, `memlock`, …: the constant's name in small letters without `RLIMIT_`.
    pub resource: String,
    /// Soft limit; `None` is unlimited.
    pub soft: Option<u64>,
    /// Hard limit; `None` is unlimited.
    pub hard: Option<u64>,
}
