//! JSON as Go's encoder writes it, so that answers and ETags are the same bytes as LXD's.

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};
use std::io::{self, Write};

/// Escapes what Go escapes besides what JSON demands: the two line separators of Unicode, and `<`, `>`, `&` where the
/// text might end up in a web page.
struct Go {
    for_pages: bool,
}

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all of it is.
        let harmless = |byte: &u8| !self.for_pages || !matches!(byte, b'<' | b'>' | b'&');
        if fragment.is_ascii() && fragment.as_bytes().iter().all(harmless) {
            return out.write_all(fragment.as_bytes());
        }
        let mut from = 0;
        for (at, found) in fragment.char_indices() {
            let separator = matches!(found, '\u{2028}' | '\u{2029}');
            if separator || self.for_pages && matches!(found, '<' | '>' | '&') {
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

/// Appends `value` to `out` as LXD's answers have it.
///
/// # Errors
/// Those of the value's own [`Serialize`]; writing to memory cannot fail.
pub fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Go { for_pages: false }))
}

/// Appends `value` to `out` as LXD's errors, events and the text behind its ETags have it: safe for web pages.
///
/// # Errors
/// Those of the value's own [`Serialize`]; writing to memory cannot fail.
pub fn write_for_pages(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Go { for_pages: true }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_are_those_of_go() {
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        super::write_for_pages(&mut out, "a<b>&c\u{2028}\u{8}\u{c}\n\t\u{1}\"\\é/").expect("a string");
        super::write(&mut plain, "a<b>&c\u{2029}").expect("a string");
        assert_eq!(String::from_utf8(plain).expect("UTF-8"), r#""a<b>&c\u2029""#);
        let wanted = r#""a\u003cb\u003e\u0026c\u2028\u0008\u000c\n\t\u0001\"\\é/""#;
        assert_eq!(String::from_utf8(out).expect("UTF-8"), wanted);
    }
}
