//! JSON as Go's encoder writes it, so that answers and ETags are the same bytes as LXD's.

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};
use std::io::{self, Write};

/// Escapes what Go escapes: `<`, `>`, `&`, and the two line separators of Unicode, besides what JSON demands.
struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut from = 0;
        for (at, found) in fragment.char_indices() {
            if matches!(found, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') {
                out.write_all(&fragment.as_bytes()[from..at])?;
                write!(out, "\\u{:04x}", u32::from(found))?;
                from = at + found.len_utf8();
            }
        }
        out.write_all(&fragment.as_bytes()[from..])
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            // Go writes these two by number.
            CharEscape::Backspace => b"\\u0008",
            CharEscape::FormFeed => b"\\u000c",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(out, "\\u{byte:04x}"),
        };
        out.write_all(text)
    }
}

/// Appends `value` to `out`.
///
/// # Errors
/// Those of the value's own [`Serialize`]; writing to memory cannot fail.
pub fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Go))
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_are_those_of_go() {
        let mut out = Vec::new();
        super::write(&mut out, "a<b>&c\u{2028}\u{8}\u{c}\n\t\u{1}\"\\é/").expect("a string");
        let wanted = r#""a\u003cb\u003e\u0026c\u2028\u0008\u000c\n\t\u0001\"\\é/""#;
        assert_eq!(String::from_utf8(out).expect("UTF-8"), wanted);
    }
}
