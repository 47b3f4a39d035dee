//! What the house style refuses and no compiler sees: each rule reads the sources and names file, line and reason.

mod edges;
mod headers;
mod lengths;
mod names;
mod source;
mod unsafe_code;

use std::fmt;
use std::path::{Path, PathBuf};

use source::Source;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Relative to the project.
    pub path: PathBuf,
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    /// What was found, and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line.max(1), self.message)
    }
}

/// Everything that is not tidy in a project.
///
/// # Errors
/// When a file cannot be read.
pub fn findings(project: &Path) -> Result<Vec<Finding>, String> {
    let sources = source::all(project)?;
    let allowed = lengths::allowed(project)?;
    let mut found = Vec::new();
    for source in &sources {
        found.extend(headers::check(source));
        found.extend(names::check(source));
        found.extend(unsafe_code::check(source));
        found.extend(lengths::check(source, &allowed));
    }
    found.extend(lengths::outdated(&sources, &allowed));
    found.extend(edges::check(project)?);
    found.extend(crate::docs::stale(project).into_iter().map(|path| Finding {
        path: path.strip_prefix(project).unwrap_or(&path).to_path_buf(),
        line: 0,
        message: "is not what the tables say: run cargo xtask docs".to_string(),
    }));
    Ok(found)
}

impl Source {
    fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into() }
    }
}
