//! Who may ask for a zone: the peers that its keys name.

use std::collections::BTreeMap;
use std::net::IpAddr;

use domain::base::name::ToName;
use domain::tsig::KeyName;

use super::name::dname;
use crate::config::Config;

/// One server that may have a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Where it asks from; anywhere when there is none.
    address: Option<String>,
    /// The secret that it signs with, in base64; it need not sign when there is none.
    secret: Option<String>,
}

/// The peers of a zone by name, from its keys `peers.NAME.address` and `peers.NAME.key`.
pub fn of(config: &Config) -> BTreeMap<String, Peer> {
    let mut peers: BTreeMap<String, Peer> = BTreeMap::new();
    for (key, value) in config.iter().filter(|(_, value)| !value.is_empty()) {
        let Some((name, field)) = key.strip_prefix("peers.").and_then(|rest| rest.split_once('.')) else { continue };
        let peer = peers.entry(name.to_string()).or_default();
        match field {
            "address" => peer.address = Some(value.clone()),
            "key" => peer.secret = Some(value.clone()),
            _ => {}
        }
    }
    peers
}

/// What the key of a peer is called in messages.
fn key_name(zone: &str, peer: &str) -> String {
    format!("{zone}_{peer}")
}

/// The secrets of a zone's peers, by the names of the keys.
pub fn secrets(zone: &str, config: &Config) -> Vec<(String, String)> {
    let of_peer = |(name, peer): (String, Peer)| Some((key_name(zone, &name), peer.secret?));
    of(config).into_iter().filter_map(of_peer).collect()
}

/// Whether someone at this address, whose message has a good signature by this key, may have the zone.
pub fn may(zone: &str, config: &Config, from: IpAddr, signer: Option<&KeyName>) -> bool {
    of(config).iter().any(|(name, peer)| {
        let is_there = |address: &String| address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical() == from);
        let is_signer = |signer: &KeyName| dname(&key_name(zone, name)).is_ok_and(|key| key.name_eq(signer));
        peer.address.as_ref().is_none_or(is_there) && (peer.secret.is_none() || signer.is_some_and(is_signer))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keys: &[(&str, &str)]) -> Config {
        keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn only_peers_may_ask() {
        let both = config(&[("peers.a.address", "10.0.0.1"), ("peers.a.key", "c2VjcmV0")]);
        let either = config(&[("peers.a.address", "10.0.0.1"), ("peers.b.key", "c2VjcmV0")]);
        let v6 = config(&[("peers.a.address", "fd42:0::1")]);
        let key = |text: &str| -> Option<KeyName> { dname(text).ok().and_then(|name| name.try_to_name().ok()) };
        let (a, b) = (key("Z.net_a"), key("z.net_b"));
        for (keys, from, signer, may_ask) in [
            (&Config::new(), "10.0.0.1", None, false),
            (&config(&[("user.x", "y"), ("peers.a.address", "")]), "10.0.0.1", None, false),
            (&both, "10.0.0.1", None, false),
            (&both, "10.0.0.1", a.as_ref(), true),
            (&both, "10.0.0.1", b.as_ref(), false),
            (&both, "10.0.0.2", a.as_ref(), false),
            (&either, "10.0.0.1", None, true),
            (&either, "10.0.0.2", None, false),
            (&either, "10.0.0.2", a.as_ref(), false),
            (&either, "10.0.0.2", b.as_ref(), true),
            (&v6, "fd42::1", None, true),
        ] {
            let from: IpAddr = from.parse().expect("an address");
            assert_eq!(may("z.net", keys, from, signer), may_ask, "{keys:?} {from} {signer:?}");
        }
    }
}
