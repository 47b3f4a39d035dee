//! What an instance has in the end: its profiles in their order, then its own.

use crate::Devices;
use crate::key::Config;

/// The keys of the profiles, a later one before an earlier, and the instance's own before all.
pub fn config<'p>(profiles: impl IntoIterator<Item = &'p Config>, own: &'p Config) -> Config {
    profiles.into_iter().chain([own]).flat_map(Clone::clone).collect()
}

/// The devices of the profiles, a later one before an earlier, and the instance's own before all. A device is taken
/// whole:
/// the keys of two of the same name are never mixed.
pub fn devices<'p>(profiles: impl IntoIterator<Item = &'p Devices>, own: &'p Devices) -> Devices {
    profiles.into_iter().chain([own]).flat_map(Clone::clone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn the_last_word_counts() {
        let profiles = [map(&[("a", "1"), ("b", "1")]), map(&[("b", "2"), ("c", "2")])];
        let expanded = config(&profiles, &map(&[("c", "3")]));
        assert_eq!(expanded, map(&[("a", "1"), ("b", "2"), ("c", "3")]));
    }

    #[test]
    fn devices_are_taken_whole() {
        let profile = Devices::from([("eth0".to_owned(), map(&[("type", "nic"), ("mtu", "1400")]))]);
        let own = Devices::from([("eth0".to_owned(), map(&[("type", "none")]))]);
        assert_eq!(devices([&profile], &own), own);
        assert_eq!(devices([&profile], &Devices::new()), profile);
    }
}
