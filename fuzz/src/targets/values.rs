//! A value of every configuration key of every table: `KEY=VALUE`, or a value that is held against all of them.

use corten_config::entity::{Entity, Guest, Table};
use corten_config::{Config, device, network, server, storage};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some((name, value)) = text.split_once('=') {
        let config = Config::from([(name.to_owned(), value.to_owned())]);
        let entities =
            [Entity::Instance(Guest::Container), Entity::Profile, Entity::Project, Entity::Server, Entity::Member];
        for entity in entities.into_iter().chain(["bridge", "physical"].map(|kind| Entity::Network(kind, "net0"))) {
            let _ = corten_config::check(entity, &config);
        }
        for driver in storage::DRIVERS {
            let _ = corten_config::check(Entity::Pool(driver), &config);
        }
    }
    let value = text.split_once('=').map_or(text, |(_, value)| value);
    for key in tables().into_iter().flatten() {
        let _ = key.check(value);
    }
    let _ = crate::instance::instance_type::keys(value, &crate::instance::instance_type::Known::new());
    let now = corten_api::time::Time::from_unix(1_700_000_000, 0);
    let _ = crate::instance::snapshot::pattern::next(value, now, ["snap0", "snap7"].into_iter());
    let _ = crate::instance::snapshot::expiry::after(value, now);
    let _ = corten_host::idmap::raw::parse(value);
    let _ = value.parse::<corten_api::time::Time>();
}

fn tables() -> Vec<Table> {
    let mut all = Entity::Profile.tables();
    all.extend(Entity::Project.tables());
    all.extend(server::TABLES.iter().copied());
    all.extend(device::types().filter_map(|(kind, subtype)| device::table(kind, subtype)));
    all.extend(["bridge", "macvlan", "ovn", "physical", "sriov"].into_iter().filter_map(network::table));
    for driver in storage::DRIVERS {
        all.extend(storage::pool_tables(driver));
        all.extend(storage::volume_tables(driver));
    }
    all
}
