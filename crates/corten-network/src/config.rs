//! Reading keys of a network or NIC, all of them texts.

use std::collections::BTreeMap;

/// Keys and values as they are stored and travel; an absent key and an empty value mean the same.
pub type Config = BTreeMap<String, String>;

/// The value of `key`, or the empty text.
pub fn get<'a>(config: &'a Config, key: &str) -> &'a str {
    config.get(key).map_or("", String::as_str)
}

/// Whether `value` says yes in one of LXD's ways.
pub fn is_true(value: &str) -> bool {
    ["true", "1", "yes", "on"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

/// Whether `key` is on, `default` when it is not set.
pub fn flag(config: &Config, key: &str, default: bool) -> bool {
    match get(config, key) {
        "" => default,
        value => is_true(value),
    }
}

/// The entries of a comma-separated list, without the white space around them and without empty ones.
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}
