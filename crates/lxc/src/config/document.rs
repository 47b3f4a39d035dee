//! What `config.yml` holds: its text, read and written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use corten_api::error::{Context, Error, Result};
use serde::{Deserialize, Serialize};

/// What `config.yml` holds, and where it came from. Fields are written in this order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// The remote that names without one belong to.
    pub default_remote: String,
    /// Servers by name.
    pub remotes: BTreeMap<String, Remote>,
    /// Shortcuts of the user.
    pub aliases: BTreeMap<String, String>,
    /// The folder of `config.yml`, `client.crt`, `servercerts`.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Whether `config.yml` was there.
    #[serde(skip)]
    pub exists: bool,
}

/// A server that the user gave a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remote {
    /// `unix://`, `unix:///path`, `https://host:port`.
    pub addr: String,
    /// `tls` or `candid`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_type: String,
    /// Candid domain.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The project to use there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// `lxd` (also when empty) or `simplestreams`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// Images only, for everybody.
    pub public: bool,
    /// From the system-wide configuration: never written to the user's.
    #[serde(skip)]
    pub global: bool,
    /// Built in: cannot be removed.
    #[serde(skip)]
    pub r#static: bool,
}

/// The remote that is meant when nothing else says so.
pub const DEFAULT_REMOTE: &str = "local";

/// Remotes that a new configuration starts with: name, address, static.
const BUILT_IN: [(&str, &str, bool); 4] = [
    ("images", "https://images.linuxcontainers.org", false),
    ("local", "unix://", true),
    ("ubuntu", "https://cloud-images.ubuntu.com/releases", true),
    ("ubuntu-daily", "https://cloud-images.ubuntu.com/daily", true),
];

fn built_in() -> impl Iterator<Item = (String, Remote)> {
    BUILT_IN.into_iter().map(|(name, addr, r#static)| {
        let images = addr.starts_with("https:");
        let protocol = if images { "simplestreams" } else { "" }.to_owned();
        (name.to_owned(), Remote { addr: addr.to_owned(), protocol, public: images, r#static, ..Remote::default() })
    })
}

/// Whether a remote of that name is built in and cannot be removed or changed.
pub fn is_static(name: &str) -> bool {
    built_in().any(|(known, remote)| known == name && remote.r#static)
}

impl Config {
    /// What somebody starts with who has configured nothing.
    pub fn new(folder: PathBuf) -> Config {
        Config {
            default_remote: DEFAULT_REMOTE.to_owned(),
            remotes: built_in().collect(),
            aliases: BTreeMap::new(),
            folder,
            exists: false,
        }
    }

    /// The file itself.
    pub fn file(&self) -> PathBuf {
        self.folder.join("config.yml")
    }

    /// The remote of a name.
    ///
    /// # Errors
    /// In LXD's words when there is none.
    pub fn remote(&self, name: &str) -> Result<&Remote> {
        self.remotes.get(name).ok_or_else(|| Error::not_found(format!("The remote \"{name}\" doesn't exist")))
    }

    /// Splits `[<remote>:]<name>`.
    ///
    /// # Errors
    /// When the part before the first colon is no remote.
    pub fn parse_remote(&self, text: &str) -> Result<(String, String)> {
        let Some((remote, name)) = text.split_once(':') else {
            return Ok((self.default_remote.clone(), text.to_owned()));
        };
        if !self.remotes.contains_key(remote) {
            // The colon may be part of a snapshot's name: `c1/before:update`.
            if remote.contains('/') {
                return Ok((self.default_remote.clone(), text.to_owned()));
            }
            return Err(Error::not_found(format!("The remote \"{remote}\" doesn't exist")));
        }
        Ok((remote.to_owned(), name.to_owned()))
    }

    /// The text of the user's file: everything but what is built in or system-wide.
    ///
    /// # Errors
    /// Those of writing YAML.
    pub fn text(&self) -> Result<String> {
        let mut kept = self.clone();
        kept.remotes.retain(|name, remote| !remote.global && (name == DEFAULT_REMOTE || !is_static(name)));
        corten_api::yaml::to_string(&kept).context("Unable to marshal the configuration")
    }
}

/// Puts together the user's file, the system-wide one and what is built in.
///
/// # Errors
/// When one of them is no such document.
pub fn read(text: &str, global: Option<&str>) -> Result<Config> {
    let mut config = parse(text)?;
    for remote in config.remotes.values_mut() {
        if !remote.public && remote.auth_type.is_empty() {
            "tls".clone_into(&mut remote.auth_type);
        }
    }
    if let Some(global) = global {
        for (name, remote) in parse(global)?.remotes {
            config.remotes.entry(name).or_insert(Remote { global: true, ..remote });
        }
    }
    for (name, remote) in built_in().filter(|(_, remote)| remote.r#static) {
        let project = config.remotes.get(&name).map(|own| own.project.clone()).unwrap_or_default();
        config.remotes.insert(name, Remote { project, ..remote });
    }
    if config.default_remote.is_empty() {
        DEFAULT_REMOTE.clone_into(&mut config.default_remote);
    }
    Ok(config)
}

fn parse(text: &str) -> Result<Config> {
    if text.trim().is_empty() {
        return Ok(Config::default());
    }
    corten_api::yaml::from_str(text).context("Unable to decode the configuration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_sources_are_put_together() {
        let own = "default-remote: far\nremotes:\n  far:\n    addr: https://a:8443\n    public: false\n  local:\n    addr: unix://\n    project: p1\n    public: false\naliases:\n  ll: list\n";
        let global = "remotes:\n  far:\n    addr: https://other\n  wide:\n    addr: https://wide\n    public: true\n";
        let config = read(own, Some(global)).unwrap();
        assert_eq!(config.default_remote, "far");
        assert_eq!(config.remotes["far"].addr, "https://a:8443");
        assert_eq!(config.remotes["far"].auth_type, "tls");
        assert!(config.remotes["wide"].global);
        assert_eq!(config.remotes["local"].project, "p1");
        assert_eq!(config.remotes["ubuntu"].protocol, "simplestreams");
        assert!(!config.remotes.contains_key("images"), "the user has removed it");
        assert_eq!(config.aliases["ll"], "list");
        assert!(read("a: [", None).unwrap_err().message.starts_with("Unable to decode the configuration: "));
        assert_eq!(read("", None).unwrap().default_remote, "local");
    }

    #[test]
    fn remotes_come_before_the_colon() {
        let config = Config::new(PathBuf::new());
        let pair = |remote: &str, name: &str| (remote.to_owned(), name.to_owned());
        for (text, want) in [
            ("c1", pair("local", "c1")),
            ("images:centos/7", pair("images", "centos/7")),
            ("c1/a:b", pair("local", "c1/a:b")),
            ("local:", pair("local", "")),
        ] {
            assert_eq!(config.parse_remote(text).unwrap(), want, "{text}");
        }
        assert_eq!(config.parse_remote("x:y").unwrap_err().message, "The remote \"x\" doesn't exist");
    }

    #[test]
    fn the_first_file_is_as_lxd_writes_it() {
        let mut kept = Config::new(PathBuf::new());
        kept.remotes.retain(|name, _| name == DEFAULT_REMOTE || !is_static(name));
        let want = "default-remote: local\nremotes:\n  images:\n    addr: https://images.linuxcontainers.org\n    protocol: simplestreams\n    public: true\n  local:\n    addr: unix://\n    public: false\naliases: {}\n";
        assert_eq!(corten_api::yaml::to_string(&kept).unwrap(), want);
    }
}
