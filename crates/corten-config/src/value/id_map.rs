//! `raw.idmap`: lines `uid|gid|both HOST[-HOST] INSIDE[-INSIDE]` of ids that pass unchanged.

use std::fmt;

use super::Kind;
use super::go_text::{parse_int, quoted};

/// One line: a run of ids outside and the run inside that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it maps users.
    pub users: bool,
    /// Whether it maps groups.
    pub groups: bool,
    /// The first id on the host.
    pub host: i64,
    /// The first id in the container.
    pub inside: i64,
    /// How many ids.
    pub count: i64,
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.users, self.groups) {
            (true, false) => "uid",
            (false, true) => "gid",
            _ => "both",
        };
        let run = |start: i64| match self.count {
            1 => format!("{start}"),
            count => format!("{start}-{}", start + count - 1),
        };
        write!(out, "{word} {} {}", run(self.host), run(self.inside))
    }
}

/// The value of `raw.idmap`.
#[derive(Clone, Copy, Debug)]
pub struct RawIdMap;

/// The first id and the count of `N` or `N-M`.
fn run(text: &str) -> Result<(i64, i64), String> {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [one] => Ok((parse_int("ParseInt", one)?, 1)),
        [low, high] => {
            let (low, high) = (parse_int("ParseInt", low)?, parse_int("ParseInt", high)?);
            let count = high.checked_sub(low).and_then(|last| last.checked_add(1)).filter(|count| *count > 0);
            count.map(|count| (low, count)).ok_or_else(|| invalid_range(text))
        }
        _ => Err(invalid_range(text)),
    }
}

fn invalid_range(text: &str) -> String {
    format!("Invalid ID Map range {}", quoted(text))
}

fn entry(line: &str) -> Result<Entry, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let [kind, outside, inside] = words.as_slice() else {
        return Err(format!("Invalid ID map line {}", quoted(line)));
    };
    let (host, host_count) = run(outside)?;
    let (inside, count) = run(inside)?;
    if count != host_count {
        return Err(format!("The ID map ranges are of different sizes {}", quoted(line)));
    }
    let (users, groups) = match *kind {
        "both" => (true, true),
        "uid" => (true, false),
        "gid" => (false, true),
        _ => return Err(format!("Invalid ID map type {}", quoted(line))),
    };
    Ok(Entry { users, groups, host, inside, count })
}

impl Kind for RawIdMap {
    type Value = Vec<Entry>;
    const WORD: &'static str = "blob";

    fn parse(&self, text: &str) -> Result<Vec<Entry>, String> {
        let entries: Vec<Entry> =
            text.split('\n').filter(|line| !line.is_empty()).map(entry).collect::<Result<_, _>>()?;
        // A later line may claim ids inside from an earlier one, but a host id has one meaning.
        for (at, one) in entries.iter().enumerate() {
            for other in &entries[at + 1..] {
                let shared = one.users && other.users || one.groups && other.groups;
                let behind = |entry: &Entry| entry.host.saturating_add(entry.count);
                if shared && one.host < behind(other) && other.host < behind(one) {
                    return Err("Host id is in the range of subids".to_owned());
                }
            }
        }
        Ok(entries)
    }

    fn accepts(&self) -> String {
        "lines of uid, gid or both, a range of host ids and one of ids inside".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let map = RawIdMap.parse("both 1000 1000\nuid 50-60 500-510\n").expect("two lines");
        assert_eq!(map[0], Entry { users: true, groups: true, host: 1000, inside: 1000, count: 1 });
        assert_eq!(map[1], Entry { users: true, groups: false, host: 50, inside: 500, count: 11 });
    }

    #[test]
    fn refusals() {
        let cases = [
            ("both 1000", "Invalid ID map line \"both 1000\""),
            ("root 1 1", "Invalid ID map type \"root 1 1\""),
            ("uid 1-2-3 1", "Invalid ID Map range \"1-2-3\""),
            ("uid 9-1 9-1", "Invalid ID Map range \"9-1\""),
            ("uid 1-2 1", "The ID map ranges are of different sizes \"uid 1-2 1\""),
            ("uid x 1", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("uid 1-9 1-9\nboth 5 100", "Host id is in the range of subids"),
        ];
        for (text, expected) in cases {
            assert_eq!(RawIdMap.parse(text), Err(expected.to_owned()), "{text}");
        }
        assert!(RawIdMap.parse("uid 5 5\ngid 5 5").is_ok());
        assert!(RawIdMap.parse(&format!("both {0} 1\nboth 1 {0}", i64::MAX)).is_ok());
    }

    proptest! {
        #[test]
        fn written_and_read_back(users: bool, host in 0..1_000_000_i64, inside in 0..1_000_000_i64, count in 1..9_i64) {
            let entry = Entry { users, groups: !users, host, inside, count };
            prop_assert_eq!(RawIdMap.parse(&entry.to_string()), Ok(vec![entry]));
        }
    }
}
