//! Instance types: limits that go by a name, as `t2.micro` of a cloud, or are written out, as `c2-m4`.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};

use crate::instance::Config;

/// Types by cloud and name; each has `cpu`, processors and parts of one, and `mem`, memory in units of 1024 MB.
pub type Known = BTreeMap<String, BTreeMap<String, BTreeMap<String, f32>>>;

/// What a type gives; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Limits {
    cpu: f32,
    memory: f32,
}

/// The keys that the type `text` stands for: `CLOUD:NAME`, a name that only one cloud has, or `cCPUS-mMEMORY`.
///
/// # Errors
/// 400 in LXD's words.
pub fn keys(text: &str, known: &Known) -> Result<Config> {
    find(text, known).map(of_limits)
}

fn find(text: &str, known: &Known) -> Result<Limits> {
    let unknown = || Error::invalid(format!("Provided instance type doesn't exist: {text}"));
    if let Some((cloud, name)) = text.split_once(':') {
        return known.get(cloud).and_then(|types| types.get(name)).map(named_limits).ok_or_else(unknown);
    }
    let mut named = known.values().filter_map(|types| types.get(text));
    if let Some(found) = named.next() {
        return match named.next() {
            Some(_) => Err(Error::invalid(format!("Ambiguous instance type provided: {text}"))),
            None => Ok(named_limits(found)),
        };
    }
    let mut limits = Limits::default();
    for field in text.split('-') {
        let mut letters = field.chars();
        let of = match letters.next() {
            Some('c') => &mut limits.cpu,
            Some('m') => &mut limits.memory,
            _ => return Err(unknown()),
        };
        let number = letters.as_str();
        if number.is_empty() {
            return Err(unknown());
        }
        let bad = || Error::invalid(format!("Bad custom instance type: {text}"));
        *of = number.parse().ok().filter(|number: &f32| number.is_finite()).ok_or_else(bad)?;
    }
    Ok(limits)
}

fn named_limits(figures: &BTreeMap<String, f32>) -> Limits {
    let figure = |name: &str| figures.get(name).copied().unwrap_or_default();
    Limits { cpu: figure("cpu"), memory: figure("mem") }
}

/// Limits as keys: whole processors, a share of their time when they are more than was asked for, memory.
#[expect(clippy::cast_possible_truncation, reason = "numbers of processors, percent and megabytes")]
fn of_limits(limits: Limits) -> Config {
    let mut keys = Config::new();
    if limits.cpu > 0.0 {
        let processors = limits.cpu.ceil();
        keys.insert("limits.cpu".to_string(), format!("{}", processors as i64));
        let share = (limits.cpu / processors * 100.0) as i64;
        if share < 100 {
            keys.insert("limits.cpu.allowance".to_string(), format!("{share}%"));
        }
    }
    if limits.memory > 0.0 {
        keys.insert("limits.memory".to_string(), format!("{}MB", (limits.memory * 1024.0) as i64));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_limits() {
        let types = |name: &str, cpu, memory| {
            BTreeMap::from([(
                name.to_string(),
                BTreeMap::from([("cpu".to_string(), cpu), ("mem".to_string(), memory)]),
            )])
        };
        let known = Known::from([
            ("aws".to_string(), types("t2.micro", 1.0, 1.0)),
            ("one".to_string(), types("same", 1.0, 0.0)),
            ("two".to_string(), types("same", 2.0, 0.0)),
        ]);
        let cases = [
            ("c0.5-m0.2", "limits.cpu=1 limits.cpu.allowance=50% limits.memory=204MB"),
            ("c2", "limits.cpu=2"),
            ("m4", "limits.memory=4096MB"),
            ("c1.5-m0", "limits.cpu=2 limits.cpu.allowance=75%"),
            ("t2.micro", "limits.cpu=1 limits.memory=1024MB"),
            ("aws:t2.micro", "limits.cpu=1 limits.memory=1024MB"),
            ("two:same", "limits.cpu=2"),
            ("same", "Ambiguous instance type provided: same"),
            ("gce:t2.micro", "Provided instance type doesn't exist: gce:t2.micro"),
            ("t2.large", "Provided instance type doesn't exist: t2.large"),
            ("c", "Provided instance type doesn't exist: c"),
            ("c2.micro", "Bad custom instance type: c2.micro"),
        ];
        for (text, expected) in cases {
            let said = match keys(text, &known) {
                Ok(keys) => keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "),
                Err(error) => error.message,
            };
            assert_eq!(said, expected, "{text}");
        }
    }
}
