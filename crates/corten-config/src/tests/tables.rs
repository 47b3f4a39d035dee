//! Each declaration is sound: defaults and samples are taken, names are unique, words and extensions exist.

use std::collections::BTreeSet;

use crate::entity::{Entity, Guest, Table};
use crate::key::AnyKey;
use crate::{device, instance, network, project, server, storage};

fn tables() -> Vec<(String, Table)> {
    let mut all: Vec<(String, Table)> = Vec::new();
    all.extend(instance::TABLES.iter().map(|table| ("instance".to_owned(), *table)));
    all.extend(server::TABLES.iter().map(|table| ("server".to_owned(), *table)));
    all.extend(device::types().filter_map(|(a, b)| Some((format!("{a} {b}"), device::table(a, b)?))));
    for kind in ["bridge", "macvlan", "ovn", "physical", "sriov"] {
        all.extend(network::table(kind).map(|table| (kind.to_owned(), table)));
    }
    for driver in storage::DRIVERS {
        all.extend(storage::pool_tables(driver).into_iter().map(|table| (format!("{driver} pool"), table)));
        all.extend(storage::volume_tables(driver).into_iter().map(|table| (format!("{driver} volume"), table)));
    }
    all.push(("project".to_owned(), project::PROJECT));
    all.push(("member".to_owned(), server::cluster::MEMBER));
    all
}

fn each(look: impl Fn(&str, &dyn AnyKey)) {
    for (place, table) in tables() {
        table.iter().for_each(|key| look(&place, *key));
    }
}

#[test]
fn defaults_and_samples_are_taken_or_refused() {
    each(|place, key| {
        let facts = key.facts();
        if !facts.default.is_empty() {
            assert_eq!(key.check(facts.default), Ok(()), "{place} {} default", facts.name);
        }
        facts.ok.iter().for_each(|text| assert_eq!(key.check(text), Ok(()), "{place} {} takes {text}", facts.name));
        facts.bad.iter().for_each(|text| assert!(key.check(text).is_err(), "{place} {} refuses {text}", facts.name));
        assert_eq!(key.check("").is_err(), facts.required, "{place} {} unset", facts.name);
    });
}

#[test]
fn documentation_is_there_and_ends_well() {
    each(|place, key| {
        let facts = key.facts();
        assert!(!facts.docs.is_empty(), "{place} {} has no words", facts.name);
        assert!(facts.docs.last().is_some_and(|line| line.ends_with('.')), "{place} {}", facts.name);
        assert!(["bool", "integer", "string", "blob"].contains(&key.word()), "{place} {}", facts.name);
    });
}

#[test]
fn extensions_exist() {
    let known: BTreeSet<&str> = corten_api::extensions::ALL.iter().map(|one| one.name).collect();
    each(|place, key| {
        let since = key.facts().since;
        assert!(since.is_empty() || known.contains(since), "{place} {} since {since}", key.facts().name);
    });
}

#[test]
fn names_are_unique() {
    let unique = |what: &str, tables: Vec<Table>| {
        let mut seen = BTreeSet::new();
        for key in tables.into_iter().flatten() {
            assert!(seen.insert(key.facts().name), "{what}: {} is declared twice", key.facts().name);
        }
        seen.len()
    };
    let instance = unique("instance", instance::TABLES.to_vec());
    assert!(instance >= 111, "{instance} keys of instances");
    unique("server", server::TABLES.to_vec());
    for (kind, subtype) in device::types() {
        unique(kind, device::table(kind, subtype).into_iter().collect());
    }
    for driver in storage::DRIVERS {
        unique(driver, storage::pool_tables(driver));
        unique(driver, storage::volume_tables(driver));
    }
}

#[test]
fn keys_are_found_by_name_and_by_pattern() {
    let container = Entity::Instance(Guest::Container);
    let name = |entity, key| crate::lookup(entity, key).map(|key| key.facts().name);
    assert_eq!(name(container, "limits.cpu"), Some("limits.cpu"));
    assert_eq!(name(container, "user.user-data"), Some("user.user-data"));
    assert_eq!(name(container, "user.colour"), Some("user.*"));
    assert_eq!(name(container, "volatile.eth0.hwaddr"), Some("volatile.<name>.hwaddr"));
    assert_eq!(name(container, "raw.qemu"), None);
    assert_eq!(name(Entity::Instance(Guest::Machine), "raw.qemu"), Some("raw.qemu"));
    assert_eq!(name(Entity::Profile, "raw.qemu"), Some("raw.qemu"));
    assert_eq!(name(Entity::Pool("zfs"), "volume.zfs.blocksize"), Some("zfs.blocksize"));
    assert_eq!(name(Entity::Pool("dir"), "volume.zfs.blocksize"), None);
    assert_eq!(name(Entity::Network("bridge", "br0"), "tunnel.a.port"), Some("tunnel.<name>.port"));
}

#[test]
fn the_reference_names_every_key() {
    let pages = crate::reference::pages();
    each(|place, key| {
        let heading = format!("### `{}`", key.facts().name);
        assert!(pages.iter().any(|page| page.text.contains(&heading)), "{place}: {heading}");
    });
}
