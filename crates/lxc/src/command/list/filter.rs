//! The filters of `lxc list`: which the server applies, and how we apply the others.

use std::net::IpAddr;

use corten_api::instance::InstanceFull;
use regex::Regex;

/// What the server can compare by itself: the fields of an instance.
const FIELDS: [&str; 21] = [
    "architecture",
    "config",
    "devices",
    "ephemeral",
    "profiles",
    "restore",
    "stateful",
    "description",
    "created_at",
    "expanded_config",
    "expanded_devices",
    "name",
    "status",
    "status_code",
    "last_used_at",
    "location",
    "type",
    "project",
    "backups",
    "state",
    "snapshots",
];

/// Parts the filters into those for the server and those for us.
pub fn split(filters: &[String]) -> (Vec<&str>, Vec<&str>) {
    filters.iter().map(String::as_str).partition(|filter| {
        filter.split_once('=').is_some_and(|(key, value)| FIELDS.contains(&key) && !value.contains(','))
    })
}

/// A filter made ready.
pub enum Test {
    /// On the name: a prefix, or a regular expression.
    Name(String, Option<Regex>),
    /// On a field or a configuration key.
    Key {
        /// The key, perhaps shortened.
        key: String,
        /// The value.
        value: String,
        /// The value as a regular expression, if it is one.
        pattern: Option<Regex>,
    },
}

/// Makes filters ready, so that patterns are read once and not for every instance.
pub fn compile(filters: &[&str]) -> Vec<Test> {
    let pattern = |text: &str| {
        let anchored = text.contains('^') || text.contains('$');
        Regex::new(&if anchored { text.to_owned() } else { format!("^{text}$") }).ok()
    };
    filters
        .iter()
        .map(|filter| match filter.split_once('=') {
            Some((key, value)) => Test::Key { key: key.to_owned(), value: value.to_owned(), pattern: pattern(value) },
            None => Test::Name((*filter).to_owned(), pattern(filter)),
        })
        .collect()
}

impl Test {
    /// Whether an instance passes.
    pub fn matches(&self, instance: &InstanceFull) -> bool {
        match self {
            Test::Name(text, pattern) => {
                pattern.as_ref().is_some_and(|pattern| pattern.is_match(&instance.name))
                    || instance.name.starts_with(text)
            }
            Test::Key { key, value, pattern } => {
                // Several values of a field are separated by commas.
                value.split(',').any(|value| field(&key.to_lowercase(), value, instance))
                    || instance.expanded_config.get(key).map_or(value.is_empty(), |found| found == value)
                    || config(key, value, pattern.as_ref(), instance)
            }
        }
    }
}

/// Compares one of the fields that have short names.
fn field(key: &str, value: &str, instance: &InstanceFull) -> bool {
    match key {
        "type" => instance.r#type.eq_ignore_ascii_case(value),
        "status" => instance.status.eq_ignore_ascii_case(value),
        "architecture" => instance.architecture.eq_ignore_ascii_case(value),
        "location" => instance.location.eq_ignore_ascii_case(value),
        "ipv4" => address("inet", value, instance),
        "ipv6" => address("inet6", value, instance),
        _ => false,
    }
}

/// Whether one of the instance's addresses is this one, or lies in this subnet.
fn address(family: &str, wanted: &str, instance: &InstanceFull) -> bool {
    let networks = instance.state.as_ref().and_then(|state| state.network.as_ref());
    let addresses = networks.into_iter().flatten().flat_map(|(_, network)| &network.addresses);
    addresses
        .filter(|address| address.family == family)
        .any(|address| address.address == wanted || in_subnet(&address.address, wanted).unwrap_or(false))
}

/// Whether an address lies in a subnet written `ADDRESS/BITS`; `None` when either is written wrongly.
fn in_subnet(address: &str, subnet: &str) -> Option<bool> {
    let (network, bits) = subnet.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    let number = |text: &str| {
        Some(match text.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        })
    };
    let ((address, size), (network, other)) = (number(address)?, number(network)?);
    if size != other || bits > size {
        return Some(false);
    }
    Some(bits == 0 || (address ^ network) >> (128 - bits) == 0)
}

/// Compares configuration keys, each part of which may be shortened to its start.
fn config(key: &str, value: &str, pattern: Option<&Regex>, instance: &InstanceFull) -> bool {
    let mut candidates = instance.expanded_config.iter().filter(|(full, _)| is_short_for(key, full));
    candidates.any(|(_, found)| pattern.map_or(found == value, |pattern| pattern.is_match(found)))
}

/// `s.privileged` stands for `security.privileged`.
fn is_short_for(short: &str, full: &str) -> bool {
    short.split('.').count() == full.split('.').count()
        && short.split('.').zip(full.split('.')).all(|(short, full)| full.starts_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gets_what_it_understands() {
        let filters = ["status=running", "type=a,b", "c1", "user.x=y"].map(str::to_owned);
        assert_eq!(split(&filters), (vec!["status=running"], vec!["type=a,b", "c1", "user.x=y"]));
    }

    #[test]
    fn keys_may_be_shortened() {
        assert!(is_short_for("s.priv", "security.privileged"));
        assert!(!is_short_for("s", "security.privileged"));
        assert!(!is_short_for("x.priv", "security.privileged"));
    }

    #[test]
    fn subnets() {
        for (address, subnet, want) in [
            ("10.0.3.4", "10.0.0.0/16", Some(true)),
            ("10.1.3.4", "10.0.0.0/16", Some(false)),
            ("10.1.3.4", "0.0.0.0/0", Some(true)),
            ("fd00::1", "fd00::/64", Some(true)),
            ("fd00::1", "10.0.0.0/8", Some(false)),
            ("10.0.0.1", "10.0.0.1", None),
            ("10.0.0.1", "10.0.0.0/99", Some(false)),
        ] {
            assert_eq!(in_subnet(address, subnet), want, "{address} {subnet}");
        }
    }
}
