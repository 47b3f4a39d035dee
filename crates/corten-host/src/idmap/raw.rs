//! The config key `raw.idmap`: lines of `both 1000 1000`, `uid 50-60 500-510`, host first.

use super::{Entry, Error, IdMap, Kind};

/// Reads the text of `raw.idmap`.
///
/// # Errors
/// [`Error`] in LXD's words.
pub fn parse(text: &str) -> Result<Vec<Entry>, Error> {
    let mut map = IdMap::default();
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, host, ns] = words[..] else { return Err(Error::Line(line.to_string())) };
        let (host, host_count) = range(host)?;
        let (ns, count) = range(ns)?;
        if host_count != count {
            return Err(Error::Sizes(line.to_string()));
        }
        let kind = match kind {
            "both" => Kind::Both,
            "uid" => Kind::Uid,
            "gid" => Kind::Gid,
            _ => return Err(Error::Kind(line.to_string())),
        };
        let entry = Entry { kind, host, ns, count }.checked();
        map.add(entry.ok_or_else(|| Error::Range(line.to_string()))?)?;
    }
    Ok(map.entries)
}

/// `1000` or `1000-1010`: the first id and how many.
fn range(text: &str) -> Result<(u32, u32), Error> {
    let wrong = || Error::Range(text.to_string());
    let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    let count = last.checked_sub(first).and_then(|more| more.checked_add(1)).ok_or_else(wrong)?;
    Ok((first, count))
}
