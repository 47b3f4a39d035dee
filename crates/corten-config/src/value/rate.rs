//! Rates: bits per second of interfaces, bytes or operations per second of disks.

use super::Kind;
use super::byte_size::{self, split, times};

/// Bits per second: `10Mbit` (1000), `10Mibit` (1024), or a bare number.
#[derive(Clone, Copy, Debug)]
pub struct BitRate;

const UNITS: [(&str, i64); 14] = [
    ("", 1),
    ("bit", 1),
    ("kbit", 1000),
    ("Mbit", 1000_i64.pow(2)),
    ("Gbit", 1000_i64.pow(3)),
    ("Tbit", 1000_i64.pow(4)),
    ("Pbit", 1000_i64.pow(5)),
    ("Ebit", 1000_i64.pow(6)),
    ("Kibit", 1024),
    ("Mibit", 1024_i64.pow(2)),
    ("Gibit", 1024_i64.pow(3)),
    ("Tibit", 1024_i64.pow(4)),
    ("Pibit", 1024_i64.pow(5)),
    ("Eibit", 1024_i64.pow(6)),
];

impl Kind for BitRate {
    type Value = i64;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<i64, String> {
        let (number, suffix) = split(text)?;
        let unit = UNITS.iter().find(|(name, _)| *name == suffix);
        times(number, unit.ok_or_else(|| format!("Unsupported suffix: {suffix}"))?.1)
    }

    fn accepts(&self) -> String {
        "a rate such as 10Mbit".to_owned()
    }
}

/// What a disk may do per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Bytes per second.
    Bytes(i64),
    /// Operations per second.
    Operations(i64),
}

impl Default for Disk {
    fn default() -> Disk {
        Disk::Bytes(0)
    }
}

/// A limit of a disk: `20MB` bytes or `100iops` operations per second.
#[derive(Clone, Copy, Debug)]
pub struct DiskRate;

impl Kind for DiskRate {
    type Value = Disk;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Disk, String> {
        match text.strip_suffix("iops") {
            Some(number) => super::go_text::parse_int("ParseInt", number).map(Disk::Operations),
            None => byte_size::parse(text).map(Disk::Bytes),
        }
    }

    fn accepts(&self) -> String {
        "bytes per second such as 20MB, or operations such as 100iops".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits() {
        let cases = [("100", 100), ("1kbit", 1000), ("3Mibit", 3 << 20), ("2Gbit", 2_000_000_000)];
        for (text, expected) in cases {
            assert_eq!(BitRate.parse(text), Ok(expected), "{text}");
        }
        assert_eq!(BitRate.parse("1MB"), Err("Unsupported suffix: MB".to_owned()));
        assert_eq!(BitRate.parse("fast"), Err("Invalid value: fast".to_owned()));
    }

    #[test]
    fn disks() {
        assert_eq!(DiskRate.parse("10MB"), Ok(Disk::Bytes(10_000_000)));
        assert_eq!(DiskRate.parse("50iops"), Ok(Disk::Operations(50)));
        assert!(DiskRate.parse("iops").is_err());
    }
}
