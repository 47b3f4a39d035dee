//! Fragments of Go's error messages, which LXD passes on to users.

use std::fmt::Write;

/// Quotes a text as Go's `%q` does.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            symbol if symbol.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(symbol));
            }
            symbol if symbol.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(symbol));
            }
            symbol => out.push(symbol),
        }
    }
    out.push('"');
    out
}

/// Lists texts as Go's `%s` does for a slice: `[a b c]`.
pub fn slice(texts: &[&str]) -> String {
    format!("[{}]", texts.join(" "))
}

/// Reads a signed decimal number as Go's `strconv.ParseInt(text, 10, 64)`, with the name of the `function` in the
/// error.
///
/// # Errors
/// `strconv.Atoi: parsing "x": invalid syntax`, or `value out of range`.
pub fn parse_int(function: &str, text: &str) -> Result<i64, String> {
    number(function, text, digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Reads an unsigned decimal number as Go's `strconv.ParseUint(text, 10, 64)`.
///
/// # Errors
/// `strconv.ParseUint: parsing "x": invalid syntax`, or `value out of range`.
pub fn parse_uint(text: &str) -> Result<u64, String> {
    number("ParseUint", text, digits(text))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number<T: std::str::FromStr>(function: &str, text: &str, is_number: bool) -> Result<T, String> {
    let failed = |why| format!("strconv.{function}: parsing {}: {why}", quoted(text));
    match is_number {
        true => text.parse().map_err(|_| failed("value out of range")),
        false => Err(failed("invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go() {
        let cases = [("a", r#""a""#), ("a\"b\\", r#""a\"b\\""#), ("\n\u{1}é", r#""\n\x01é""#)];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(slice(&["a", "b"]), "[a b]");
    }

    #[test]
    fn numbers_as_go() {
        assert_eq!(parse_int("Atoi", "-7"), Ok(-7));
        assert_eq!(parse_int("Atoi", "+7"), Ok(7));
        assert_eq!(parse_int("Atoi", "x"), Err(r#"strconv.Atoi: parsing "x": invalid syntax"#.to_owned()));
        let long = "99999999999999999999";
        assert_eq!(parse_uint(long), Err(format!(r#"strconv.ParseUint: parsing "{long}": value out of range"#)));
        assert!(parse_uint("+1").is_err() && parse_uint("").is_err());
    }
}
