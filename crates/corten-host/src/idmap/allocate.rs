//! Which map a container gets: the host's, or with `security.idmap.isolated` a range that no other container has.

use super::{Entry, Error, IdMap, Kind};

/// What a container's config asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// `security.idmap.isolated`
    pub isolated: bool,
    /// `security.idmap.base`; `None` to have a range chosen.
    pub base: Option<u32>,
    /// `security.idmap.size`; `None` for LXD's 65536.
    pub size: Option<u32>,
    /// The entries of `raw.idmap`.
    pub raw: &'a [Entry],
}

/// The size of an isolated map that does not say one.
pub const ISOLATED_SIZE: u32 = 65_536;

/// The map for a container and its `volatile.idmap.base`. `host` is the host's map, `taken` the first id and the size
/// of every other isolated container's range, in any order.
///
/// # Errors
/// [`Error::NotEnough`] when no range of that size is free, [`Error::HostIdIsSubId`] when `raw.idmap` names ids of the
/// host that the map has anyway.
pub fn choose(host: &IdMap, request: &Request<'_>, taken: &[(u32, u32)]) -> Result<(IdMap, u32), Error> {
    if !request.isolated {
        return with_raw(host.clone(), request.raw).map(|map| (map, 0));
    }
    let size = request.size.unwrap_or(ISOLATED_SIZE);
    let base = match request.base {
        Some(base) => base,
        None => free_range(host.entries.first().ok_or(Error::NotEnough)?, size, taken)?,
    };
    let (first, count) = (i64::from(base), i64::from(size));
    let entry = Entry { kind: Kind::Both, host: base, ns: 0, count: size };
    entry.checked().ok_or(Error::Beyond { host: first, ns: 0, count })?;
    with_raw(IdMap::both(base, size), request.raw).map(|map| (map, base))
}

fn with_raw(mut map: IdMap, raw: &[Entry]) -> Result<IdMap, Error> {
    raw.iter().try_for_each(|entry| map.add(*entry))?;
    Ok(map)
}

/// The lowest free range. The first 65536 ids of the host's range are what containers share that are not isolated.
fn free_range(host: &Entry, size: u32, taken: &[(u32, u32)]) -> Result<u32, Error> {
    let mut taken: Vec<(u64, u64)> = taken.iter().map(|&(first, count)| (first.into(), count.into())).collect();
    taken.sort_unstable();
    let mut free = u64::from(host.host) + u64::from(ISOLATED_SIZE);
    for (first, count) in taken {
        if free + u64::from(size) <= first {
            break;
        }
        free = free.max(first + count);
    }
    let end = u64::from(host.host) + u64::from(host.count);
    match u32::try_from(free) {
        Ok(first) if free + u64::from(size) <= end => Ok(first),
        _ => Err(Error::NotEnough),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(taken: &[(u32, u32)], size: u32) -> Result<u32, Error> {
        let host = IdMap::both(1_000_000, 1_000_000);
        choose(&host, &Request { isolated: true, size: Some(size), ..Request::default() }, taken).map(|chosen| chosen.1)
    }

    #[test]
    fn isolated_containers_get_the_lowest_free_range() {
        assert_eq!(base(&[], 65_536), Ok(1_065_536));
        assert_eq!(base(&[(1_065_536, 65_536)], 65_536), Ok(1_131_072));
        assert_eq!(base(&[(1_131_072, 65_536)], 65_536), Ok(1_065_536));
        assert_eq!(base(&[(1_196_608, 65_536), (1_065_536, 65_536)], 65_536), Ok(1_131_072));
        assert_eq!(base(&[(1_131_072, 65_536)], 65_537), Ok(1_196_608));
        assert_eq!(base(&[], 1_000_000), Err(Error::NotEnough));
        assert_eq!(base(&[(1_065_536, 900_000)], 65_536), Err(Error::NotEnough));
    }

    #[test]
    fn others_share_the_hosts_map() {
        let host = IdMap::both(1_000_000, 1_000_000);
        let raw = crate::idmap::raw::parse("both 1000 1000").expect("a map");
        let (map, base) = choose(&host, &Request { raw: &raw, ..Request::default() }, &[]).expect("a map");
        assert_eq!(base, 0);
        assert_eq!(map.uid_map(), "0 1000000 1000\n1000 1000 1\n1001 1001001 998999\n");
        let raw = crate::idmap::raw::parse("both 1000005 1000").expect("a map");
        let refused = choose(&host, &Request { raw: &raw, ..Request::default() }, &[]).unwrap_err();
        assert_eq!(refused, Error::HostIdIsSubId);
    }

    #[test]
    fn a_base_that_is_asked_for_is_given() {
        let host = IdMap::both(1_000_000, 1_000_000);
        let request = Request { isolated: true, base: Some(5_000_000), ..Request::default() };
        let (map, base) = choose(&host, &request, &[]).expect("a map");
        assert_eq!((map, base), (IdMap::both(5_000_000, 65_536), 5_000_000));
        let request = Request { base: Some(u32::MAX - 5), ..request };
        assert!(matches!(choose(&host, &request, &[]), Err(Error::Beyond { .. })));
    }
}
