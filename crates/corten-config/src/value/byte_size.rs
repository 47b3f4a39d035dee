//! Sizes in bytes: `10GiB` (1024), `10GB` (1000), or a bare number.

use super::Kind;

/// A size in bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByteSize;

const UNITS: [(&str, i64); 15] = [
    ("", 1),
    ("B", 1),
    (" bytes", 1),
    ("kB", 1000),
    ("MB", 1000_i64.pow(2)),
    ("GB", 1000_i64.pow(3)),
    ("TB", 1000_i64.pow(4)),
    ("PB", 1000_i64.pow(5)),
    ("EB", 1000_i64.pow(6)),
    ("KiB", 1024),
    ("MiB", 1024_i64.pow(2)),
    ("GiB", 1024_i64.pow(3)),
    ("TiB", 1024_i64.pow(4)),
    ("PiB", 1024_i64.pow(5)),
    ("EiB", 1024_i64.pow(6)),
];

/// Splits a text where its leading digits end, and reads them; the error is LXD's.
pub(super) fn split(text: &str) -> Result<(i64, &str), String> {
    let end = text.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Err(format!("Invalid value: {text}"));
    }
    let number = text[..end].parse().map_err(|_| format!("Invalid integer: {text}"))?;
    Ok((number, &text[end..]))
}

/// The product, or LXD's words for one that is too large.
pub(super) fn times(number: i64, unit: i64) -> Result<i64, String> {
    number.checked_mul(unit).ok_or_else(|| format!("Overflow multiplying {number} with {unit}"))
}

/// Reads a size. The empty text is 0.
///
/// # Errors
/// `Invalid value: …` for an unknown unit, `Invalid integer: …` or `Overflow multiplying …` for one too large.
pub fn parse(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let (number, suffix) = split(text)?;
    let unit = UNITS.iter().find(|(name, _)| *name == suffix).ok_or_else(|| format!("Invalid value: {text}"))?;
    times(number, unit.1)
}

/// Writes a number of bytes in powers of 1000 with `precision` decimals: `1.50MB`.
pub fn decimal(bytes: i64, precision: usize) -> String {
    scaled(bytes, precision, 1000.0, ["kB", "MB", "GB", "TB", "PB", "EB"])
}

/// Writes a number of bytes in powers of 1024 with `precision` decimals: `1.50MiB`.
pub fn binary(bytes: i64, precision: usize) -> String {
    scaled(bytes, precision, 1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

#[expect(clippy::cast_precision_loss, reason = "the text has a few digits only")]
fn scaled(bytes: i64, precision: usize, step: f64, units: [&str; 6]) -> String {
    let mut value = bytes as f64;
    if value < step {
        return format!("{bytes}B");
    }
    let mut unit = "";
    for next in units {
        unit = next;
        value /= step;
        if value < step {
            break;
        }
    }
    format!("{value:.precision$}{unit}")
}

/// Writes a size so that it reads back exactly, in the largest binary unit that fits.
pub fn exact(bytes: i64) -> String {
    let fitting = UNITS[9..].iter().rev().find(|(_, unit)| bytes != 0 && bytes % unit == 0);
    fitting.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

impl Kind for ByteSize {
    type Value = i64;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<i64, String> {
        parse(text)
    }

    fn accepts(&self) -> String {
        "a size such as 512MiB or 10GB".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        let cases = [
            ("", 0),
            ("123", 123),
            ("1B", 1),
            ("9 bytes", 9),
            ("1kB", 1000),
            ("2MiB", 2 * 1024 * 1024),
            ("10GB", 10_000_000_000),
            ("7EiB", 7 << 60),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals() {
        let cases = [
            ("GB", "Invalid value: GB"),
            ("-1GB", "Invalid value: -1GB"),
            ("1gb", "Invalid value: 1gb"),
            ("1.5GiB", "Invalid value: 1.5GiB"),
            ("99999999999999999999", "Invalid integer: 99999999999999999999"),
            ("9EiB", "Overflow multiplying 9 with 1152921504606846976"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected.to_owned()));
        }
    }

    #[test]
    fn prints_as_lxd() {
        let cases =
            [(0, "0B", "0B"), (999, "999B", "999B"), (1000, "1.00kB", "1000B"), (1_572_864, "1.57MB", "1.50MiB")];
        for (bytes, thousand, thousand_twenty_four) in cases {
            assert_eq!(decimal(bytes, 2), thousand);
            assert_eq!(binary(bytes, 2), thousand_twenty_four);
        }
        assert_eq!(binary(i64::MAX, 2), "8.00EiB");
    }

    proptest! {
        #[test]
        fn written_and_read_back(bytes in 0..i64::MAX) {
            prop_assert_eq!(parse(&exact(bytes)), Ok(bytes));
        }
    }
}
