//! Records of pax headers: `LENGTH KEYWORD=VALUE\n`, IEEE Std 1003.1 "pax Extended Header".

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::error::{Error, Result};

/// Records by keyword. A later record of the same keyword replaces an earlier one; an empty value takes back what a
/// global header said.
pub type Records = BTreeMap<String, Vec<u8>>;

/// Adds the records in `data` to `records`; those of GNU's first sparse format, which repeat their keywords, are
/// joined by commas as in its second format.
///
/// # Errors
/// [`Error::Damaged`] when a record breaks the rules.
pub fn read(mut data: &[u8], records: &mut Records) -> Result<()> {
    const OFFSET: &str = "GNU.sparse.offset";
    const LENGTH: &str = "GNU.sparse.numbytes";
    let damaged = || Error::Damaged("an extended header has a record that does not end where it says".to_string());
    while !data.is_empty() {
        let space = data.iter().take(20).position(|byte| *byte == b' ').ok_or_else(damaged)?;
        let length: usize =
            std::str::from_utf8(&data[..space]).ok().and_then(|text| text.parse().ok()).ok_or_else(damaged)?;
        let record = data.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(damaged)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(damaged)?;
        let keyword = std::str::from_utf8(&record[..equals]).map_err(|_| damaged())?;
        let value = &record[equals + 1..];
        if keyword == OFFSET || keyword == LENGTH {
            let map = records.entry("GNU.sparse.map".to_string()).or_default();
            if !map.is_empty() {
                map.push(b',');
            }
            map.extend_from_slice(value);
        } else {
            records.insert(keyword.to_string(), value.to_vec());
        }
        data = &data[length..];
    }
    Ok(())
}

/// The whole number that a record holds; `None` when it is missing or empty.
///
/// # Errors
/// [`Error::Damaged`] when the value is no number.
pub fn number<N: std::str::FromStr>(records: &Records, keyword: &str) -> Result<Option<N>> {
    match records.get(keyword) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => match std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(Error::Damaged(format!("\"{keyword}\" is {:?}, no number", String::from_utf8_lossy(value)))),
        },
    }
}

/// A time: seconds since 1970, perhaps negative, perhaps with a fraction of any length.
///
/// # Errors
/// [`Error::Damaged`] when the value is no time.
pub fn time(records: &Records, keyword: &str) -> Result<Option<(i64, u32)>> {
    let Some(value) = records.get(keyword).filter(|value| !value.is_empty()) else { return Ok(None) };
    let damaged = || Error::Damaged(format!("\"{keyword}\" is {:?}, no time", String::from_utf8_lossy(value)));
    let text = std::str::from_utf8(value).map_err(|_| damaged())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().map_err(|_| damaged())?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(damaged());
    }
    let nanos: u32 = format!("{fraction:0<9}")[..9].parse().map_err(|_| damaged())?;
    Ok(Some(match (whole.starts_with('-'), nanos) {
        // The kernel counts nanoseconds upwards from the second before.
        (true, 1..) => (seconds.checked_sub(1).ok_or_else(damaged)?, 1_000_000_000 - nanos),
        _ => (seconds, nanos),
    }))
}

/// Extended attributes and ACLs: `SCHILY.xattr.NAME` as it is, `SCHILY.acl.…` as the kernel's `system.posix_acl_…`.
pub fn attributes(records: &Records) -> Vec<(OsString, Vec<u8>)> {
    let mut attributes = Vec::new();
    for (keyword, value) in records {
        if let Some(name) = keyword.strip_prefix("SCHILY.xattr.") {
            attributes.push((OsString::from_vec(name.as_bytes().to_vec()), value.clone()));
        } else if let Some(name) = keyword.strip_prefix("SCHILY.acl.")
            && let Some(acl) = acl(value)
        {
            attributes.push((format!("system.posix_acl_{name}").into(), acl));
        }
    }
    attributes
}

/// An ACL in the kernel's form (see [`corten_host::xattr::shift`]), from that form, which LXD writes, or from text,
/// which others write. `None` for text that cannot be understood, such as names of users, who have no meaning here.
fn acl(value: &[u8]) -> Option<Vec<u8>> {
    const VERSION: [u8; 4] = 2u32.to_le_bytes();
    if value.starts_with(&VERSION) {
        return Some(value.to_vec());
    }
    let mut entries = Vec::new();
    for line in std::str::from_utf8(value).ok()?.split([',', '\n']).filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.trim().split(':').collect();
        let (&kind, &who, &bits) = (fields.first()?, fields.get(1)?, fields.get(2)?);
        let bits = bits.chars().take(3).try_fold(0u16, |bits, letter| {
            let bit = match letter {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                '-' => 0,
                _ => return None,
            };
            Some(bits | bit)
        })?;
        // A fourth field, where there is one, is the id behind the name in the second.
        let id = || fields.get(3).unwrap_or(&who).parse::<u32>().ok();
        let (tag, id) = match (kind, who.is_empty()) {
            ("user" | "u", true) => (0x01u16, u32::MAX),
            ("user" | "u", false) => (0x02, id()?),
            ("group" | "g", true) => (0x04, u32::MAX),
            ("group" | "g", false) => (0x08, id()?),
            ("mask" | "m", _) => (0x10, u32::MAX),
            ("other" | "o", _) => (0x20, u32::MAX),
            _ => return None,
        };
        entries.push((tag, id, bits));
    }
    // The kernel wants them ordered by tag and id.
    entries.sort_unstable();
    let mut acl = VERSION.to_vec();
    for (tag, id, bits) in &entries {
        acl.extend([&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat());
    }
    (!entries.is_empty()).then_some(acl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_bad_ones_refused() {
        let mut records = Records::new();
        read(b"12 path=abc\n13 size=1234\n19 path=other=name\n", &mut records).expect("good records");
        assert_eq!(records["path"], b"other=name");
        assert_eq!(number::<u64>(&records, "size").expect("a number"), Some(1234));
        assert_eq!(number::<u64>(&records, "uid").expect("missing"), None);
        assert!(number::<u64>(&records, "path").is_err());
        for bad in [&b"11 path=abc\n"[..], b"13 path=abc\n", b"x path=abc\n", b"9 pathabc\n", b"0 \n", b"12"] {
            assert!(read(bad, &mut Records::new()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_have_fractions_and_signs() {
        for (text, expected) in
            [("7", (7, 0)), ("7.5", (7, 500_000_000)), ("-1.25", (-2, 750_000_000)), ("-3", (-3, 0))]
        {
            let records = Records::from([("mtime".to_string(), text.as_bytes().to_vec())]);
            assert_eq!(time(&records, "mtime").expect("a time"), Some(expected), "{text}");
        }
        let records = Records::from([("mtime".to_string(), b"1.x".to_vec())]);
        assert!(time(&records, "mtime").is_err());
    }

    #[test]
    fn acls_are_taken_from_text_with_numbers() {
        let entry =
            |tag: u16, bits: u16, id: u32| [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat();
        let text = b"user::rw-,user:lisa:r--:1000,group::r--,mask::r--,other::---";
        let expected = [
            2u32.to_le_bytes().to_vec(),
            entry(1, 6, u32::MAX),
            entry(2, 4, 1000),
            entry(4, 4, u32::MAX),
            entry(16, 4, u32::MAX),
            entry(32, 0, u32::MAX),
        ]
        .concat();
        assert_eq!(acl(text), Some(expected.clone()));
        assert_eq!(acl(&expected), Some(expected));
        assert_eq!(acl(b"user:lisa:r--\n"), None);
    }
}
