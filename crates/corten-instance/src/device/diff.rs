//! Which devices a change takes out, puts in, or changes in place.

use std::collections::BTreeSet;

use crate::instance::{Config, Devices};

/// The names of devices by what a change means for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// To be taken out: gone, or to come back changed.
    pub removed: Vec<String>,
    /// To be put in: new, or changed beyond what works in place.
    pub added: Vec<String>,
    /// To be changed in place.
    pub updated: Vec<String>,
}

/// Compares two sets of devices; `live` names the options of a device that change in place.
pub fn diff<'a>(old: &Devices, new: &Devices, live: impl Fn(&Config) -> &'a [&'a str]) -> Diff {
    let mut diff = Diff::default();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(name), new.get(name)) {
            (Some(_), None) => diff.removed.push(name.clone()),
            (None, Some(_)) => diff.added.push(name.clone()),
            (Some(before), Some(after)) if before != after => {
                let in_place = live(after);
                if changed(before, after).all(|option| in_place.contains(&option)) {
                    diff.updated.push(name.clone());
                } else {
                    diff.removed.push(name.clone());
                    diff.added.push(name.clone());
                }
            }
            _ => {}
        }
    }
    diff
}

fn changed<'a>(before: &'a Config, after: &'a Config) -> impl Iterator<Item = &'a str> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_options_change_in_place_and_others_replace_the_device() {
        let device = |size: &str, path: &str| {
            Config::from([("size".to_string(), size.to_string()), ("path".to_string(), path.to_string())])
        };
        let old = Devices::from([
            ("gone".to_string(), device("1", "/a")),
            ("grown".to_string(), device("1", "/b")),
            ("moved".to_string(), device("1", "/c")),
            ("same".to_string(), device("1", "/d")),
        ]);
        let new = Devices::from([
            ("grown".to_string(), device("2", "/b")),
            ("moved".to_string(), device("1", "/e")),
            ("new".to_string(), device("1", "/f")),
            ("same".to_string(), device("1", "/d")),
        ]);
        let diff = diff(&old, &new, |_| &["size"]);
        assert_eq!(diff.removed, ["gone", "moved"]);
        assert_eq!(diff.added, ["moved", "new"]);
        assert_eq!(diff.updated, ["grown"]);
    }
}
