//! The server's own configuration: checked, remembered, and acted upon.

use super::settings::{Changed, Keys, is_true};
use super::{App, check, images};
use crate::dns;
use crate::rest::sockets;
use corten_api::error::{Error, Result};
use corten_api::server::ServerStorageDriverInfo;
use corten_host::netlink::Socket;
use corten_host::netlink::address::GLOBAL;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where the DNS server for network zones listens.
const DNS_ADDRESS: &str = "core.dns_address";

/// What `GET /1.0` tells about storage.
#[derive(Clone, Debug, Default)]
pub struct StorageDrivers {
    /// Drivers of the pools that there are, joined by ` | `.
    pub used: String,
    /// Their versions, in the same order.
    pub used_versions: String,
    /// What a new pool could use.
    pub supported: Vec<ServerStorageDriverInfo>,
}

impl App {
    /// Where HTTPS can be reached: the address listened on, or all of the host's when it is every one.
    pub fn addresses(&self) -> Vec<String> {
        let Some(text) = self.settings.get("core.https_address") else { return Vec::new() };
        let Ok(address) = sockets::parse_address(&text, sockets::DEFAULT_PORT) else { return Vec::new() };
        if !address.ip().is_unspecified() {
            return vec![address.to_string()];
        }
        let mut shown = Vec::new();
        for ip in host_addresses() {
            if address.is_ipv6() || ip.is_ipv4() {
                shown.push(std::net::SocketAddr::new(ip, address.port()).to_string());
            }
        }
        shown
    }

    /// Replaces or amends the configuration. A value of `None` leaves that key as it is.
    ///
    /// # Errors
    /// 400 for a key or value that is not right, before anything has changed.
    pub fn update_settings(&self, asked: &BTreeMap<String, Option<String>>, amend: bool) -> Result<()> {
        let old = self.settings.all();
        let mut keys: Keys = if amend { (*old).clone() } else { Keys::new() };
        for (key, value) in asked {
            match value {
                None => keys.extend(old.get(key).map(|value| (key.clone(), value.clone()))),
                Some(value) if value.is_empty() => drop(keys.remove(key)),
                Some(value) => {
                    let value = if key == "core.trust_password" && old.get(key) != Some(value) {
                        crate::auth::password::hash(value)?
                    } else {
                        value.clone()
                    };
                    keys.insert(key.clone(), value);
                }
            }
        }
        must_be_there(keys.keys().filter(|key| !old.contains_key(*key)))?;
        check::server(&asked.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect())?;
        let saved = self.listen_as(&keys).and_then(|()| self.save_settings(&keys, super::settings::is_local));
        if saved.is_err() {
            // The old addresses were good a moment ago.
            let _ = self.listen_as(&old);
        }
        self.after_change(&saved?);
        Ok(())
    }

    /// Listens where a configuration says, before it is remembered: an address that cannot be had is refused. One listener's
    /// failure keeps no other from its address, so that this is the way back as well.
    fn listen_as(&self, keys: &Keys) -> Result<()> {
        let mut outcome = Ok(());
        for (key, listener) in [("core.https_address", &self.https), ("core.metrics_address", &self.metrics)] {
            let refused = |text: &str, error: Error| error.context(format!("cannot set '{key}' to '{text}'"));
            let address = keys
                .get(key)
                .map(|text| sockets::parse_address(text, sockets::DEFAULT_PORT).map_err(|error| refused(text, error)));
            let listener = listener.get().ok_or_else(|| Error::unavailable("LXD daemon setup in progress"))?;
            outcome = outcome.and(address.transpose().and_then(|address| listener.listen_on(address)));
        }
        outcome.and(self.listen_for_dns(keys))
    }

    /// Has the DNS server listen where a configuration says.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen_for_dns(&self, keys: &Keys) -> Result<()> {
        let refused = |text: &str, error: Error| error.context(format!("cannot set '{DNS_ADDRESS}' to '{text}'"));
        let text = keys.get(DNS_ADDRESS).map_or("", String::as_str);
        let address = (!text.is_empty()).then(|| sockets::parse_address(text, dns::DEFAULT_PORT));
        let address = address.transpose().map_err(|error| refused(text, error))?;
        let server = self.dns.get().ok_or_else(|| Error::unavailable("LXD daemon setup in progress"))?;
        server.listen_on(address).map_err(|error| refused(text, error))
    }

    /// Acts on keys that others hold a copy of.
    fn after_change(&self, changed: &Changed) {
        if let Some(value) = changed.get("core.trust_ca_certificates") {
            self.trust.trust_authority(is_true(value));
        }
        if images::upkeep::KEYS.iter().any(|key| changed.contains_key(*key)) {
            self.images.prune.notify_one();
        }
        tracing::debug!(keys = ?changed.keys().collect::<Vec<_>>(), "Server configuration changed");
    }
}

/// Keys that would have this server do what it cannot do yet.
const NOT_THERE: [(&str, &str); 8] = [
    ("candid.", "Authentication by Candid"),
    ("core.bgp_", "BGP"),
    ("core.https_trusted_proxy", "The PROXY protocol"),
    ("network.ovn.", "OVN"),
    ("rbac.", "RBAC"),
    ("maas.", "MAAS"),
    ("storage.backups_volume", "A volume for backups"),
    ("storage.images_volume", "A volume for images"),
];

fn must_be_there<'a>(mut keys: impl Iterator<Item = &'a String>) -> Result<()> {
    let find =
        |key: &'a String| NOT_THERE.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|(_, what)| (key, what));
    match keys.find_map(find) {
        Some((key, what)) => Err(Error::not_implemented(format!("{what} is not there yet (key {key:?})"))),
        None => Ok(()),
    }
}

/// The global addresses of this host's interfaces.
fn host_addresses() -> Vec<IpAddr> {
    let listed = Socket::open().and_then(|socket| socket.addresses());
    let global = listed.unwrap_or_default().into_iter().filter(|address| address.scope == GLOBAL);
    global.map(|address| address.address).collect()
}
