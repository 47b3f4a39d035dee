//! Answers questions of other DNS servers out of the database.

use std::net::IpAddr;
use std::sync::Arc;

use corten_db::table::network_zones as table;
use corten_instance::instance::Config;
use corten_network::zone::Zone;
use corten_network::zone::answer::{self, Source, Way};
use corten_network::zone::peer;
use corten_network::zone::record::Record;
use jiff::Timestamp;

use super::content;
use crate::app::App;

/// The messages that answer one.
pub fn answer(app: &Arc<App>, from: IpAddr, way: Way, message: Vec<u8>) -> Vec<Vec<u8>> {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    answer::answer(&Zones(app), from, way, message, now)
}

struct Zones<'a>(&'a App);

/// What could not be read is as what is not there, but told of.
fn told<T>(what: &str, outcome: corten_api::error::Result<T>) -> Option<T> {
    outcome.inspect_err(|error| tracing::error!("Failed to {what}: {error}")).ok()
}

impl Source for Zones<'_> {
    fn secrets(&self) -> Vec<(String, String)> {
        let zones = told("read the keys of network zones", self.0.view(|view| Ok(table::list(view, None)?)));
        zones.unwrap_or_default().iter().flat_map(|zone| peer::secrets(&zone.name, &zone.config)).collect()
    }

    fn zone(&self, name: &str) -> Option<(String, Config)> {
        let found = told("read a network zone", self.0.view(|view| Ok(table::get_any_case(view, name)?)));
        found.flatten().map(|zone| (zone.name, zone.config))
    }

    fn records(&self, name: &str, zone: &Zone) -> Option<Vec<Record>> {
        let row = told("read a network zone", self.0.view(|view| Ok(table::get(view, name)?)))??;
        told(&format!("render DNS zone {name:?}"), content::records(self.0, &row, zone))
    }
}
