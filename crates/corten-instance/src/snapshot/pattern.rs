//! Names of snapshots that nobody named: a pattern, in which `%d` is the next free number and `{{ creation_date }}` the
//! time.

use corten_api::error::{Error, Result};
use corten_api::time::Time;

/// The pattern where none is configured.
const DEFAULT: &str = "snap%d";
/// How a time is written where the pattern does not say it, as Go prints one.
const PLAIN: &str = "2006-01-02 15:04:05 -0700 MST";

/// The name by `pattern` (empty is `snap%d`) for a snapshot that is taken `now`, given the names that are taken.
///
/// # Errors
/// 400 when the pattern asks for something else than the time, or has more than one `%d`.
pub fn next<'a>(pattern: &str, now: Time, taken: impl Iterator<Item = &'a str> + Clone) -> Result<String> {
    choose(&render(if pattern.is_empty() { DEFAULT } else { pattern }, now)?, taken)
}

/// Writes the time into a pattern: of pongo2's templates `{{ creation_date }}` and its `date` filter are known.
fn render(pattern: &str, now: Time) -> Result<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((expression, after)) = after.split_once("}}") else { break };
        out += before;
        out += &value(expression.trim(), now).ok_or_else(|| {
            Error::invalid(format!("Invalid snapshot pattern {pattern:?}: only creation_date can be written into it"))
        })?;
        rest = after;
    }
    Ok(out + rest)
}

fn value(expression: &str, now: Time) -> Option<String> {
    let (name, filter) = expression.split_once('|').map_or((expression, None), |(name, filter)| (name, Some(filter)));
    if name.trim() != "creation_date" {
        return None;
    }
    let Some(filter) = filter else { return Some(now.local(&codes(PLAIN))) };
    let layout = filter.trim().strip_prefix("date")?.trim_start().strip_prefix(':')?.trim();
    let quote = layout.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let layout = layout.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(now.local(&codes(layout)))
}

/// What Go's layouts call the parts of a time, the longest first, and the codes of strftime(3) for them.
const PARTS: [(&str, &str); 18] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("2006", "%Y"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("01", "%m"),
    ("02", "%d"),
    ("_2", "%e"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
];

fn codes(layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((part, code)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
            out += code;
            rest = &rest[part.len()..];
        } else {
            out += if first == '%' { "%%" } else { &rest[..first.len_utf8()] };
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The name for the next snapshot, given the names that are taken. A pattern without `%d` that is taken gets a number at
/// its end.
///
/// # Errors
/// In LXD's words when the pattern has more than one `%d`.
fn choose<'a>(pattern: &str, taken: impl Iterator<Item = &'a str> + Clone) -> Result<String> {
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

    #[test]
    fn patterns_may_have_the_time() {
        let now = Time::from_unix(1_700_000_000, 0);
        let local = |format: &str| now.local(format);
        let cases = [
            ("", "snap0".to_string()),
            ("{{ creation_date|date:'2006-01-02_15-04-05' }}", local("%Y-%m-%d_%H-%M-%S")),
            ("a-{{creation_date | date: \"20060102\"}}-%d", local("a-%Y%m%d-0")),
            ("{{ creation_date }}", local("%Y-%m-%d %H:%M:%S %z %Z")),
            ("100%", "100%".to_string()),
            ("a{{b", "a{{b".to_string()),
        ];
        for (pattern, expected) in cases {
            assert_eq!(next(pattern, now, [].into_iter()), Ok(expected), "{pattern}");
        }
        for wrong in ["{{ name }}", "{{ creation_date|upper }}", "{{ creation_date|date:2006 }}"] {
            assert!(next(wrong, now, [].into_iter()).is_err(), "{wrong}");
        }
    }
}
