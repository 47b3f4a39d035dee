//! Which device nodes the processes of a group may use: one list of rules, for files of version 1 and for the filter
//! program of version 2.

use std::fmt;
use std::str::FromStr;

use super::group::Group;
use super::{Controller, Error, Result, Version};
use crate::syscall::bpf;

pub mod filter;
mod policy;

pub use policy::Policy;

/// One rule, in the order given: later ones change what earlier ones said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Allowed, or denied.
    pub allow: bool,
    /// Which nodes; `None` means all there are, with every access.
    pub node: Option<Node>,
}

/// Device nodes and what may be done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Block device instead of character device.
    pub block: bool,
    /// Major number; `None` for any.
    pub major: Option<u32>,
    /// Minor number; `None` for any.
    pub minor: Option<u32>,
    /// What may be done.
    pub access: Access,
}

/// Reading, writing, making nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub mknod: bool,
}

impl Access {
    /// Everything.
    pub const ALL: Access = Access { read: true, write: true, mknod: true };
}

/// What LXD lets a privileged container use, after denying everything.
pub const DEFAULT_ALLOWED: [&str; 13] = [
    "b *:* m",
    "c *:* m",
    "c 136:* rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 10:229 rwm",
    "c 10:200 rwm",
];

/// LXD's rules for a privileged container: nothing but [`DEFAULT_ALLOWED`].
///
/// # Panics
/// Never: a test reads the table.
pub fn default_rules() -> Vec<Rule> {
    let allowed = DEFAULT_ALLOWED.iter().map(|text| Rule::allow(text).expect("the table holds rules"));
    std::iter::once(Rule { allow: false, node: None }).chain(allowed).collect()
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid device rule {0:?}: wanted \"a\", or \"b\" or \"c\", major:minor with * for any, and some of \"rwm\"")]
pub struct BadRule(String);

impl Rule {
    /// A rule that allows what `text` (`c 1:3 rwm`, `b *:* m`, `a`) names.
    ///
    /// # Errors
    /// [`BadRule`] when it is none.
    pub fn allow(text: &str) -> std::result::Result<Rule, BadRule> {
        Ok(Rule { allow: true, node: parse_node(text)? })
    }

    /// A rule that denies what `text` names.
    ///
    /// # Errors
    /// [`BadRule`] when it is none.
    pub fn deny(text: &str) -> std::result::Result<Rule, BadRule> {
        Ok(Rule { allow: false, node: parse_node(text)? })
    }

    /// The file of version 1 that takes the rule.
    pub fn file(self) -> &'static str {
        if self.allow { "devices.allow" } else { "devices.deny" }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => node.fmt(f),
            None => f.write_str("a"),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u32>| number.map_or_else(|| "*".to_string(), |number| number.to_string());
        let kind = if self.block { 'b' } else { 'c' };
        write!(f, "{kind} {}:{} ", number(self.major), number(self.minor))?;
        let letters = [(self.access.read, 'r'), (self.access.write, 'w'), (self.access.mknod, 'm')];
        letters.iter().filter(|(has, _)| *has).try_for_each(|(_, letter)| write!(f, "{letter}"))
    }
}

impl FromStr for Node {
    type Err = BadRule;

    fn from_str(text: &str) -> std::result::Result<Node, BadRule> {
        parse_node(text)?.ok_or_else(|| BadRule(text.to_string()))
    }
}

fn parse_node(text: &str) -> std::result::Result<Option<Node>, BadRule> {
    let bad = || BadRule(text.to_string());
    let words: Vec<&str> = text.split_whitespace().collect();
    let (kind, numbers, letters) = match words[..] {
        ["a", ..] => return Ok(None),
        [kind @ ("b" | "c"), numbers, letters] => (kind, numbers, letters),
        _ => return Err(bad()),
    };
    let number = |text: &str| match text {
        "*" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| bad()),
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(bad)?;
    let mut access = Access::default();
    for letter in letters.chars() {
        match letter {
            'r' => access.read = true,
            'w' => access.write = true,
            'm' => access.mknod = true,
            _ => return Err(bad()),
        }
    }
    Ok(Some(Node { block: kind == "b", major: number(major)?, minor: number(minor)?, access }))
}

impl Group {
    /// Applies device rules. On version 1 they change what is in force; on version 2 they replace it, so a caller
    /// that adds one rule to a running group gives the whole list there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a host without either; [`Error::File`] or [`Error::DeviceFilter`] when the kernel
    /// refuses.
    pub fn apply_devices(&self, rules: &[Rule]) -> Result<()> {
        let missing = || Error::Unsupported { what: "control device access".into(), controller: Controller::Devices };
        let member = self.member(Controller::Devices).ok_or_else(missing)?;
        match member.hierarchy.version {
            Version::V1 => rules.iter().try_for_each(|rule| member.set(rule.file(), &rule.to_string())),
            Version::V2 => {
                let program = filter::assemble(&Policy::of(rules));
                let refused = |source| Error::DeviceFilter { path: member.path.clone(), source };
                // Attaching wants a descriptor that was really opened.
                let dir = std::fs::File::open(&member.path).map_err(refused)?;
                bpf::replace_device_filter(&dir, &program).map_err(refused)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written_alike() {
        for text in DEFAULT_ALLOWED {
            assert_eq!(Rule::allow(text).expect("a rule").to_string(), text);
        }
        assert_eq!(Rule::deny("a *:* rwm").expect("a rule").to_string(), "a");
        assert_eq!(default_rules().len(), 14);
        for bad in ["", "c", "c 1:3", "x 1:3 rwm", "c 1 rwm", "c 1:x r", "c 1:3 rwx"] {
            assert!(Rule::allow(bad).is_err(), "{bad}");
        }
    }
}
