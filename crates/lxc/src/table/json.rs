//! JSON as Go's encoder writes it: `<`, `>` and `&` escaped, whole numbers without a point.

use std::io;

use corten_api::error::{Context, Result};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The JSON of a value on one line, without a newline at its end.
///
/// # Errors
/// When the value has no form in JSON.
pub fn text<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, AsGo)).context("Failed to write JSON")?;
    String::from_utf8(bytes).context("Failed to write JSON")
}

struct AsGo;

impl Formatter for AsGo {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let magnitude = value.abs();
        if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
            let text = format!("{value:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            return match exponent.strip_prefix('-') {
                Some(exponent) => write!(writer, "{digits}e-{exponent:0>2}"),
                None => write!(writer, "{digits}e+{exponent:0>2}"),
            };
        }
        write!(writer, "{value}")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (place, found) in fragment.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&fragment.as_bytes()[plain..place])?;
            let code = found.chars().next().map_or(0, u32::from);
            write!(writer, "\\u{code:04x}")?;
            plain = place + found.len();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}
