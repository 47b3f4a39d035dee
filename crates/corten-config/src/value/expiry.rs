//! Lifetimes: `30S 1M 2H 3d 4w 5m 6y`, any of them, each once.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::Kind;
use super::go_text::parse_int;

/// How long something is kept; months and years count by the calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// `S`.
    pub seconds: i64,
    /// `M`.
    pub minutes: i64,
    /// `H`.
    pub hours: i64,
    /// `d`.
    pub days: i64,
    /// `w`.
    pub weeks: i64,
    /// `m`.
    pub months: i64,
    /// `y`.
    pub years: i64,
}

impl Lifetime {
    fn parts(&mut self) -> [(char, &mut i64); 7] {
        [
            ('S', &mut self.seconds),
            ('M', &mut self.minutes),
            ('H', &mut self.hours),
            ('d', &mut self.days),
            ('w', &mut self.weeks),
            ('m', &mut self.months),
            ('y', &mut self.years),
        ]
    }

    /// The moment at which something made at `start` has lived so long, in UTC. As in Go, 31 January and a month is
    /// 3 March.
    /// `None` if that is beyond the calendar.
    pub fn after(self, start: Timestamp) -> Option<Timestamp> {
        let from = Offset::UTC.to_datetime(start);
        let month = self.months.checked_add(i64::from(from.month()) - 1)?;
        let year = i64::from(from.year()).checked_add(self.years)?.checked_add(month.div_euclid(12))?;
        let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
        let days = self.weeks.checked_mul(7)?.checked_add(self.days)?.checked_add(i64::from(from.day()) - 1)?;
        let date = first.checked_add(SignedDuration::from_secs(days.checked_mul(86_400)?)).ok()?;
        let moment = Offset::UTC.to_timestamp(date.to_datetime(from.time())).ok()?;
        let hours = self.hours.checked_mul(3600)?;
        let seconds = self.minutes.checked_mul(60)?.checked_add(self.seconds)?.checked_add(hours)?;
        moment.checked_add(SignedDuration::from_secs(seconds)).ok()
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = *self;
        let parts = copy.parts().into_iter().filter(|(_, number)| **number != 0);
        let texts: Vec<String> = parts.map(|(unit, number)| format!("{number}{unit}")).collect();
        out.write_str(&texts.join(" "))
    }
}

/// The lifetime of a snapshot, token or backup.
#[derive(Clone, Copy, Debug)]
pub struct Expiry;

impl Kind for Expiry {
    type Value = Lifetime;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Lifetime, String> {
        let invalid = || "Invalid expiry expression".to_owned();
        let mut lifetime = Lifetime::default();
        if text.trim().is_empty() {
            return Ok(lifetime);
        }
        for word in text.trim().split(' ') {
            let unit = word.chars().last().ok_or_else(invalid)?;
            let digits = &word[..word.len() - unit.len_utf8()];
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(invalid());
            }
            let mut parts = lifetime.parts().into_iter();
            let (_, number) = parts.find(|(known, _)| *known == unit).ok_or_else(invalid)?;
            if *number > 0 {
                return Err(invalid());
            }
            *number = parse_int("Atoi", digits)?;
        }
        Ok(lifetime)
    }

    fn accepts(&self) -> String {
        "numbers with units, such as 2w 3d (S, M, H, d, w, m, y)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(text: &str, start: &str) -> String {
        let lifetime = Expiry.parse(text).expect("a lifetime");
        lifetime.after(start.parse().expect("a time")).expect("in the calendar").to_string()
    }

    #[test]
    fn moments() {
        let cases = [
            ("30S", "2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z"),
            ("1M 2H 3d 4w", "2026-01-01T00:00:00Z", "2026-02-01T02:01:00Z"),
            ("1m", "2026-01-31T10:00:00Z", "2026-03-03T10:00:00Z"),
            ("1y 12m", "2024-02-29T00:00:00.5Z", "2026-03-01T00:00:00.5Z"),
        ];
        for (text, start, end) in cases {
            assert_eq!(after(text, start), end, "{text}");
        }
        let far = Lifetime { years: 1 << 40, ..Lifetime::default() };
        assert_eq!(far.after(Timestamp::UNIX_EPOCH), None);
        for unit in ['S', 'M', 'H', 'd', 'w', 'm', 'y'] {
            let longest = Expiry.parse(&format!("{}{unit}", i64::MAX)).expect("a lifetime");
            assert_eq!(longest.after("2026-12-31T23:59:59Z".parse().expect("a time")), None, "{unit}");
        }
    }

    #[test]
    fn refusals() {
        for text in ["1", "d", "1D", "1d 2d", "1d  2w", "-1d", "1d,2w"] {
            assert_eq!(Expiry.parse(text), Err("Invalid expiry expression".to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_back(numbers: [u32; 7]) {
            let mut lifetime = Lifetime::default();
            for ((_, part), number) in lifetime.parts().into_iter().zip(numbers) {
                *part = i64::from(number);
            }
            prop_assert_eq!(Expiry.parse(&lifetime.to_string()), Ok(lifetime));
        }
    }
}
