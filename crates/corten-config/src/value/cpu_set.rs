//! CPUs: a count (`4`) or a set (`0-3,7`).

use std::collections::BTreeSet;
use std::fmt;

use super::Kind;

/// Which CPUs, or how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cpus {
    /// That many, chosen and balanced by the server.
    Count(u32),
    /// These, fixed.
    Set(BTreeSet<u32>),
}

impl Default for Cpus {
    fn default() -> Cpus {
        Cpus::Set(BTreeSet::new())
    }
}

impl fmt::Display for Cpus {
    /// Writes a set with its runs drawn together, as the kernel's cpuset files have it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cpus::Count(count) => count.fmt(out),
            Cpus::Set(set) => out.write_str(&write_set(set)),
        }
    }
}

/// A set as the kernel writes it, except that a single CPU is written as `5-5` nowhere: it stays `5`.
pub fn write_set(set: &BTreeSet<u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for cpu in set {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == *cpu => *end = *cpu,
            _ => runs.push((*cpu, *cpu)),
        }
    }
    let write = |(start, end): (u32, u32)| if start == end { format!("{start}") } else { format!("{start}-{end}") };
    runs.into_iter().map(write).collect::<Vec<_>>().join(",")
}

/// Reads a set as the kernel and LXD write it; one number alone is a set of one here. The empty text is the empty set.
///
/// # Errors
/// LXD's words for a text of another form, or one that names a CPU twice.
pub fn parse_set(text: &str) -> Result<BTreeSet<u32>, String> {
    let invalid = || format!("Invalid cpuset value: {text}");
    // No machine has more; a larger number would only fill memory.
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|cpu| *cpu < 65_536).ok_or_else(invalid);
    let mut set = BTreeSet::new();
    for chunk in text.split(',').filter(|_| !text.is_empty()) {
        let (low, high) = match chunk.split_once('-') {
            Some((low, high)) => (number(low)?, number(high)?),
            None => (number(chunk)?, number(chunk)?),
        };
        for cpu in low..=high {
            if !set.insert(cpu) {
                return Err("Cannot define CPU multiple times".to_owned());
            }
        }
    }
    Ok(set)
}

/// The value of `limits.cpu`.
#[derive(Clone, Copy, Debug)]
pub struct CpuLimit;

impl Kind for CpuLimit {
    type Value = Cpus;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Cpus, String> {
        if !has_lxds_syntax(text) {
            return Err("Invalid CPU limit syntax".to_owned());
        }
        match text.parse() {
            Ok(count) => Ok(Cpus::Count(count)),
            Err(_) => parse_set(text).map(Cpus::Set),
        }
    }

    fn accepts(&self) -> String {
        "a number of CPUs, or a set such as 0-3,7".to_owned()
    }
}

/// Numbers with commas and hyphens between them, the first or the second of which must be a comma.
fn has_lxds_syntax(text: &str) -> bool {
    let numbers_ok =
        text.split([',', '-']).all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let separators: Vec<u8> = text.bytes().filter(|byte| matches!(byte, b',' | b'-')).collect();
    numbers_ok && (separators.len() < 2 || separators[..2].contains(&b','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_and_sets() {
        assert_eq!(CpuLimit.parse("4"), Ok(Cpus::Count(4)));
        let cases = [
            ("0-3", vec![0, 1, 2, 3]),
            ("0,2", vec![0, 2]),
            ("1-2,5", vec![1, 2, 5]),
            ("0-1,4-5,7", vec![0, 1, 4, 5, 7]),
        ];
        for (text, cpus) in cases {
            assert_eq!(CpuLimit.parse(text), Ok(Cpus::Set(cpus.into_iter().collect())), "{text}");
        }
    }

    #[test]
    fn refusals() {
        let cases = [
            ("x", "Invalid CPU limit syntax"),
            ("0-", "Invalid CPU limit syntax"),
            ("1-2-3", "Invalid CPU limit syntax"),
            ("-1", "Invalid CPU limit syntax"),
            ("1,2-3-4", "Invalid cpuset value: 1,2-3-4"),
            ("0-99999999", "Invalid cpuset value: 0-99999999"),
            ("1-3,3", "Cannot define CPU multiple times"),
        ];
        for (text, expected) in cases {
            assert_eq!(CpuLimit.parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_back(set in proptest::collection::btree_set(0..200_u32, 0..40)) {
            prop_assert_eq!(parse_set(&write_set(&set)), Ok(set));
        }
    }
}
