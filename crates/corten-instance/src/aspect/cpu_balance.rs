//! Which processors each container gets: fixed sets as they are, counts spread over the least used ones.

use std::collections::{BTreeMap, BTreeSet};

use corten_config::value::cpu_set::parse_set;

/// What `limits.cpu` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// All processors: the key is unset.
    All,
    /// This many, wherever there is room.
    Count(usize),
    /// Exactly these.
    Set(BTreeSet<u32>),
}

impl Wish {
    /// Reads `limits.cpu`: a count (`2`), a set (`1,3`, `0-3`, or `2-2` for the single processor 2), or nothing.
    ///
    /// # Errors
    /// A sentence about the part that is neither a number nor a range.
    pub fn parse(text: &str) -> Result<Wish, String> {
        if text.is_empty() {
            return Ok(Wish::All);
        }
        if let Ok(count) = text.parse() {
            return Ok(Wish::Count(count));
        }
        parse_set(text).map(Wish::Set)
    }
}

/// Gives every container its processors. Containers come in any order; the result depends only on their names.
///
/// Fixed sets count as use of their processors, and a count takes the least used ones, lowest number first. A set of
/// processors that are not there leaves those out; a set with none left, like a count above what is there, gives all.
pub fn balance<N: Ord + Clone>(online: &BTreeSet<u32>, wishes: &BTreeMap<N, Wish>) -> BTreeMap<N, BTreeSet<u32>> {
    let mut used: BTreeMap<u32, usize> = online.iter().map(|cpu| (*cpu, 0)).collect();
    let mut given = BTreeMap::new();
    for (name, wish) in wishes {
        if let Wish::Set(set) = wish {
            let there: BTreeSet<u32> = set.intersection(online).copied().collect();
            for cpu in &there {
                *used.entry(*cpu).or_default() += 1;
            }
            given.insert(name.clone(), if there.is_empty() { online.clone() } else { there });
        }
    }
    for (name, wish) in wishes {
        let count = match wish {
            Wish::Set(_) => continue,
            Wish::All => online.len(),
            Wish::Count(count) => (*count).min(online.len()),
        };
        if count == 0 || count == online.len() {
            given.insert(name.clone(), online.clone());
            continue;
        }
        let mut by_use: Vec<(usize, u32)> = used.iter().map(|(cpu, uses)| (*uses, *cpu)).collect();
        by_use.sort_unstable();
        let chosen: BTreeSet<u32> = by_use.into_iter().take(count).map(|(_, cpu)| cpu).collect();
        for cpu in &chosen {
            *used.entry(*cpu).or_default() += 1;
        }
        given.insert(name.clone(), chosen);
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_config::value::cpu_set::write_set;

    #[test]
    fn a_number_alone_is_a_count() {
        assert_eq!(Wish::parse("2"), Ok(Wish::Count(2)));
        assert_eq!(Wish::parse("2-2"), Ok(Wish::Set(BTreeSet::from([2]))));
    }

    #[test]
    fn counts_go_where_the_least_is_used() {
        let online = parse_set("0-3").expect("a set");
        let wishes = BTreeMap::from([
            ("fixed".to_string(), Wish::Set(BTreeSet::from([0, 1]))),
            ("one".to_string(), Wish::Count(1)),
            ("two".to_string(), Wish::Count(2)),
            ("all".to_string(), Wish::All),
            ("gone".to_string(), Wish::Set(BTreeSet::from([9]))),
            ("many".to_string(), Wish::Count(64)),
        ]);
        let given = balance(&online, &wishes);
        assert_eq!(write_set(&given["fixed"]), "0-1");
        assert_eq!(write_set(&given["one"]), "2");
        assert_eq!(write_set(&given["two"]), "0,3");
        for name in ["all", "gone", "many"] {
            assert_eq!(given[name], online, "{name}");
        }
    }
}
