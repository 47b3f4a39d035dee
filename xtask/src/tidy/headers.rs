//! A file says in its first line what it is about.

use super::Finding;
use super::source::Source;

/// Refuses files without a first `//!` line that says something.
pub fn check(source: &Source) -> Option<Finding> {
    let first = source.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//!").is_some_and(|words| words.trim().len() > 3);
    (!said).then(|| source.finding(1, "begins without a //! line that says what the file is about"))
}
