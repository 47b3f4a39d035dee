//! What can go wrong with a container, told as step, errno and object.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::spec::{Root, Source};

/// Why a container did not start: the step that failed, what it was doing, and the kernel's word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what}: {}", reason(*.errno, .detail.as_deref()))]
pub struct StartFailed {
    /// The name of the step, one of [`crate::monitor::steps`].
    pub step: String,
    /// What was being done, to what: `mounting proc on /proc`.
    pub what: String,
    /// The kernel's error number; 0 when it was not the kernel that said no.
    pub errno: i32,
    /// More than the error number says.
    #[serde(default)]
    pub detail: Option<String>,
}

impl StartFailed {
    /// A failure at `step` while doing `what`.
    pub fn new(step: &str, what: impl Into<String>, source: &io::Error) -> StartFailed {
        let errno = source.raw_os_error().unwrap_or(0);
        StartFailed {
            step: step.to_string(),
            what: what.into(),
            errno,
            detail: (errno == 0).then(|| source.to_string()),
        }
    }

    /// Whether the file system of this root cannot map ids: the caller may give the files other owners and try again.
    pub fn is_root_unmappable(&self, root: &Root) -> bool {
        let Source::Tree { path } = &root.source else { return false };
        self.step == crate::monitor::steps::IDMAP && self.what == mapping(path)
    }
}

/// What is being done when the ids of the tree at `path` are mapped.
pub(crate) fn mapping(path: &Path) -> String {
    format!("mapping the ids of {}", path.display())
}

fn reason(errno: i32, detail: Option<&str>) -> String {
    match (errno, detail) {
        (0, Some(detail)) => detail.to_string(),
        (0, None) => "failed".to_string(),
        // The number in std's text would tell a reader nothing.
        (errno, _) => {
            let text = io::Error::from_raw_os_error(errno).to_string();
            text.split(" (os error").next().unwrap_or_default().to_string()
        }
    }
}

/// Why something asked of a running container was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The container's monitor is gone, and so is the container.
    #[error("the container is not running")]
    Gone,
    /// The container did not start.
    #[error(transparent)]
    Start(#[from] StartFailed),
    /// The monitor tried and failed, or would not.
    #[error("{what}: {}", reason(*.errno, .detail.as_deref()))]
    Refused {
        /// What was being done, to what.
        what: String,
        /// The kernel's error number; 0 when it was not the kernel that said no.
        errno: i32,
        /// More than the error number says.
        detail: Option<String>,
    },
    /// Something on this side of the socket failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, to what.
        doing: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The monitor said something that this version does not understand.
    #[error("the monitor answered {0:?}, which was not expected here")]
    Protocol(String),
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source }
    }

    /// The kernel's error number, where there is one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Error::Start(failed) => Some(failed.errno).filter(|errno| *errno != 0),
            Error::Refused { errno, .. } => Some(*errno).filter(|errno| *errno != 0),
            Error::Io { source, .. } => source.raw_os_error(),
            Error::Gone | Error::Protocol(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_start_reads_as_a_sentence() {
        let failed = StartFailed::new("mount /proc", "mounting /proc", &io::Error::from_raw_os_error(1));
        assert_eq!(failed.to_string(), "mounting /proc: Operation not permitted");
        let other = StartFailed::new("check", "checking the spec", &io::Error::other("the name is empty"));
        assert_eq!(other.to_string(), "checking the spec: the name is empty");
    }
}
