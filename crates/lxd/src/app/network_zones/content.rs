//! What stands in a zone: the addresses in use on the networks that name it, and the records that users added.

use corten_api::error::{Error, Result};
use corten_api::network::NetworkLease;
use corten_api::network_zone::NetworkZoneRecordEntry;
use corten_db::table::{State, network_zone_records, network_zones as table, networks};
use corten_network::config::{flag, get, list};
use corten_network::zone::record::Record;
use corten_network::zone::{Way, Zone};

use super::uses;
use crate::app::App;
use crate::app::networks::{hosts, open};

/// What is remembered that a zone is made of.
struct Facts {
    networks: Vec<networks::Network>,
    zones: Vec<table::Zone>,
    added: Vec<network_zone_records::Record>,
}

/// The records of a zone.
///
/// # Errors
/// The database's, or why a network cannot be asked.
pub fn records(app: &App, row: &table::Zone, zone: &Zone) -> Result<Vec<Record>> {
    let Facts { networks, zones, added } = app.view(|view| {
        Ok(Facts {
            networks: networks::list(view, None)?,
            zones: table::list(view, None)?,
            added: network_zone_records::list(view, row.id)?,
        })
    })?;
    let mut records = Vec::new();
    for network in networks.iter().filter(|network| network.state == State::Created && uses(network, &row.name)) {
        // A reverse zone has the names that the addresses have in the network's forward zones.
        let forward: Vec<&table::Zone> = match zone.way() {
            Way::Forward => vec![row],
            _ => list(get(&network.config, "dns.zone.forward"))
                .filter_map(|name| zones.iter().find(|zone| zone.name == name))
                .collect(),
        };
        for names in forward {
            let leases = leases(app, network, names)?;
            let leases = leases.iter().filter(|lease| is_shown(row, network, lease));
            records.extend(leases.filter_map(|lease| record(zone, names, lease)));
        }
    }
    for row in &added {
        records.extend(entries(zone, row)?);
    }
    Ok(records)
}

/// The addresses in use on a network, of instances of the project that has the zone with their names.
fn leases(app: &App, network: &networks::Network, zone: &table::Zone) -> Result<Vec<NetworkLease>> {
    let nics = hosts::leases(app, &network.name, &zone.project)?;
    Ok(open(app, network)?.leases(&nics, zone.project == network.project, "none")?)
}

/// Whether the zone wants an address: one behind NAT may be of no use outside.
fn is_shown(zone: &table::Zone, network: &networks::Network, lease: &NetworkLease) -> bool {
    let family = if lease.address.contains(':') { "ipv6.nat" } else { "ipv4.nat" };
    flag(&zone.config, "network.nat", true) || !flag(&network.config, family, false)
}

fn record(zone: &Zone, names: &table::Zone, lease: &NetworkLease) -> Option<Record> {
    let address = lease.address.parse().ok()?;
    match (zone.way(), address) {
        (Way::Forward, _) => zone.address(&lease.hostname, address),
        (Way::ReverseV4, std::net::IpAddr::V4(_)) | (Way::ReverseV6, std::net::IpAddr::V6(_)) => {
            zone.pointer(&lease.hostname, &Zone::new(&names.name, "").ok()?, address)
        }
        _ => None,
    }
}

/// What a user added under one name. What could not be read any more is left out and told of, so that the zone stays.
fn entries(zone: &Zone, row: &network_zone_records::Record) -> Result<Vec<Record>> {
    let entries: Option<Vec<NetworkZoneRecordEntry>> = serde_json::from_str(&row.entries)
        .map_err(|error| Error::internal(format!("Failed unmarshalling entries: {error}")))?;
    let read = |entry: &NetworkZoneRecordEntry| {
        let read = zone.record(&row.name, entry.ttl, &entry.r#type, &entry.value);
        read.inspect_err(|why| tracing::error!(record = row.name, "Bad DNS record: {why}")).ok()
    };
    Ok(entries.unwrap_or_default().iter().filter_map(read).collect())
}
