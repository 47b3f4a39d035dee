//! One word of a fixed few.

use super::Kind;
use super::go_text::{quoted, slice};

/// One of these words.
#[derive(Clone, Copy, Debug)]
pub struct OneOf(pub &'static [&'static str]);

impl Kind for OneOf {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match self.0.contains(&text) {
            true => Ok(text.to_owned()),
            false => Err(format!("Invalid value {} (not one of {})", quoted(text), slice(self.0))),
        }
    }

    fn accepts(&self) -> String {
        format!("one of {}", self.0.join(", "))
    }
}

/// One of these words, or what another type takes.
#[derive(Clone, Copy, Debug)]
pub struct WordOr<K>(pub &'static [&'static str], pub K);

impl<K: Kind> Kind for WordOr<K> {
    /// The text as it stands: it is read further where its word has been ruled out.
    type Value = String;
    const WORD: &'static str = K::WORD;

    fn parse(&self, text: &str) -> Result<String, String> {
        if !self.0.contains(&text) {
            self.1.parse(text)?;
        }
        Ok(text.to_owned())
    }

    fn accepts(&self) -> String {
        format!("{}, or {}", self.0.join(", "), self.1.accepts())
    }
}

/// The side of a proxy device that listens.
#[derive(Clone, Copy, Debug)]
pub struct BindSide;

impl Kind for BindSide {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text {
            "host" | "instance" | "guest" | "container" => Ok(text.to_owned()),
            _ => Err("Invalid binding side given. Must be \"host\" or \"instance\"".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "one of host, instance".to_owned()
    }
}

/// Whether a default route is set: `auto` or `none`.
#[derive(Clone, Copy, Debug)]
pub struct Gateway;

impl Kind for Gateway {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text {
            "auto" | "none" => Ok(text.to_owned()),
            _ => Err(format!("Invalid gateway: {text}")),
        }
    }

    fn accepts(&self) -> String {
        "one of auto, none".to_owned()
    }
}

/// How mounts travel between a disk device and its source.
#[derive(Clone, Copy, Debug)]
pub struct Propagation;

const PROPAGATION: [&str; 8] =
    ["private", "shared", "slave", "unbindable", "rshared", "rslave", "runbindable", "rprivate"];

impl Kind for Propagation {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match PROPAGATION.contains(&text) {
            true => Ok(text.to_owned()),
            false => Err(format!("Invalid propagation value. Must be one of: , {}", PROPAGATION.join(", "))),
        }
    }

    fn accepts(&self) -> String {
        format!("one of {}", PROPAGATION.join(", "))
    }
}

/// The mode of an `ipvlan` interface.
#[derive(Clone, Copy, Debug)]
pub struct IpvlanMode;

impl Kind for IpvlanMode {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        match text {
            "l3s" | "l2" => Ok(text.to_owned()),
            _ => Err("Must be one of: l3s, l2".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "one of l3s, l2".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::boolean::Bool;

    #[test]
    fn words() {
        let kind = OneOf(&["soft", "hard"]);
        assert_eq!(kind.parse("soft"), Ok("soft".to_owned()));
        assert_eq!(kind.parse("Soft"), Err("Invalid value \"Soft\" (not one of [soft hard])".to_owned()));
        let kind = WordOr(&["rebase"], Bool);
        assert!(kind.parse("rebase").is_ok() && kind.parse("yes").is_ok());
        assert_eq!(kind.parse("x"), Err("Invalid value for a boolean \"x\"".to_owned()));
        assert!(Propagation.parse("rslave").is_ok() && Propagation.parse("both").is_err());
    }
}
