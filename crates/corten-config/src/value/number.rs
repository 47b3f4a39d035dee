//! Numbers: signed, unsigned, in a range.

use super::Kind;
use super::go_text::{parse_int, parse_uint, quoted};

/// Any 64-bit integer.
#[derive(Clone, Copy, Debug)]
pub struct Integer;

fn integer(text: &str) -> Result<i64, String> {
    parse_int("ParseInt", text).map_err(|_| format!("Invalid value for an integer {}", quoted(text)))
}

impl Kind for Integer {
    type Value = i64;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<i64, String> {
        integer(text)
    }
}

/// A number of 0 to 255.
#[derive(Clone, Copy, Debug)]
pub struct Byte;

impl Kind for Byte {
    type Value = u8;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u8, String> {
        let number = parse_uint(text).ok().and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| format!("Invalid value for an integer {}. Must be between 0 and 255", quoted(text)))
    }

    fn accepts(&self) -> String {
        "0 to 255".to_owned()
    }
}

/// An unsigned 32-bit number.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned;

impl Kind for Unsigned {
    type Value = u32;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u32, String> {
        let refused = |why: String| format!("Invalid value for uint32 {}: {why}", quoted(text));
        let number = parse_uint(text).map_err(&refused)?;
        let too_large = || refused(format!("strconv.ParseUint: parsing {}: value out of range", quoted(text)));
        u32::try_from(number).map_err(|_| too_large())
    }

    fn accepts(&self) -> String {
        "0 to 4294967295".to_owned()
    }
}

/// An integer of a range, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct InRange(pub i64, pub i64);

impl Kind for InRange {
    type Value = i64;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<i64, String> {
        let InRange(low, high) = *self;
        match integer(text)? {
            number if (low..=high).contains(&number) => Ok(number),
            _ => Err(format!("Value isn't within valid range. Must be between {low} and {high}")),
        }
    }

    fn accepts(&self) -> String {
        format!("{} to {}", self.0, self.1)
    }
}

/// A priority of 0 to 10.
#[derive(Clone, Copy, Debug)]
pub struct Priority;

impl Kind for Priority {
    type Value = i64;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<i64, String> {
        match integer(text)? {
            number if (0..=10).contains(&number) => Ok(number),
            _ => Err(format!("Invalid value for a limit {}. Must be between 0 and 10", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "0 to 10".to_owned()
    }
}

/// A number that a cluster-wide key takes, checked by a rule with a sentence of its own.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What is said of a text that is no number.
    pub not_a_number: &'static str,
    /// Which numbers are taken.
    pub rule: fn(i64) -> bool,
    /// What is said of any other.
    pub refused: &'static str,
}

impl Kind for Counted {
    type Value = i64;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<i64, String> {
        match parse_int("Atoi", text) {
            Ok(number) if (self.rule)(number) => Ok(number),
            Ok(_) => Err(self.refused.to_owned()),
            Err(_) => Err(self.not_a_number.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken() {
        assert_eq!(Integer.parse("-12"), Ok(-12));
        assert_eq!(Byte.parse("255"), Ok(255));
        assert_eq!(Unsigned.parse("4294967295"), Ok(u32::MAX));
        assert_eq!(InRange(1, 3).parse("3"), Ok(3));
        assert_eq!(Priority.parse("10"), Ok(10));
    }

    #[test]
    fn refused_in_lxds_words() {
        assert_eq!(Integer.parse("1.5"), Err("Invalid value for an integer \"1.5\"".to_owned()));
        assert_eq!(
            Byte.parse("256"),
            Err("Invalid value for an integer \"256\". Must be between 0 and 255".to_owned())
        );
        let words = "Invalid value for uint32 \"-1\": strconv.ParseUint: parsing \"-1\": invalid syntax";
        assert_eq!(Unsigned.parse("-1"), Err(words.to_owned()));
        assert_eq!(InRange(1, 3).parse("4"), Err("Value isn't within valid range. Must be between 1 and 3".to_owned()));
        assert_eq!(Priority.parse("11"), Err("Invalid value for a limit \"11\". Must be between 0 and 10".to_owned()));
    }
}
