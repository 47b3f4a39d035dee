//! Schedules: lines of cron, or aliases such as `@daily`, separated by a comma and a space.

use jiff::civil::DateTime;

use super::Kind;
use super::go_text::parse_int;

/// When something happens by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    triggers: Vec<Trigger>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trigger {
    /// At the start of the server or instance, or never: no moment of the clock.
    Event(String),
    Clock(Line),
}

/// A line of cron as five sets of numbers, one bit each, and whether a field is a star.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    fields: [u64; 5],
    any_day: bool,
    any_weekday: bool,
    /// How many of the fields, minute and hour, are another number for each thing, so that not everything that is
    /// scheduled daily is done at once.
    spread: usize,
}

/// Least and greatest number of minute, hour, day, month and weekday.
const BOUNDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What the aliases stand for, and how many of their fields are spread.
const ALIASES: [(&str, &str, usize); 7] = [
    ("@hourly", "0 * * * *", 1),
    ("@daily", "0 0 * * *", 2),
    ("@midnight", "0 0 * * *", 1),
    ("@weekly", "0 0 * * 0", 2),
    ("@monthly", "0 0 1 * *", 2),
    ("@annually", "0 0 1 1 *", 2),
    ("@yearly", "0 0 1 1 *", 2),
];

/// The minute and hour of the thing with this number where an alias leaves them open: the same each time, and others
/// for other things. The factors have no divisor in common with 60 and 24, so that neighbours are far apart.
fn own_time(spread: u64) -> [u64; 2] {
    [spread.wrapping_mul(37) % 60, spread.wrapping_mul(7) % 24]
}

impl Plan {
    /// Whether this minute is one of the plan's, for the thing with the number `spread`.
    pub fn is_due(&self, spread: u64, minute: DateTime) -> bool {
        self.triggers.iter().any(|trigger| matches!(trigger, Trigger::Clock(line) if line.is_due(spread, minute)))
    }

    /// Whether the plan names this event: `@startup` or `@never`.
    pub fn names(&self, event: &str) -> bool {
        self.triggers.iter().any(|trigger| matches!(trigger, Trigger::Event(known) if known == event))
    }
}

impl Line {
    fn is_due(&self, spread: u64, at: DateTime) -> bool {
        let now = [at.minute(), at.hour(), at.day(), at.month(), at.weekday().to_sunday_zero_offset()];
        let own = own_time(spread);
        let has = |field: usize| {
            let bits = if field < self.spread { 1 << own[field] } else { self.fields[field] };
            u32::try_from(now[field]).is_ok_and(|number| bits >> number & 1 == 1)
        };
        // If both day and weekday are given, either will do; a star leaves it to the other.
        let day = match self.any_day || self.any_weekday {
            true => has(2) && has(4),
            false => has(2) || has(4),
        };
        has(0) && has(1) && has(3) && day
    }

    fn parse(text: &str) -> Result<Line, String> {
        let mut line = Line { fields: [0; 5], any_day: false, any_weekday: false, spread: 0 };
        for (at, field) in text.split_whitespace().enumerate().take(5) {
            for part in field.split(',') {
                let (bits, star) = range(part, at)?;
                line.fields[at] |= bits;
                line.any_day |= star && at == 2;
                line.any_weekday |= star && at == 4;
            }
        }
        Ok(line)
    }
}

/// One `*`, `N`, `N-M`, with `/STEP`; the errors are those of LXD's library.
fn range(text: &str, field: usize) -> Result<(u64, bool), String> {
    let (least, greatest) = BOUNDS[field];
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let star = matches!(ends[0], "*" | "?");
    let (start, mut end) = match (star, ends.as_slice()) {
        (true, _) => (least, greatest),
        (false, [one]) => (number_or_name(one, field)?, number_or_name(one, field)?),
        (false, [low, high]) => (number_or_name(low, field)?, number_or_name(high, field)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let step = match parts.as_slice() {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = greatest;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > greatest {
        return Err(format!("end of range ({end}) above maximum ({greatest}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    let steps = usize::try_from(step).ok().filter(|step| *step > 0);
    let steps = steps.ok_or_else(|| format!("step of range should be a positive number: {text}"))?;
    let bits = (start..=end).step_by(steps).fold(0, |bits, number| bits | 1 << number);
    Ok((bits, star && step <= 1))
}

fn number_or_name(text: &str, field: usize) -> Result<u32, String> {
    let named = match field {
        3 => MONTHS.iter().position(|name| *name == text).map(|at| at + 1),
        4 => WEEKDAYS.iter().position(|name| *name == text),
        _ => None,
    };
    named.and_then(|at| u32::try_from(at).ok()).map_or_else(|| number(text), Ok)
}

fn number(text: &str) -> Result<u32, String> {
    let number = parse_int("Atoi", text).map_err(|why| format!("failed to parse int from {text}: {why}"))?;
    match u32::try_from(number) {
        Ok(number) => Ok(number),
        Err(_) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Err(_) => Ok(u32::MAX),
    }
}

/// A schedule; instances know `@startup` and `@never`, volumes do not.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Whether `@startup` and `@never` are taken.
    pub events: bool,
}

impl Kind for Schedule {
    type Value = Plan;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Plan, String> {
        let lower = text.to_lowercase();
        let trigger = |text: &str| {
            if let Some((_, line, spread)) = ALIASES.iter().find(|(name, ..)| *name == text) {
                return Line::parse(line).map(|line| Trigger::Clock(Line { spread: *spread, ..line }));
            }
            if self.events && matches!(text, "@startup" | "@never") {
                return Ok(Trigger::Event(text.to_owned()));
            }
            if text.split(' ').count() != 5 || text.split_whitespace().count() != 5 {
                return Err(
                    "Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>".to_owned()
                );
            }
            Line::parse(text).map(Trigger::Clock).map_err(|why| format!("Error parsing schedule: {why}"))
        };
        let triggers = lower.split(", ").map(trigger).collect::<Result<_, _>>()?;
        Ok(Plan { triggers })
    }

    fn accepts(&self) -> String {
        let events = if self.events { ", @startup, @never" } else { "" };
        format!(
            "five fields of cron, or aliases: @hourly, @daily, @midnight, @weekly, @monthly, @annually, @yearly{events}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: Schedule = Schedule { events: true };

    fn due(schedule: &str, at: &str) -> bool {
        INSTANCE.parse(schedule).expect(schedule).is_due(0, at.parse().expect("a time"))
    }

    #[test]
    fn minutes() {
        // 2026-11-23 is a Monday.
        let cases = [
            ("*/15 * * * *", "2026-11-23T10:30", true),
            ("*/15 * * * *", "2026-11-23T10:31", false),
            ("0 6 * * mon-fri", "2026-11-23T06:00", true),
            ("0 6 * * sat,SUN", "2026-11-23T06:00", false),
            ("0 6 1 * 1", "2026-11-23T06:00", true),
            ("0 6 1 * *", "2026-11-23T06:00", false),
            ("5/20 * * * *", "2026-11-23T06:45", true),
            ("@daily, @hourly", "2026-11-23T06:00", true),
            ("@monthly", "2026-12-01T00:00", true),
            ("@startup", "2026-12-01T00:00", false),
            ("0 0 1 jan ?", "2027-01-01T00:00", true),
        ];
        for (schedule, at, expected) in cases {
            assert_eq!(due(schedule, at), expected, "{schedule} at {at}");
        }
        assert!(INSTANCE.parse("@startup").expect("taken").names("@startup"));
    }

    #[test]
    fn aliases_are_spread_and_lines_are_not() {
        let day = |schedule: &str, spread: u64| -> Vec<(i8, i8)> {
            let plan = INSTANCE.parse(schedule).expect(schedule);
            let midnight: DateTime = "2026-11-23T00:00".parse().expect("a time");
            let minutes = (0..24 * 60).map(|minute| midnight + jiff::ToSpan::minutes(minute));
            minutes.filter(|at| plan.is_due(spread, *at)).map(|at| (at.hour(), at.minute())).collect()
        };
        assert_eq!(day("@daily", 1), [(7, 37)]);
        assert_eq!(day("@daily", 2), [(14, 14)]);
        assert_eq!(day("@midnight", 1), [(0, 37)]);
        assert_eq!(day("@hourly", 3).len(), 24);
        assert_eq!(day("30 4 * * *", 5), [(4, 30)]);
        assert_eq!(day("@never", 5), []);
    }

    #[test]
    fn refusals() {
        let form = "Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>";
        let cases = [
            ("soon", form),
            ("* * * *", form),
            ("* *  * *", form),
            ("60 * * * *", "Error parsing schedule: end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "Error parsing schedule: beginning of range (0) below minimum (1): 0"),
            ("5-3 * * * *", "Error parsing schedule: beginning of range (5) beyond end of range (3): 5-3"),
            ("*/0 * * * *", "Error parsing schedule: step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "Error parsing schedule: too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "Error parsing schedule: too many slashes: 1/2/3"),
            (
                "x * * * *",
                "Error parsing schedule: failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(INSTANCE.parse(text), Err(expected.to_owned()), "{text}");
        }
        assert_eq!(Schedule { events: false }.parse("@never"), Err(form.to_owned()));
    }
}
