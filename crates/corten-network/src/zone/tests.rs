//! Zones as text, and names that do not belong in them.

use std::net::IpAddr;

use super::*;

const SERIAL: u32 = 1_795_896_269;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn zone(name: &str, servers: &str) -> Zone {
    Zone::new(name, servers).expect("a zone")
}

/// What a user wrote for the names `demo` and the zone itself.
fn written(zone: &Zone) -> Vec<Record> {
    let entries = [
        ("demo", 900, "A", "1.1.1.1"),
        ("demo", 0, "AAAA", "1111::1111"),
        ("demo", 900, "MX", "1 mx1.example.net."),
        ("demo", 0, "TXT", "v=spf1 mx ~all"),
        ("demo", 0, "TXT", "\"one string\" two"),
        ("_web._tcp", 0, "SRV", "0 5 80 web.example.net."),
        ("@", 0, "CAA", "0 issue \"letsencrypt.org\""),
        ("*.apps", 0, "CNAME", "demo.lxd.example.net."),
        ("sp ace", 0, "A", "1.1.1.3"),
    ];
    entries.iter().map(|(name, ttl, kind, value)| zone.record(name, *ttl, kind, value).expect("a record")).collect()
}

#[test]
fn zones_are_as_agreed() {
    let forward = zone("lxd.example.net", "ns1.example.net, ns2.example.net.,,");
    let hosts = [
        ("br0.gw", "192.0.2.1"),
        ("br0.gw", "fd42::1"),
        ("c1", "192.0.2.42"),
        ("c1", "192.0.2.42"),
        ("*", "192.0.2.7"),
    ];
    let mut records: Vec<Record> =
        hosts.iter().filter_map(|(host, address)| forward.address(host, ip(address))).collect();
    records.extend(written(&forward));
    crate::golden::check("zone-forward.txt", &text(&forward.whole(SERIAL, records)));

    let v4 = zone("2.0.192.in-addr.arpa", "");
    let elsewhere = [("c9", "192.0.3.1"), ("c9", "fd42::9")];
    let pointers = |zone: &Zone| -> Vec<Record> {
        let all = hosts.iter().chain(&elsewhere);
        all.filter_map(|(host, address)| zone.pointer(host, &forward, ip(address))).collect()
    };
    crate::golden::check("zone-reverse-v4.txt", &text(&v4.whole(SERIAL, pointers(&v4))));
    let v6 = zone("0.0.0.0.0.0.0.0.0.0.0.0.2.4.d.f.ip6.arpa", "");
    crate::golden::check("zone-reverse-v6.txt", &text(&v6.whole(SERIAL, pointers(&v6))));
}

#[test]
fn what_a_zone_says_first_names_its_servers() {
    assert_eq!(text(&zone("z.net", "").head(7)), "z.net. 3600 IN SOA z.net. hostmaster.z.net. 7 120 60 86400 30\n");
    assert_eq!(
        text(&zone("z.net", "ns.z.net").head(7)),
        "z.net. 3600 IN SOA z.net. ns.z.net. 7 120 60 86400 30\nz.net. 300 IN NS ns.z.net.\n"
    );
}

#[test]
fn names_that_are_none_are_refused() {
    let zone = zone("z.net", "");
    for name in ["", "a..b", "x.", &"x".repeat(64)] {
        assert!(zone.record(name, 0, "A", "1.1.1.1").is_err(), "{name}");
    }
    assert!(Zone::new("a..b", "").is_err());
}
