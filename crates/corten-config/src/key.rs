//! One configuration key: its name, type and facts, and typed access to its value.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};

use crate::value::Kind;

/// Keys and their values as the wire and the database have them.
pub type Config = BTreeMap<String, String>;

/// What must be applied again when a key of a running instance changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The AppArmor profile.
    AppArmor,
    /// CPU shares, quotas and pins.
    Cpu,
    /// The socket at `/dev/lxd`.
    Devlxd,
    /// The weight of block I/O.
    DiskPriority,
    /// Limits of huge pages.
    HugePages,
    /// Memory and swap.
    Memory,
    /// Kernel modules of the host.
    Modules,
    /// The priority of network traffic.
    NetworkPriority,
    /// The number of processes.
    Processes,
}

/// When a change takes effect on something that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// At the next start.
    No,
    /// At once, or when it is next looked at.
    Yes,
    /// At once, by applying this aspect again.
    Apply(Aspect),
}

/// Which instances have the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Containers and virtual machines.
    Both,
    /// Containers only.
    Container,
    /// Virtual machines only.
    Machine,
}

/// What is known of a key beside its type.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The name, or a pattern: `user.*`, `volatile.<name>.hwaddr`.
    pub name: &'static str,
    /// What it means, line by line.
    pub docs: &'static [&'static str],
    /// What holds when it is not set; empty if nothing does.
    pub default: &'static str,
    /// The default in words, where it depends on something.
    pub default_text: &'static str,
    /// When a change takes effect.
    pub live: Live,
    /// Which instances have it.
    pub on: On,
    /// What must be so for it to count, in words.
    pub condition: &'static str,
    /// The API extension that brought it; empty if it was always there.
    pub since: &'static str,
    /// Whether it must be set.
    pub required: bool,
    /// Whether it belongs to one member of a cluster.
    pub local: bool,
    /// Whether its value is shown only as `true`.
    pub hidden: bool,
    /// Values it takes, for tests and examples.
    pub ok: &'static [&'static str],
    /// Values it refuses, for tests.
    pub bad: &'static [&'static str],
}

impl Facts {
    /// The facts of a key of which nothing special is known.
    pub const fn new(name: &'static str, docs: &'static [&'static str]) -> Facts {
        Facts {
            name,
            docs,
            default: "",
            default_text: "",
            live: Live::No,
            on: On::Both,
            condition: "",
            since: "",
            required: false,
            local: false,
            hidden: false,
            ok: &[],
            bad: &[],
        }
    }

    /// Whether this is the key called `name`, or its pattern fits.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || fits(self.name, name)
    }
}

/// Whether a name fits a pattern: `a.*` takes what begins with `a.`, `a.<name>.b` what begins with `a.` and ends in
/// `.b`.
fn fits(pattern: &str, name: &str) -> bool {
    if let Some(prefix) = pattern.strip_suffix('*') {
        return name.starts_with(prefix);
    }
    let Some((prefix, rest)) = pattern.split_once('<') else { return false };
    let Some((_, suffix)) = rest.split_once('>') else { return false };
    name.len() > prefix.len() + suffix.len() && name.starts_with(prefix) && name.ends_with(suffix)
}

/// A key whose value is read as a `K`.
#[derive(Debug)]
pub struct Key<K: Kind> {
    /// The type, with its parameters.
    pub kind: K,
    /// Everything else.
    pub facts: Facts,
}

impl<K: Kind> Key<K> {
    /// The key's name or pattern.
    pub const fn name(&self) -> &'static str {
        self.facts.name
    }

    /// The value in this configuration; `None` if it is not set.
    ///
    /// # Errors
    /// If the value is not of the key's type, which the server's own checks have not let pass.
    pub fn get(&self, config: &Config) -> Result<Option<K::Value>> {
        match config.get(self.facts.name).filter(|text| !text.is_empty()) {
            Some(text) => self.read(text).map(Some),
            None => Ok(None),
        }
    }

    /// The value in this configuration, else the key's default, else the type's empty value.
    ///
    /// # Errors
    /// As [`Key::get`].
    pub fn get_or_default(&self, config: &Config) -> Result<K::Value> {
        match (self.get(config)?, self.facts.default) {
            (Some(value), _) => Ok(value),
            (None, "") => Ok(K::Value::default()),
            (None, default) => self.read(default),
        }
    }

    /// The text in this configuration, else the key's default.
    pub fn text<'c>(&self, config: &'c Config) -> &'c str {
        config.get(self.facts.name).filter(|text| !text.is_empty()).map_or(self.facts.default, String::as_str)
    }

    /// For a pattern: the name with `part` in the place of the star or `<name>`.
    pub fn name_of(&self, part: &str) -> String {
        let pattern = self.facts.name;
        match (pattern.strip_suffix('*'), pattern.split_once('<')) {
            (Some(prefix), _) => format!("{prefix}{part}"),
            (None, Some((prefix, rest))) => {
                format!("{prefix}{part}{}", rest.split_once('>').map_or("", |(_, suffix)| suffix))
            }
            _ => pattern.to_owned(),
        }
    }

    /// For a pattern: the value under [`Key::name_of`] this part, as [`Key::get`].
    ///
    /// # Errors
    /// As [`Key::get`].
    pub fn get_of(&self, config: &Config, part: &str) -> Result<Option<K::Value>> {
        let text = config.get(&self.name_of(part)).filter(|text| !text.is_empty());
        text.map(|text| self.read(text)).transpose()
    }

    /// For a pattern that ends in a star: what stands in the star's place, and the text, of every key that fits.
    pub fn each<'c>(&self, config: &'c Config) -> impl Iterator<Item = (&'c str, &'c str)> {
        let prefix = self.facts.name.trim_end_matches('*');
        let fitting = config.range(prefix.to_owned()..).take_while(move |(name, _)| name.starts_with(prefix));
        fitting.map(move |(name, text)| (&name[prefix.len()..], text.as_str()))
    }

    fn read(&self, text: &str) -> Result<K::Value> {
        self.kind.parse(text).map_err(|why| Error::invalid(format!("{}: {why}", self.facts.name)))
    }
}

/// A key of any type.
pub trait AnyKey: Sync {
    /// What is known of it.
    fn facts(&self) -> &Facts;
    /// The word for its type.
    fn word(&self) -> &'static str;
    /// Which values it takes, in words.
    fn accepts(&self) -> String;
    /// Refuses a text that is no value of it, in LXD's words and without the key's name. The empty text unsets the key.
    ///
    /// # Errors
    /// Why the text is refused.
    fn check(&self, text: &str) -> Result<(), String>;
}

impl<K: Kind> AnyKey for Key<K> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn word(&self) -> &'static str {
        K::WORD
    }

    fn accepts(&self) -> String {
        self.kind.accepts()
    }

    fn check(&self, text: &str) -> Result<(), String> {
        match text {
            "" if self.facts.required => Err("Required value".to_owned()),
            "" => Ok(()),
            text => self.kind.parse(text).map(drop),
        }
    }
}

impl std::fmt::Debug for dyn AnyKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.facts().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::byte_size::ByteSize;

    static SIZE: Key<ByteSize> = Key { kind: ByteSize, facts: Facts { default: "1KiB", ..Facts::new("size", &[]) } };

    #[test]
    fn typed_access() {
        let mut config = Config::new();
        assert_eq!(SIZE.get(&config), Ok(None));
        assert_eq!(SIZE.get_or_default(&config), Ok(1024));
        config.insert("size".to_owned(), "2kB".to_owned());
        assert_eq!(SIZE.get(&config), Ok(Some(2000)));
        config.insert("size".to_owned(), "big".to_owned());
        assert_eq!(SIZE.get(&config), Err(Error::invalid("size: Invalid value: big")));
    }

    #[test]
    fn parts_of_patterns() {
        static MAC: Key<ByteSize> = Key { kind: ByteSize, facts: Facts::new("volatile.<name>.size", &[]) };
        static ALL: Key<ByteSize> = Key { kind: ByteSize, facts: Facts::new("limits.kernel.*", &[]) };
        let pairs = [("volatile.eth0.size", "1kB"), ("limits.kernel.nofile", "5"), ("limits.processes", "9")];
        let config = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        assert_eq!(MAC.get_of(&config, "eth0"), Ok(Some(1000)));
        assert_eq!(MAC.get_of(&config, "eth1"), Ok(None));
        assert_eq!(ALL.name_of("core"), "limits.kernel.core");
        assert_eq!(ALL.each(&config).collect::<Vec<_>>(), [("nofile", "5")]);
    }

    #[test]
    fn patterns() {
        let cases = [
            ("user.*", "user.x", true),
            ("user.*", "user", false),
            ("volatile.<name>.hwaddr", "volatile.eth0.hwaddr", true),
            ("volatile.<name>.hwaddr", "volatile.a.b.hwaddr", true),
            ("volatile.<name>.hwaddr", "volatile.hwaddr", false),
            ("limits.cpu", "limits.cpu.priority", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Facts::new(pattern, &[]).is(name), expected, "{pattern} {name}");
        }
    }
}
