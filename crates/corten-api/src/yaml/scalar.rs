//! What a reader of YAML 1.1 would take a plain text for, and which styles of quoting a text allows.

/// Whether a plain text would be read as a string, and not as a number, boolean, null, or time.
pub(super) fn reads_as_text(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    if WORDS.contains(&text) {
        return false;
    }
    match first {
        '0'..='9' | '+' | '-' => !is_time(text) && !is_number(text) && !is_base_60(text),
        '.' => !is_fraction(text),
        _ => true,
    }
}

/// Texts that stand for booleans, null, and the numbers without digits.
const WORDS: [&str; 38] = [
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "n", "N", "no", "No", "NO", "false",
    "False", "FALSE", "off", "Off", "OFF", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF",
    "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
];

/// An integer in any of Go's bases, or a decimal floating point number; `_` may stand anywhere after the first digit.
fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let signed = digits.len() < plain.len();
    is_integer(digits, negative, signed) || is_decimal(digits)
}

/// An integer of 64 bits: `10`, `0x1f`, `0o17`, `017`, `0b11`. A sign leaves 63 of them.
fn is_integer(digits: &str, negative: bool, signed: bool) -> bool {
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return false;
    }
    u64::from_str_radix(digits, base).is_ok_and(|value| match (negative, signed) {
        (true, _) => value <= 1 << 63,
        (false, true) => value < 1 << 63,
        (false, false) => true,
    })
}

/// `1`, `1.`, `1.5`, `.5`, each with or without an exponent, as long as it fits a double.
fn is_decimal(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(place) => (&digits[..place], Some(&digits[place + 1..])),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let well_formed = match fraction {
        Some(fraction) if whole.is_empty() => is_digits(fraction),
        Some(fraction) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(whole),
    };
    well_formed
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
        && digits.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A number that begins with its point; here `_` may only stand between digits.
fn is_fraction(text: &str) -> bool {
    let bytes = text.as_bytes();
    let between_digits = |place: usize| {
        let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        digit(place.checked_sub(1).and_then(|before| bytes.get(before))) && digit(bytes.get(place + 1))
    };
    bytes.iter().enumerate().all(|(place, &byte)| byte != b'_' || between_digits(place))
        && is_decimal(&text.replace('_', ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1:20` or `-3:07:59.5`: numbers to the base 60, which only old readers know.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let head = parts.next().unwrap_or_default();
    let digits_or_lines = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let sixtieth = |part: &str| match part.as_bytes() {
        [units] => units.is_ascii_digit(),
        [tens, units] => (b'0'..=b'5').contains(tens) && units.is_ascii_digit(),
        _ => false,
    };
    whole.contains(':')
        && head.starts_with(|first: char| first.is_ascii_digit())
        && digits_or_lines(head)
        && parts.all(sixtieth)
        && digits_or_lines(fraction)
}

/// A date, alone or with a time of day: `2001-2-3`, `2001-02-03T04:05:06.7Z`, `2001-02-03 04:05:06`.
fn is_time(text: &str) -> bool {
    let mut rest = text;
    let year = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    if year != 4 || !rest[4..].starts_with('-') {
        return false;
    }
    let leap = text[..4].parse::<u32>().is_ok_and(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    rest = &rest[5..];
    let Some(month) = short_number(&mut rest) else { return false };
    if !skip(&mut rest, "-") {
        return false;
    }
    let Some(day) = short_number(&mut rest) else { return false };
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day) && is_time_of_day(rest)
}

/// What may follow a date: nothing, a space and a time without zone, or `T` and a time with one.
fn is_time_of_day(mut rest: &str) -> bool {
    if rest.is_empty() {
        return true;
    }
    let zoned = !skip(&mut rest, " ");
    if zoned && !skip(&mut rest, "T") && !skip(&mut rest, "t") {
        return false;
    }
    for (separator, limit) in [("", 24), (":", 60), (":", 60)] {
        if !skip(&mut rest, separator) || short_number(&mut rest).is_none_or(|number| number >= limit) {
            return false;
        }
    }
    if let Some(fraction) =
        rest.strip_prefix(['.', ',']).filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))
    {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    if !zoned {
        return rest.is_empty();
    }
    match rest.as_bytes() {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()),
        _ => false,
    }
}

/// Takes one or two digits off the front.
fn short_number(rest: &mut &str) -> Option<u32> {
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok()?;
    *rest = &rest[digits..];
    Some(number)
}

fn skip(rest: &mut &str, prefix: &str) -> bool {
    rest.strip_prefix(prefix).map(|after| *rest = after).is_some()
}

/// Which styles keep a text as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Styles {
    /// It has more than one line.
    pub(super) multiline: bool,
    /// It can stand without quotes.
    pub(super) plain: bool,
    /// It can stand between single quotes.
    pub(super) single: bool,
    /// It can stand in a block below a `|`.
    pub(super) block: bool,
}

/// Finds out which styles a text allows.
pub(super) fn styles(text: &str) -> Styles {
    let characters: Vec<char> = text.chars().collect();
    let (Some(&first), Some(&last)) = (characters.first(), characters.last()) else {
        return Styles { multiline: false, plain: true, single: true, block: false };
    };
    let mut multiline = false;
    let mut unprintable = false;
    let mut space_then_break = false;
    let mut break_then_space = false;
    let mut indicator = text.starts_with("---") || text.starts_with("...");
    for (place, &character) in characters.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| characters[place]);
        let after = characters.get(place + 1).copied();
        indicator |= is_indicator(character, before, after);
        unprintable |= !is_printable(character);
        multiline |= is_break(character);
        break_then_space |= character == ' ' && before.is_some_and(is_break);
        space_then_break |= is_break(character) && before == Some(' ');
    }
    let at_edge = |character: char| character == ' ' || is_break(character);
    let escaped = space_then_break || unprintable;
    Styles {
        multiline,
        plain: !(escaped || break_then_space || multiline || indicator || at_edge(first) || at_edge(last)),
        single: !(escaped || break_then_space),
        block: !(escaped || last == ' '),
    }
}

/// Whether a character between its neighbours would be read as syntax.
fn is_indicator(character: char, before: Option<char>, after: Option<char>) -> bool {
    let ends = after.is_none_or(is_blank);
    match (character, before) {
        ('#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`', None) => true,
        ('?' | '-', None) | (':', _) => ends,
        ('#', Some(before)) => is_blank(before),
        _ => false,
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\0') || is_break(character)
}

/// Line breaks of YAML 1.1.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that need no escape. Those beyond the basic plane do, as in LXD's library.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && character != '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::reads_as_text;

    #[test]
    fn texts_that_a_reader_would_take_for_something_else() {
        for text in [
            "",
            "y",
            "on",
            "NO",
            "~",
            "null",
            "2",
            "-2",
            "+1",
            "1.50",
            "1.",
            ".5",
            "1e3",
            "0x1F",
            "0755",
            "0o17",
            "0b11",
            "08",
            "1_000",
            "-0b1",
            "18446744073709551615",
            "99999999999999999999",
            ".inf",
            "-.INF",
            ".nan",
            "1:20",
            "-1:20:30.5",
            "2023-01-02",
            "2023-1-2",
            "2023-01-02 03:04:05",
            "2023-01-02T03:04:05Z",
            "2024-02-29t3:4:5.6+01:00",
            ".5_0",
        ] {
            assert!(!reads_as_text(text), "{text:?}");
        }
        for text in [
            "a",
            "=",
            "<<",
            "none",
            "1e400",
            "0x",
            "1.2.3",
            "10.0.0.1",
            "10.0.0.1/24",
            "2023-13-01",
            "2023-02-29",
            "1:60",
            "1:2:",
            "-",
            "+",
            "1-2",
            "2023-01-02T03:04:05",
            "0-3",
            "512MB",
            "50%",
            ".",
            "..",
            "._5",
            "-0x",
            "--1",
            "0x-1",
        ] {
            assert!(reads_as_text(text), "{text:?}");
        }
    }
}
