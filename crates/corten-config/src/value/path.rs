//! Paths of files.

use super::Kind;

/// A path from the root.
#[derive(Clone, Copy, Debug)]
pub struct AbsolutePath;

impl Kind for AbsolutePath {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text.starts_with('/') {
            true => Ok(text.to_owned()),
            false => Err("Must be absolute file path".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "a path from the root".to_owned()
    }
}

/// A path below `/dev`, where device nodes are watched.
#[derive(Clone, Copy, Debug)]
pub struct DevicePath;

impl Kind for DevicePath {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text.starts_with("/dev") {
            true => Ok(text.to_owned()),
            false => Err("Path needs to be in /dev".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "a path below /dev".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        assert!(AbsolutePath.parse("/srv").is_ok());
        assert_eq!(AbsolutePath.parse("srv"), Err("Must be absolute file path".to_owned()));
        assert!(DevicePath.parse("/dev/kvm").is_ok());
        assert_eq!(DevicePath.parse("/etc/passwd"), Err("Path needs to be in /dev".to_owned()));
    }
}
