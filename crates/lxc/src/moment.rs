//! Points in time as lists show them.

use corten_api::time::Time;
use jiff::tz::TimeZone;

/// `Nov 2, 2026 at 3:04pm (UTC)`.
pub fn day_and_hour(time: Time) -> String {
    time.timestamp().to_zoned_datetime(TimeZone::UTC).strftime("%b %-d, %Y at %-I:%M%P (UTC)").to_string()
}

/// `2026/11/02 15:04 UTC`, in UTC.
pub fn minute(time: Time) -> String {
    time.timestamp().to_zoned_datetime(TimeZone::UTC).strftime("%Y/%m/%d %H:%M UTC").to_string()
}

/// `2026/11/02 15:04 CET`, in the zone of this host.
pub fn local_minute(time: Time) -> String {
    time.local("%Y/%m/%d %H:%M %Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_lxd_shows_them() {
        let time = Time::from_unix(1_793_631_840, 0);
        assert_eq!(day_and_hour(time), "Nov 2, 2026 at 3:04pm (UTC)");
        assert_eq!(minute(time), "2026/11/02 15:04 UTC");
        assert_eq!(day_and_hour(Time::ZERO), "Jan 1, 0001 at 12:00am (UTC)");
    }
}
