//! The CSV report: lines in the order of JMeter's log, as LXD's tool writes them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use corten_api::error::{Context, Error, Result};
use jiff::Timestamp;

use super::batches::say;

/// When in milliseconds since 1970, how long in milliseconds, what, nothing, and that it went well.
const FIELDS: &str = "timeStamp,elapsed,label,responseCode,success";

/// The lines of a report, none when it is not there yet.
///
/// # Errors
/// When a line has not the fields of a report.
pub fn load(path: &Path) -> Result<Vec<String>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.with_context(|| format!("Failed to read {}", path.display()))?,
    };
    let lines: Vec<String> = text.lines().map(str::to_string).collect();
    if let Some(wrong) = lines.iter().find(|line| fields(line) != fields(FIELDS)) {
        return Err(Error::invalid(format!("Invalid number of fields : {wrong:?}")));
    }
    say(&format!("Loaded report file {}", path.display()));
    Ok(lines)
}

fn fields(line: &str) -> usize {
    let mut quoted = false;
    let commas = line.bytes().filter(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    commas.count() + 1
}

/// Writes the report with one more line.
///
/// # Errors
/// When it cannot be written.
pub fn add(path: &Path, mut lines: Vec<String>, label: &str, took: Duration) -> Result<()> {
    if lines.is_empty() {
        lines.push(FIELDS.to_string());
    }
    lines.push(line(label, took, Timestamp::now().as_millisecond()));
    let failed = || format!("Failed to write {}", path.display());
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).mode(0o640).open(path).with_context(failed)?;
    file.write_all((lines.join("\n") + "\n").as_bytes()).with_context(failed)?;
    say(&format!("Written report file {}", path.display()));
    Ok(())
}

fn line(label: &str, took: Duration, now: i64) -> String {
    let plain = !label.contains([',', '"', '\n', '\r']) && !label.starts_with(' ');
    let label = if plain { label.to_string() } else { format!("\"{}\"", label.replace('"', "\"\"")) };
    format!("{now},{},{label},,true", took.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_reports_fields() {
        let made = line("launch", Duration::from_millis(1500), 42);
        assert_eq!(made, "42,1500,launch,,true");
        let made = line("a, \"b\"", Duration::ZERO, 42);
        assert_eq!(made, "42,0,\"a, \"\"b\"\"\",,true");
        assert_eq!((fields(&made), fields(FIELDS), fields("a,b")), (5, 5, 2));
    }
}
