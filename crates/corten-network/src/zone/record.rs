//! One record of a zone, and reading those that users wrote as in a zone's file.

use std::str::FromStr;

use bytes::Bytes;
use domain::base::Name;
use domain::base::iana::Rtype;
use domain::base::name::FlattenInto;
use domain::base::rdata::RecordData;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};

use super::name::Dname;

/// A record: its name, how long it may be kept, and what it says.
pub type Record = domain::base::Record<Dname, Data>;
/// What a record says.
pub type Data = ZoneRecordData<Bytes, Dname>;

/// How long others may keep a record that says nothing of it, in seconds.
pub const TTL: u32 = 300;
/// The longest text of a value, in bytes: a record must fit into a message with others' names.
const LONGEST: usize = 32 * 1024;
/// Types of what is in messages but never in a zone: `OPT`, and those from `TKEY` to `ANY`.
const NOT_IN_ZONES: std::ops::RangeInclusive<u16> = 128..=255;

/// Reads the value of a record of a type. A TTL of 0 is the usual one. Names without a dot at their end are whole, too.
///
/// # Errors
/// What is wrong, as LXD begins it.
pub fn read(ttl: u64, kind: &str, value: &str) -> Result<(u32, Data), String> {
    let wrong = |why: &str| format!("dns: bad {kind} record: {value:?}: {why}");
    let unknown = || format!("dns: unknown RR type: {kind:?}");
    let rtype = Rtype::from_str(kind).map_err(|_| unknown())?;
    if NOT_IN_ZONES.contains(&rtype.to_int()) || rtype == Rtype::OPT {
        return Err(unknown());
    }
    if rtype == Rtype::SOA {
        return Err(wrong("the server makes this one itself"));
    }
    if value.len() > LONGEST {
        return Err(wrong("it is too long"));
    }
    let ttl = match ttl {
        0 => TTL,
        ttl => u32::try_from(ttl).map_err(|_| wrong("the TTL is too large"))?,
    };
    if !is_closed(value) {
        return Err(wrong("a quotation mark or parenthesis has no counterpart"));
    }
    let mut file = Zonefile::from(format!("record. {ttl} IN {rtype} {value}\n").as_str());
    file.set_origin(Name::root_bytes());
    let record = match file.next_entry() {
        Ok(Some(Entry::Record(record))) => record,
        Ok(_) => return Err(wrong("there is nothing in it")),
        Err(error) => return Err(wrong(&error.to_string())),
    };
    let directs = value.lines().any(|line| line.starts_with('$'));
    match file.next_entry() {
        Ok(None) if !directs && record.data().rtype() == rtype => Ok((ttl, record.into_data().flatten_into())),
        _ => Err(wrong("there is more than one record in it")),
    }
}

/// Whether quotation marks and parentheses of a value go in pairs: the library's reader panics at the end of a text in an open
/// parenthesis.
fn is_closed(value: &str) -> bool {
    let (mut quoted, mut comment, mut depth) = (false, false, 0_usize);
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\n' => comment = false,
            _ if comment => {}
            '\\' => drop(chars.next()),
            '"' => quoted = !quoted,
            _ if quoted => {}
            ';' => comment = true,
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ => {}
        }
    }
    !quoted && depth == 0
}

/// Refuses a value that is not one of its type.
///
/// # Errors
/// As [`read`].
pub fn check(ttl: u64, kind: &str, value: &str) -> Result<(), String> {
    read(ttl, kind, value).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &str, value: &str) -> String {
        match read(0, kind, value) {
            Ok((ttl, data)) => format!("{ttl} {} {data}", data.rtype()),
            Err(why) => why,
        }
    }

    #[test]
    fn values_are_read_as_a_zones_file_has_them() {
        for (kind, value, read) in [
            ("A", "1.1.1.1", "300 A 1.1.1.1"),
            ("AAAA", "1111::1111", "300 AAAA 1111::1111"),
            ("MX", "1 mx1.example.net.", "300 MX 1 mx1.example.net."),
            ("TXT", "v=spf1 mx ~all", "300 TXT \"v=spf1\" \"mx\" \"~all\""),
            ("TXT", "\"one string\" two", "300 TXT \"one string\" \"two\""),
            ("txt", "lower", "300 TXT \"lower\""),
            ("SSHFP", "1 1 aa", "300 SSHFP 1 1 ( AA )"),
            ("TLSA", "3 1 1 aabb", "300 TLSA 3 1 1 ( AABB )"),
            ("SRV", "0 5 80 web.example.net.", "300 SRV 0 5 80 web.example.net"),
            ("CAA", "0 issue \"letsencrypt.org\"", "300 CAA 0 issue \"letsencrypt.org\""),
            ("CNAME", "relative", "300 CNAME relative."),
            ("TYPE65280", "\\# 2 ABCD", "300 TYPE65280 \\# 2 ab cd"),
            ("MX", "( 1\n mx.example.net. ) ; a comment", "300 MX 1 mx.example.net."),
        ] {
            assert_eq!(shown(kind, value), read, "{kind} {value}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for (kind, value) in [
            ("A", "x"),
            ("A", ""),
            ("A", "1.1.1.1 5"),
            ("A", "1.1.1.1\nother. 300 IN A 6.6.6.6"),
            ("A", "1.1.1.1\n$ORIGIN evil."),
            ("A", "1.1.1.1\n$INCLUDE /etc/passwd"),
            ("A", "1.1.1.1 ; a comment\nmore. A 1.1.1.2"),
            ("A", "(10.0.0.1"),
            ("A", "10(0.1"),
            ("TXT", "\"two words\" th(ee"),
            ("TXT", "\"open"),
            ("TXT", "shut)"),
            ("NOTYPE", "x"),
            ("CH A", "1.1.1.1"),
            ("", "1.1.1.1"),
            ("SOA", "a. b. 1 2 3 4 5"),
            ("AXFR", "\\# 0"),
            ("OPT", "\\# 0"),
            ("TSIG", "\\# 0"),
        ] {
            assert!(read(0, kind, value).is_err(), "{kind} {value:?}");
        }
        assert!(read(u64::MAX, "A", "1.1.1.1").is_err());
        assert_eq!(shown("NOTYPE", "x"), "dns: unknown RR type: \"NOTYPE\"");
    }
}
