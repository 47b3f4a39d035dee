//! Comma-separated values (RFC 4180 with bare newlines), without a header line.

/// One line per row; a field is quoted when it must be, or begins with a space.
pub fn text(rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    for row in rows {
        for (column, field) in row.iter().enumerate() {
            if column > 0 {
                out.push(',');
            }
            if needs_quotes(field) {
                out.push('"');
                out.push_str(&field.replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(field);
            }
        }
        out.push('\n');
    }
    out
}

fn needs_quotes(field: &str) -> bool {
    field == "\\." || field.contains([',', '"', '\n', '\r']) || field.starts_with(char::is_whitespace)
}
