//! Points in time as Go's `time.Time` writes them: RFC 3339 with as many digits of the second as it needs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time. Its default is Go's zero time, `0001-01-01T00:00:00Z`, which LXD sends for "never".
///
/// The name of the serde newtype is `Time`, so that a writer of YAML can tell it from a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

/// Seconds from Go's zero time to the Unix epoch.
const ZERO_SECONDS: i64 = -62_135_596_800;

impl Time {
    /// Go's zero time: year 1, "never".
    pub const ZERO: Time = Time(Timestamp::constant(ZERO_SECONDS, 0));

    /// The present moment, to the nanosecond.
    pub fn now() -> Time {
        Time(Timestamp::now())
    }

    /// The moment `seconds` and `nanoseconds` after the Unix epoch; [`Time::ZERO`] beyond the calendar's range.
    pub fn from_unix(seconds: i64, nanoseconds: i32) -> Time {
        Timestamp::new(seconds, nanoseconds).map_or(Time::ZERO, Time)
    }

    /// Seconds since the Unix epoch, negative before it.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// Nanoseconds since the Unix epoch, as the database keeps times.
    pub fn unix_nanoseconds(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// Whether this is "never": the zero time, or the Unix epoch, which LXD treats alike.
    pub fn is_never(self) -> bool {
        self == Time::ZERO || self.unix() == 0
    }

    /// The moment as jiff knows it, for calendars and time zones.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// The moment in the host's own time zone, formatted by `strftime(3)`-like codes.
    pub fn local(self, format: &str) -> String {
        self.0.to_zoned_datetime(TimeZone::system()).strftime(format).to_string()
    }
}

impl Default for Time {
    fn default() -> Time {
        Time::ZERO
    }
}

impl From<Timestamp> for Time {
    fn from(moment: Timestamp) -> Time {
        Time(moment)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.0.to_zoned_datetime(TimeZone::UTC);
        let date = zoned.strftime("%Y-%m-%dT%H:%M:%S");
        let nanoseconds = zoned.subsec_nanosecond();
        if nanoseconds == 0 {
            return write!(out, "{date}Z");
        }
        let digits = format!("{nanoseconds:09}");
        write!(out, "{date}.{}Z", digits.trim_end_matches('0'))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Time, String> {
        text.parse().map(Time).map_err(|error| format!("\"{text}\" is not a time as RFC 3339 writes it: {error}"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_newtype_struct("Time", &self.to_string())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_700_000_000, 120_000_000, "2023-11-14T22:13:20.12Z"),
            (1_700_000_000, 1, "2023-11-14T22:13:20.000000001Z"),
        ] {
            let time = Time::from_unix(seconds, nanoseconds);
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
        }
        assert_eq!(Time::ZERO.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!("0001-01-01T00:00:00Z".parse(), Ok(Time::ZERO));
        assert_eq!("2023-11-14T23:13:20+01:00".parse(), Ok(Time::from_unix(1_700_000_000, 0)));
    }
}
