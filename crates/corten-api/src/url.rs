//! Paths of the API: segments are escaped, the project is named only when it is not the default one.

use std::fmt::Write;

/// The name of the project that is always there, and never named in a URL.
pub const DEFAULT_PROJECT: &str = "default";

/// Joins path segments below `/1.0`, each escaped as Go's `url.PathEscape` does.
pub fn path<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> String {
    let mut path = String::from("/1.0");
    for segment in segments {
        path.push('/');
        path.push_str(&escape(segment.as_ref()));
    }
    path
}

/// As [`path`], with `?project=` for every project but the default one.
pub fn path_in<S: AsRef<str>>(project: &str, segments: impl IntoIterator<Item = S>) -> String {
    let mut path = path(segments);
    if !project.is_empty() && project != DEFAULT_PROJECT {
        path.push_str("?project=");
        path.push_str(&escape_query(project));
    }
    path
}

/// Escapes one path segment: all but letters, digits and `-_.~$&+=:@` (RFC 3986, as Go's `url.PathEscape` does).
pub fn escape(segment: &str) -> String {
    escape_but(segment, b"-_.~$&+=:@")
}

/// Escapes a value of the query: all but letters, digits and `-_.~`; a space becomes `+`.
pub fn escape_query(value: &str) -> String {
    escape_but(value, b"-_.~ ").replace(' ', "+")
}

fn escape_but(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent escapes; `None` when one is broken or the result is not UTF-8.
pub fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_escape_their_segments() {
        assert_eq!(path(["images", "aliases", "centos/7 x"]), "/1.0/images/aliases/centos%2F7%20x");
        assert_eq!(path_in("default", ["instances", "c1"]), "/1.0/instances/c1");
        assert_eq!(path_in("p q", ["instances", "c1"]), "/1.0/instances/c1?project=p+q");
        assert_eq!(unescape("centos%2F7%20x").as_deref(), Some("centos/7 x"));
        assert_eq!(unescape("bad%2"), None);
    }
}
