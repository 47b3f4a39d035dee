//! Texts: any, blobs, and those with a rule about their characters.

use super::Kind;

/// Any text.
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl Kind for Text {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

/// Lines in the language of another program.
#[derive(Clone, Copy, Debug)]
pub struct Blob;

impl Kind for Blob {
    type Value = String;
    const WORD: &'static str = "blob";

    fn parse(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

/// The value of an environment variable: one line.
#[derive(Clone, Copy, Debug)]
pub struct Environment;

impl Kind for Environment {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text.contains('\n') {
            true => Err("Environment variables cannot contain line breaks".to_owned()),
            false => Ok(text.to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "one line".to_owned()
    }
}

/// A UUID, with or without hyphens, in any case.
#[derive(Clone, Copy, Debug)]
pub struct Uuid;

/// Whether a text is a UUID in one of the forms that LXD's library reads: 36 characters, or with `urn:uuid:` before.
pub fn is_uuid(text: &str) -> bool {
    let text = match text.get(..9) {
        Some(prefix) if prefix.eq_ignore_ascii_case("urn:uuid:") => &text[9..],
        _ => text,
    };
    let shape = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(shape)
}

impl Kind for Uuid {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        if is_uuid(text) { Ok(text.to_owned()) } else { Err("Invalid UUID".to_owned()) }
    }

    fn accepts(&self) -> String {
        "a UUID".to_owned()
    }
}

/// The UUID of a part of a GPU, with or without `MIG-` before it.
#[derive(Clone, Copy, Debug)]
pub struct MigUuid;

impl Kind for MigUuid {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        Uuid.parse(text.strip_prefix("MIG-").unwrap_or(text))
    }

    fn accepts(&self) -> String {
        "a UUID".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids() {
        let good = "0190163A-1f2e-7d9a-b6f2-a1b2c3d4e5f6";
        assert!(Uuid.parse(good).is_ok() && MigUuid.parse(&format!("MIG-{good}")).is_ok());
        for bad in ["x", "0190163a1f2e7d9ab6f2a1b2c3d4e5f6", "0190163a-1f2e-7d9a-b6f2-a1b2c3d4e5fg"] {
            assert_eq!(Uuid.parse(bad), Err("Invalid UUID".to_owned()), "{bad}");
        }
    }

    #[test]
    fn environment_is_one_line() {
        assert!(Environment.parse("a b").is_ok());
        assert_eq!(Environment.parse("a\nb"), Err("Environment variables cannot contain line breaks".to_owned()));
    }
}
