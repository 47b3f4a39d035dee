//! Which ids this host gives to containers: /etc/subuid and /etc/subgid (subuid(5)), or a default of LXD's.

use std::path::Path;

use super::{Entry, Error, IdMap, Kind};
use crate::file;

/// A range smaller than this is of no use to a container.
const LEAST: u32 = 65_536;

/// LXD's range where nobody says otherwise.
const DEFAULT_FIRST: u32 = 1_000_000;
const DEFAULT_COUNT: u32 = 1_000_000_000;

/// Ids below this belong to the host itself.
const RESERVED: u32 = 100_000;

/// The host's map for user `user`; `None` when there are no ids to give, so that only privileged containers can run.
/// `root` is the host's root directory, `/` but for tests.
///
/// # Errors
/// [`Error::SubId`] when a file is not of its form, [`Error::Unusable`] when the current user namespace lacks the ids.
pub fn host_map(root: &Path, user: &str) -> Result<Option<IdMap>, Error> {
    let read = |path: &str| file::read_if_there(root.join(path)).ok().flatten();
    let current = |path: &str| read(path).map(|text| parse_kernel_map(&text)).filter(|ranges| !ranges.is_empty());
    let (uids, gids) = (current("proc/self/uid_map"), current("proc/self/gid_map"));
    let map = match (read("etc/subuid"), read("etc/subgid")) {
        (Some(subuid), Some(subgid)) => {
            let users = find(&subuid, "/etc/subuid", user)?;
            let groups = find(&subgid, "/etc/subgid", user)?;
            match (users, groups) {
                (Some(users), Some(groups)) => {
                    let pick = |kind, ranges: Vec<(u32, u32)>| {
                        let big = ranges.into_iter().find(|(_, count)| *count >= LEAST);
                        big.map(|(host, count)| Entry { kind, host, ns: 0, count })
                    };
                    let entries = [pick(Kind::Uid, users), pick(Kind::Gid, groups)];
                    IdMap { entries: entries.into_iter().flatten().collect() }
                }
                // LXD gives root a default, and nothing to others.
                _ if user == "root" => default_map(uids.as_deref(), gids.as_deref()),
                _ => IdMap::default(),
            }
        }
        _ => default_map(uids.as_deref(), gids.as_deref()),
    };
    usable(&map, uids.as_deref(), gids.as_deref())?;
    Ok((!map.is_empty()).then_some(map))
}

/// The ranges of `user` in the text of a subuid file; `None` when it has none.
fn find(text: &str, path: &str, user: &str) -> Result<Option<Vec<(u32, u32)>>, Error> {
    let mut ranges = Vec::new();
    for line in text.lines().filter_map(|line| line.split('#').next()).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(':').collect();
        let [name, first, count, ..] = words[..] else {
            return Err(Error::SubId { path: path.to_string(), line: line.to_string() });
        };
        if name.eq_ignore_ascii_case(user)
            && let (Ok(first), Ok(count)) = (first.parse(), count.trim_end().parse())
        {
            ranges.push((first, count));
        }
    }
    Ok((!ranges.is_empty()).then_some(ranges))
}

/// The ids that exist in a namespace, from the text of its uid_map: first and how many, neighbours joined.
fn parse_kernel_map(text: &str) -> Vec<(u32, u32)> {
    let number = |word: Option<&str>| word.and_then(|word| word.parse::<u32>().ok());
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        Some((number(words.next())?, number(words.nth(1))?))
    };
    let mut ranges: Vec<(u32, u32)> = text.lines().filter_map(line).collect();
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, count) in ranges {
        match joined.last_mut() {
            Some(last) if u64::from(last.0) + u64::from(last.1) == u64::from(first) => last.1 += count,
            _ => joined.push((first, count)),
        }
    }
    joined
}

fn default_map(uids: Option<&[(u32, u32)]>, gids: Option<&[(u32, u32)]>) -> IdMap {
    let full = |ranges: Option<&[(u32, u32)]>| ranges.is_none_or(|ranges| ranges == [(0, u32::MAX)]);
    if full(uids) && full(gids) {
        return IdMap::both(DEFAULT_FIRST, DEFAULT_COUNT);
    }
    // In a user namespace: the first range of its own that leaves the ids below RESERVED alone.
    let pick = |kind, ranges: Option<&[(u32, u32)]>| {
        ranges?.iter().find_map(|&(first, count)| {
            let last = first + (count - 1);
            let host = first.max(RESERVED);
            let count = last.checked_sub(host)?.checked_add(1)?;
            (count > LEAST).then_some(Entry { kind, host, ns: 0, count })
        })
    };
    IdMap { entries: [pick(Kind::Uid, uids), pick(Kind::Gid, gids)].into_iter().flatten().collect() }
}

/// Whether all ids of the map exist in the current namespace.
fn usable(map: &IdMap, uids: Option<&[(u32, u32)]>, gids: Option<&[(u32, u32)]>) -> Result<(), Error> {
    let within = |entry: &Entry, ranges: Option<&[(u32, u32)]>| {
        let end = u64::from(entry.host) + u64::from(entry.count);
        ranges.is_none_or(|ranges| {
            ranges.iter().any(|&(first, count)| {
                u64::from(entry.host) >= first.into() && end <= u64::from(first) + u64::from(count)
            })
        })
    };
    for entry in &map.entries {
        let good = (!entry.kind.uid() || within(entry, uids)) && (!entry.kind.gid() || within(entry, gids));
        if !good {
            return Err(Error::Unusable(entry.lines().join(" ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)], user: &str) -> Result<Option<String>, String> {
        let root =
            std::env::temp_dir().join(format!("corten-subid-{}-{:?}", std::process::id(), std::thread::current().id()));
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("temporary directory");
            std::fs::write(path, text).expect("writable");
        }
        std::fs::create_dir_all(&root).expect("temporary directory");
        let found = host_map(&root, user);
        std::fs::remove_dir_all(&root).expect("removable");
        found.map(|map| map.map(|map| map.lines().join("; "))).map_err(|error| error.to_string())
    }

    const DEFAULT: &str = "u 0 1000000 1000000000; g 0 1000000 1000000000";
    const FULL: &str = "         0          0 4294967295\n";

    #[test]
    fn the_first_range_that_is_big_enough_is_taken() {
        let subuid = "# comment\nlxd:1:2\nroot:500:10\nroot:100000:65536\nroot:300000:65536\n";
        let files = [("etc/subuid", subuid), ("etc/subgid", "ROOT:200000:70000 \n"), ("proc/self/uid_map", FULL)];
        assert_eq!(host(&files, "root"), Ok(Some("u 0 100000 65536; g 0 200000 70000".into())));
        let small = [("etc/subuid", "root:500:10"), ("etc/subgid", "root:500:10")];
        assert_eq!(host(&small, "root"), Ok(None));
    }

    #[test]
    fn root_gets_a_default_where_nothing_is_said() {
        assert_eq!(host(&[], "root"), Ok(Some(DEFAULT.into())));
        let others = [("etc/subuid", "u:1:2\n"), ("etc/subgid", "u:1:2\n"), ("proc/self/uid_map", FULL)];
        assert_eq!(host(&others, "root"), Ok(Some(DEFAULT.into())));
        assert_eq!(host(&others, "somebody"), Ok(None));
    }

    #[test]
    fn in_a_user_namespace_only_its_own_ids_are_given() {
        let ns = "0 1000000 100000\n100000 2000000 900000\n";
        let files = [("proc/self/uid_map", ns), ("proc/self/gid_map", ns)];
        assert_eq!(host(&files, "root"), Ok(Some("u 0 100000 900000; g 0 100000 900000".into())));
        let small = [("proc/self/uid_map", "0 1000000 65536\n"), ("proc/self/gid_map", "0 1000000 65536\n")];
        assert_eq!(host(&small, "root"), Ok(None));
        let beyond = [files[0], files[1], ("etc/subuid", "root:900000:200000"), ("etc/subgid", "root:900000:200000")];
        assert_eq!(
            host(&beyond, "root").unwrap_err(),
            "The 'u 0 900000 200000' map can't work in the current user namespace"
        );
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        let files = [("etc/subuid", "root:1\n"), ("etc/subgid", "root:1:70000\n")];
        assert_eq!(host(&files, "root").unwrap_err(), "Unexpected values in \"/etc/subuid\": \"root:1\"");
    }
}
