//! Names of snapshots that nobody named: a pattern, in which `%d` is the next free number.

use corten_api::error::{Error, Result};

/// The pattern where none is configured.
pub const DEFAULT: &str = "snap%d";

/// The name for the next snapshot, given the names that are taken. A pattern without `%d` that is taken gets a number at
/// its end.
///
/// # Errors
/// In LXD's words when the pattern has more than one `%d`.
pub fn choose<'a>(pattern: &str, taken: impl Iterator<Item = &'a str> + Clone) -> Result<String> {
    match pattern.matches("%d").count() {
        0 if taken.clone().any(|name| name == pattern) => Ok(numbered(&format!("{pattern}-%d"), taken)),
        0 => Ok(pattern.to_string()),
        1 => Ok(numbered(pattern, taken)),
        _ => Err(Error::invalid("Snapshot pattern may contain '%d' only once")),
    }
}

/// The pattern with a number that is higher than that of any name made from it.
fn numbered<'a>(pattern: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let (before, after) = pattern.split_once("%d").unwrap_or((pattern, ""));
    let next = taken.filter_map(|name| number_in(name, before, after)).max().map_or(0, |last| last.saturating_add(1));
    format!("{before}{next}{after}")
}

/// The number that a name has in the place of `%d`; as with scanf(3), what follows the pattern does not matter.
fn number_in(name: &str, before: &str, after: &str) -> Option<u64> {
    let rest = name.strip_prefix(before)?;
    let digits = rest.len() - rest.trim_start_matches(|one: char| one.is_ascii_digit()).len();
    let (number, rest) = rest.split_at(digits);
    rest.starts_with(after).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_after_the_highest() {
        let cases: [(&str, &[&str], &str); 9] = [
            ("snap%d", &[], "snap0"),
            ("snap%d", &["snap0", "snap3", "snapx", "mine"], "snap4"),
            ("snap%d", &["snap7-old"], "snap8"),
            ("a-%d-b", &["a-1-b", "a-5-c", "a--b"], "a-2-b"),
            ("%d", &["9", "09"], "10"),
            ("daily", &[], "daily"),
            ("daily", &["other"], "daily"),
            ("daily", &["daily"], "daily-0"),
            ("daily", &["daily", "daily-0", "daily-1"], "daily-2"),
        ];
        for (pattern, taken, expected) in cases {
            assert_eq!(choose(pattern, taken.iter().copied()).as_deref(), Ok(expected), "{pattern} beside {taken:?}");
        }
        assert!(choose("%d-%d", [].into_iter()).is_err());
    }
}
