//! Which id map an instance gets, from its keys and the host's.

use corten_api::error::{Error, Result, chain};
use corten_host::idmap::allocate::{Request, choose};
use corten_host::idmap::{IdMap, raw};
use corten_runtime::spec::{self, IdRange};

use crate::instance::Instance;
use crate::volatile;

/// The map for the next start and its `volatile.idmap.base`; an empty map for privileged instances.
///
/// `others` are the other instances of the host, whose isolated ranges are taken.
///
/// # Errors
/// When the host gives root no ids to map, or the keys ask for what is not there.
pub fn next(instance: &Instance, host: Option<&IdMap>, others: &[Instance]) -> Result<(IdMap, u32)> {
    if instance.is_privileged() {
        return Ok((IdMap::default(), 0));
    }
    let host = host.filter(|map| !map.is_empty()).ok_or_else(no_ids)?;
    let number = |key: &str| match instance.get(key) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Error::invalid(format!("Invalid {key}: {text}"))),
    };
    let entries = raw::parse(instance.get("raw.idmap")).map_err(|error| Error::invalid(chain(&error)))?;
    let isolated = instance.is_on("security.idmap.isolated");
    let (base, size) = (number("security.idmap.base")?, number("security.idmap.size")?);
    let request = Request { isolated, base: base.or_else(|| remembered(instance)), size, raw: &entries };
    let taken: Vec<(u32, u32)> = others.iter().filter_map(taken).collect();
    choose(host, &request, &taken).map_err(|error| Error::invalid(chain(&error)))
}

fn no_ids() -> Error {
    Error::invalid(
        "LXD doesn't have a uid/gid allocation. In this mode, only privileged containers are supported; \
         give root a range of at least 65536 ids in /etc/subuid and /etc/subgid",
    )
}

/// The range that an isolated instance has already.
fn remembered(instance: &Instance) -> Option<u32> {
    let base = instance.volatile(volatile::IDMAP_BASE).parse().ok()?;
    (base != 0 && instance.is_on("security.idmap.isolated")).then_some(base)
}

/// First id and size of an isolated instance's range.
fn taken(instance: &Instance) -> Option<(u32, u32)> {
    let base = remembered(instance)?;
    let size = instance.get("security.idmap.size").parse().unwrap_or(corten_host::idmap::allocate::ISOLATED_SIZE);
    Some((base, size))
}

/// The map as the runtime takes it; `None` for an empty one.
pub fn for_runtime(map: &IdMap) -> Option<spec::IdMap> {
    let ranges = |mapped: fn(corten_host::idmap::Kind) -> bool| {
        let mut ranges = Vec::new();
        for entry in map.entries.iter().filter(|entry| mapped(entry.kind)) {
            let range = IdRange { inside: entry.ns, outside: entry.host, count: entry.count };
            // An entry of raw.idmap is listed in the place of each that it cut, and the kernel takes each id once.
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        ranges
    };
    (!map.is_empty()).then(|| spec::IdMap {
        uids: ranges(corten_host::idmap::Kind::uid),
        gids: ranges(corten_host::idmap::Kind::gid),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;

    fn instance(keys: &[(&str, &str)]) -> Instance {
        let config: Config = keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Instance { config: config.clone(), expanded_config: config, ..Instance::default() }
    }

    #[test]
    fn maps_follow_the_keys() {
        let host = IdMap::both(1_000_000, 1_000_000);
        let shared = next(&instance(&[]), Some(&host), &[]).expect("the host's");
        assert_eq!(shared, (host.clone(), 0));
        let privileged = next(&instance(&[("security.privileged", "true")]), None, &[]).expect("needs no ids");
        assert!(privileged.0.is_empty());
        let other = instance(&[("security.idmap.isolated", "true"), ("volatile.idmap.base", "1065536")]);
        let isolated = next(&instance(&[("security.idmap.isolated", "true")]), Some(&host), &[other]).expect("room");
        assert_eq!(isolated.1, 1_131_072);
        assert!(next(&instance(&[]), None, &[]).expect_err("no ids").message.contains("/etc/subuid"));
    }

    #[test]
    fn the_runtime_gets_users_and_groups_apart() {
        let map = for_runtime(&IdMap::both(100_000, 65_536)).expect("not empty");
        assert_eq!((map.uids.len(), map.gids[0].outside), (1, 100_000));
        assert_eq!(for_runtime(&IdMap::default()), None);
        let mut cut = IdMap::both(100_000, 65_536);
        let kind = corten_host::idmap::Kind::Both;
        cut.add(corten_host::idmap::Entry { kind, host: 0, ns: 0, count: 1 }).expect("it fits");
        let map = for_runtime(&cut).expect("not empty");
        let ranges = map.uids.iter().map(|range| (range.inside, range.outside, range.count)).collect::<Vec<_>>();
        assert_eq!(ranges, [(0, 0, 1), (1, 100_001, 65_535)]);
        assert_eq!(map.gids, map.uids);
    }
}
