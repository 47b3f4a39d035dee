//! Questions to the DNS server of network zones, as anyone may send them; and records as users write them.

use std::net::{IpAddr, Ipv4Addr};

use corten_network::config::Config;
use corten_network::zone::Zone;
use corten_network::zone::answer::{Source, Way, answer};
use corten_network::zone::record::Record;

/// One zone, for whoever signs with the secret `secret`, or asks from the address that a target's input comes from.
struct Zones;

impl Source for Zones {
    fn secrets(&self) -> Vec<(String, String)> {
        vec![("z.net_a".into(), "c2VjcmV0".into())]
    }

    fn zone(&self, name: &str) -> Option<(String, Config)> {
        let keys = [("peers.a.key", "c2VjcmV0"), ("peers.b.address", "127.0.0.1")];
        let keys = keys.map(|(key, value)| (key.to_string(), value.to_string()));
        (name.eq_ignore_ascii_case("z.net")).then(|| ("z.net".to_string(), Config::from(keys)))
    }

    fn records(&self, _: &str, zone: &Zone) -> Option<Vec<Record>> {
        Some((0..=99).filter_map(|last| zone.address(&format!("c{last}"), [10, 0, 0, last].into())).collect())
    }
}

/// A question on both ways; what answers it fits, and is the answer to it.
pub fn question(data: &[u8]) {
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for (way, largest) in [(Way::Udp, 1232), (Way::Tcp, usize::from(u16::MAX))] {
        for said in answer(&Zones, from, way, data.to_vec(), 1_795_896_269) {
            assert!(said.len() <= largest, "{} bytes", said.len());
            assert_eq!(said.get(..2), data.get(..2), "another number");
            assert!(said[2] & 0x80 != 0, "not an answer");
        }
    }
}

/// A type in the first line, a value in the others: a record is one line of a zone, whatever is in it.
pub fn record(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (kind, value) = text.split_once('\n').unwrap_or(("TXT", text));
    let zone = Zone::new("z.net", "").expect("it is a name");
    for name in ["a", kind] {
        if let Ok(record) = zone.record(name, 0, kind, value) {
            let whole = corten_network::zone::text(&zone.whole(1, vec![record]));
            assert_eq!(whole.lines().count(), 3, "{whole}");
        }
    }
}
