//! Network zones: what they say of a network's instances, to whom, and how they are kept.
#![forbid(unsafe_code)]

use stories::{Daemon, Host, story};

const FORWARD: &str = "lxd.example.net";
const REVERSE_V4: &str = "2.0.192.in-addr.arpa";
const REVERSE_V6: &str = "0.1.0.1.2.4.2.4.2.4.2.4.2.4.d.f.ip6.arpa";
const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
const PORT: &str = "8853";

/// What `dig` prints of the records that it is given, with the number of the zone's state as `SERIAL`; from 127.0.0.1.
fn dig(host: &Host, words: &str) -> Vec<String> {
    let said = host.sh(&format!("dig @127.0.0.1 -p {PORT} +tries=1 +time=5 +noall +answer {words} || true"));
    let said = said.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty());
    said.map(|line| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if words.get(3) == Some(&"SOA") {
            let serial: u64 = words[6].parse().expect("a number");
            assert!(serial > 1_700_000_000, "it is the time: {line}");
            words[6] = "SERIAL";
        }
        words.join(" ")
    })
    .collect()
}

/// The only word in capitals that tells how an answer ended.
fn status(host: &Host, words: &str) -> String {
    let said = host.sh(&format!("dig @127.0.0.1 -p {PORT} +tries=1 +time=5 {words} || true"));
    let status = said.split_once("status: ").and_then(|(_, rest)| rest.split_once(','));
    status.map_or(said.clone(), |(status, _)| status.to_string())
}

fn zone(daemon: &Daemon, words: &str) -> stories::Ran {
    daemon.lxc(["network", "zone"].into_iter().chain(words.split_whitespace()))
}

/// A bridge with three zones, and a container on it with a static address.
fn told(host: &Host, then: impl FnOnce(&mut Daemon)) {
    let mut daemon = host.daemon_on("dir");
    daemon.lxc(["config", "set", "core.dns_address", &format!("127.0.0.1:{PORT}")]).ok();
    for name in [FORWARD, REVERSE_V4, REVERSE_V6] {
        assert_eq!(zone(&daemon, &format!("create {name}")).ok(), format!("Network Zone {name} created\n"));
    }
    let zones = [
        format!("dns.zone.forward={FORWARD}"),
        format!("dns.zone.reverse.ipv4={REVERSE_V4}"),
        format!("dns.zone.reverse.ipv6={REVERSE_V6}"),
    ];
    let keys = ["ipv4.address=192.0.2.1/24", "ipv6.address=fd42:4242:4242:1010::1/64"];
    let words = ["network", "create", "zonebr0"].into_iter().chain(keys).chain(zones.iter().map(String::as_str));
    daemon.lxc(words).ok();
    daemon.lxc(["init", "busybox", "c1", "-n", "zonebr0"]).ok();
    let nic = ["ipv4.address=192.0.2.42", "hwaddr=00:16:3e:00:00:01"];
    daemon.lxc(["config", "device", "set", "c1", "eth0"].into_iter().chain(nic)).ok();
    then(&mut daemon);
    daemon.lxc(["delete", "-f", "c1"]).ok();
    daemon.lxc(["network", "delete", "zonebr0"]).ok();
    for name in [FORWARD, REVERSE_V4, REVERSE_V6] {
        assert_eq!(zone(&daemon, &format!("delete {name}")).ok(), format!("Network Zone {name} deleted\n"));
    }
}

#[test]
fn other_servers_are_told_of_instances_and_records() {
    story(|host| {
        told(host, |daemon| {
            let transfer = |name: &str| dig(host, &format!("axfr {name}"));
            let soa = |name: &str| format!("{name}. 3600 IN SOA {name}. hostmaster.{name}. SERIAL 120 60 86400 30");
            assert!(transfer(FORWARD).is_empty(), "nobody is a peer yet");
            for name in [FORWARD, REVERSE_V4, REVERSE_V6] {
                zone(daemon, &format!("set {name} peers.test.address=127.0.0.1")).ok();
            }
            let made = [
                soa(FORWARD),
                format!("zonebr0.gw.{FORWARD}. 300 IN A 192.0.2.1"),
                format!("zonebr0.gw.{FORWARD}. 300 IN AAAA fd42:4242:4242:1010::1"),
                format!("c1.{FORWARD}. 300 IN A 192.0.2.42"),
                format!("c1.{FORWARD}. 300 IN AAAA fd42:4242:4242:1010:216:3eff:fe00:1"),
                soa(FORWARD),
            ];
            assert_eq!(transfer(FORWARD), made);
            assert_eq!(dig(host, &format!("ixfr=1 {FORWARD}")), made);
            assert_eq!(transfer("LXD.Example.NET"), made, "the case of letters means nothing");
            assert_eq!(
                transfer(REVERSE_V4),
                [
                    soa(REVERSE_V4),
                    format!("1.{REVERSE_V4}. 300 IN PTR zonebr0.gw.{FORWARD}."),
                    format!("42.{REVERSE_V4}. 300 IN PTR c1.{FORWARD}."),
                    soa(REVERSE_V4),
                ]
            );
            let low = |digits: &str| format!("{digits}.{REVERSE_V6}. 300 IN PTR");
            assert_eq!(
                transfer(REVERSE_V6),
                [
                    soa(REVERSE_V6),
                    format!("{} zonebr0.gw.{FORWARD}.", low("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0")),
                    format!("{} c1.{FORWARD}.", low("1.0.0.0.0.0.e.f.f.f.e.3.6.1.2.0")),
                    soa(REVERSE_V6),
                ]
            );
            // A secondary asks for the first line before it asks for all.
            zone(daemon, &format!("set {FORWARD} dns.nameservers=ns1.example.net,ns2.example.net.")).ok();
            let first = format!("{FORWARD}. 3600 IN SOA {FORWARD}. ns1.example.net. SERIAL 120 60 86400 30");
            let servers = ["ns1", "ns2"].map(|name| format!("{FORWARD}. 300 IN NS {name}.example.net."));
            for way in ["+notcp", "+tcp"] {
                let said = dig(host, &format!("soa {way} {FORWARD}"));
                assert_eq!(said, [&first as &str, &servers[0], &servers[1]], "{way}");
            }
            assert_eq!(status(host, &format!("a c1.{FORWARD}")), "NOTIMP");
            assert_eq!(status(host, "soa other.net"), "NXDOMAIN");

            records(host, daemon);

            // A zone that is not to have what NAT hides.
            zone(daemon, &format!("set {FORWARD} network.nat=false")).ok();
            daemon.lxc(["network", "set", "zonebr0", "ipv4.nat=true"]).ok();
            let open = transfer(FORWARD);
            assert!(!open.iter().any(|line| line.contains(" A 192.0.2")), "{open:#?}");
            assert!(open.iter().any(|line| line.contains(" AAAA fd42:")), "{open:#?}");

            // The next daemon listens again.
            daemon.kill();
            daemon.begin();
            assert_eq!(transfer(FORWARD), open);
            daemon.lxc(["config", "unset", "core.dns_address"]).ok();
            assert!(transfer(FORWARD).is_empty());
        });
    });
}

/// Records that a user adds stand in the zone too.
fn records(host: &Host, daemon: &Daemon) {
    let record = |words: &[&str]| daemon.lxc(["network", "zone", "record"].iter().chain(words));
    assert_eq!(record(&["create", FORWARD, "demo", "user.foo=bar"]).ok(), "Network zone record demo created\n");
    let entry = |words: &[&str]| record(&[&["entry", "add", FORWARD, "demo"], words].concat());
    entry(&["A", "1.1.1.1", "--ttl", "900"]).ok();
    entry(&["MX", "1 mx1.example.net."]).ok();
    entry(&["TXT", "\"two words\" three"]).ok();
    entry(&["CNAME", "relative"]).ok();
    record(&["create", FORWARD, "@"]).ok();
    record(&["entry", "add", FORWARD, "@", "CAA", "0 issue \"example.net\""]).ok();
    let said = dig(host, &format!("axfr {FORWARD}"));
    let added: Vec<&String> = said.iter().filter(|line| line.starts_with("demo.") || line.contains(" CAA ")).collect();
    assert_eq!(
        added,
        [
            &format!("{FORWARD}. 300 IN CAA 0 issue \"example.net\""),
            &format!("demo.{FORWARD}. 900 IN A 1.1.1.1"),
            &format!("demo.{FORWARD}. 300 IN MX 1 mx1.example.net."),
            &format!("demo.{FORWARD}. 300 IN TXT \"two words\" \"three\""),
            &format!("demo.{FORWARD}. 300 IN CNAME relative."),
        ]
    );
    for (words, why) in [
        (["A", "1.1.1.1"], "Duplicate record for type \"A\" and value \"1.1.1.1\""),
        (["A", "x"], "Bad zone record entry: dns: bad A record"),
        (["A", "1.1.1.2\nevil.lxd.example.net. 300 IN A 6.6.6.6"], "there is more than one record in it"),
        (["NOTYPE", "x"], "Bad zone record entry: dns: unknown RR type: \"NOTYPE\""),
    ] {
        assert!(entry(&words).refused().contains(why), "{words:?}");
    }
    assert!(record(&["create", FORWARD, "demo"]).refused().contains("already exists"));
    assert!(record(&["create", FORWARD, "a..b"]).refused().contains("is not a name of DNS"));
    assert!(record(&["create", FORWARD, "x", "foo=bar"]).refused().contains("Invalid config option \"foo\""));
    assert!(record(&["create", "nosuch", "x"]).refused().contains("Network zone not found"));
    assert!(record(&["show", FORWARD, "nosuch"]).refused().contains("Network zone record not found"));
    assert!(record(&["list", FORWARD, "-f", "csv"]).ok().contains("demo,,\"A 1.1.1.1\nMX 1 mx1.example.net."));
    record(&["entry", "remove", FORWARD, "demo", "A", "1.1.1.1"]).ok();
    assert!(!record(&["show", FORWARD, "demo"]).ok().contains("1.1.1.1"));
    assert_eq!(record(&["delete", FORWARD, "demo"]).ok(), "Network zone record demo deleted\n");
}

#[test]
fn who_signs_or_asks_from_the_right_address_gets_a_zone() {
    story(|host| {
        let daemon = host.daemon();
        daemon.lxc(["config", "set", "core.dns_address", &format!("[::]:{PORT}")]).ok();
        zone(&daemon, &format!("create {FORWARD} peers.far.address=192.0.2.99")).ok();
        let key = |name: &str, secret: &str| format!("-y hmac-sha256:{FORWARD}_{name}:{secret} axfr {FORWARD}");
        let gets = |words: &str| dig(host, words).iter().any(|line| line.contains(" SOA "));
        let plain = format!("axfr {FORWARD}");
        assert!(!gets(&plain), "another address");
        zone(&daemon, &format!("set {FORWARD} peers.near.address=127.0.0.1")).ok();
        assert!(gets(&plain));
        zone(&daemon, &format!("set {FORWARD} peers.near.key={SECRET}")).ok();
        assert!(!gets(&plain), "it must sign, too");
        assert!(gets(&key("near", SECRET)));
        // dig says so when it cannot verify the answer's signature.
        let said = host.sh(&format!("dig @127.0.0.1 -p {PORT} {}", key("near", SECRET)));
        assert!(said.contains("TSIG") && !said.contains("verify"), "{said}");
        assert!(gets(&key("near", SECRET).replace("sha256", "sha512")));
        assert!(!gets(&key("near", &SECRET.replace('c', "d"))), "another secret");
        assert!(!gets(&key("far", SECRET)), "another key");
        // A key of another zone is a good signature, but not this zone's.
        zone(&daemon, &format!("create other.net peers.near.key={SECRET}")).ok();
        assert!(!gets(&key("near", SECRET).replacen(FORWARD, "other.net", 1)));
        assert!(gets(&key("near", SECRET).replace(FORWARD, "other.net")));
        zone(&daemon, &format!("unset {FORWARD} peers.near.address")).ok();
        assert!(gets(&key("near", SECRET)), "from anywhere");
    });
}

#[test]
fn an_address_that_cannot_be_had_is_refused_and_the_old_one_kept() {
    story(|host| {
        let daemon = host.daemon();
        let set = |address: &str| daemon.lxc(["config", "set", "core.dns_address", address]);
        zone(&daemon, &format!("create {FORWARD} peers.near.address=127.0.0.1")).ok();
        let answers = || status(host, &format!("soa {FORWARD}")) == "NOERROR";
        set(&format!("127.0.0.1:{PORT}")).ok();
        assert!(answers());
        let error = set("192.0.2.77:53");
        assert!(error.refused().contains("cannot set 'core.dns_address' to '192.0.2.77:53'"), "{}", error.err);
        assert_eq!(daemon.lxc(["config", "get", "core.dns_address"]).ok(), format!("127.0.0.1:{PORT}\n"));
        assert!(answers(), "it listens where it did");
        // What is asked for with it is not had either.
        let https = "core.https_address=127.0.0.1:8854";
        let both = daemon.lxc(["config", "set", https, "core.dns_address=192.0.2.77:53"]);
        assert!(both.refused().contains("Failed to bind DNS address \"192.0.2.77:53\""), "{}", both.err);
        let connects = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!(!connects(8854) && answers());
        let taken =
            daemon.lxc(["config", "set", "core.https_address=192.0.2.77:53", "core.dns_address=127.0.0.1:8855"]);
        assert!(taken.refused().contains("Cannot listen on https socket"), "{}", taken.err);
        assert!(!connects(8855) && answers());
        // All addresses of a port, one of which is its own already, and back.
        set(&format!(":{PORT}")).ok();
        assert!(answers());
        set(&format!("127.0.0.1:{PORT}")).ok();
        assert!(answers());
        assert!(set("nonsense:abc").refused().contains("cannot set 'core.dns_address' to 'nonsense:abc'"));
        set("").ok();
        assert!(!answers());
    });
}

#[test]
fn zones_are_refused_as_lxd_refuses_them() {
    story(|host| {
        let daemon = host.daemon();
        for (words, why) in [
            ("create /z.net", "Name cannot start with \"/\""),
            ("create z..net", "is not a name of DNS"),
            ("create z.net.", "Name cannot end with"),
            ("create z.net foo=bar", "Invalid config option \"foo\""),
            (
                "create z.net network.nat=maybe",
                "Invalid value for config option \"network.nat\": Invalid value for a boolean \"maybe\"",
            ),
            (
                "create z.net peers.a.address=x",
                "Invalid value for config option \"peers.a.address\": Not an IP address \"x\"",
            ),
            ("create z.net peers.a.b.address=x", "Invalid network zone configuration key \"peers.a.b.address\""),
            ("create z.net peers.a.other=x", "Invalid config option \"peers.a.other\""),
            ("create z.net dns.nameservers=a..b", "Invalid value for config option \"dns.nameservers\""),
            ("show z.net", "Network zone not found"),
            ("delete z.net", "Network zone not found"),
        ] {
            assert!(zone(&daemon, words).refused().contains(why), "{words}");
        }
        zone(&daemon, "create z.net/withslash").ok();
        zone(&daemon, "delete z.net/withslash").ok();
        zone(&daemon, "create z.net user.x=y").ok();
        assert!(zone(&daemon, "create z.net").refused().contains("The network zone already exists"));

        // A network names zones that are there, and keeps them.
        let network = |words: &str| daemon.lxc(["network"].into_iter().chain(words.split_whitespace()));
        let none =
            "Invalid value for network \"zonebr1\" option \"dns.zone.forward\": Network zone \"nosuch\" doesn't exist";
        let addresses = "ipv4.address=none ipv6.address=none";
        assert!(network(&format!("create zonebr1 {addresses} dns.zone.forward=nosuch")).refused().contains(none));
        network(&format!("create zonebr1 {addresses} dns.zone.forward=z.net")).ok();
        assert!(network("set zonebr1 dns.zone.forward=nosuch").refused().contains(none));
        assert!(zone(&daemon, "delete z.net").refused().contains("Cannot delete a zone that is in use"));
        assert_eq!(zone(&daemon, "list -f csv").ok(), "z.net,,1\n");
        let shown = zone(&daemon, "show z.net");
        assert_eq!(
            shown.ok(),
            "description: \"\"\nconfig:\n  user.x: \"y\"\nname: z.net\nused_by:\n- /1.0/networks/zonebr1\n"
        );
        network("delete zonebr1").ok();
        zone(&daemon, "delete z.net").ok();
        let _ = host;
    });
}

#[test]
fn zones_and_records_are_changed_by_who_has_seen_them() {
    story(|host| {
        let daemon = host.daemon();
        let ask = |method: &str, path: &str, body: &str| {
            let answer = daemon.ask(method, path, body);
            (answer.code, answer.body["error"].as_str().unwrap_or_default().to_string())
        };
        let (zones, path) = ("/1.0/network-zones", "/1.0/network-zones/z.net");
        assert_eq!(ask("POST", zones, r#"{"name":"z.net","description":"d","config":{"user.a":"1"}}"#).0, 201);
        assert_eq!(daemon.get(zones), serde_json::json!([path]));
        assert_eq!(ask("PATCH", path, r#"{"description":"e","config":{"user.b":"2"}}"#).0, 200);
        assert_eq!(daemon.get(path)["config"], serde_json::json!({"user.a": "1", "user.b": "2"}));
        assert_eq!(ask("PATCH", path, r#"{"description":"f"}"#).0, 200, "LXD breaks the connection");
        assert_eq!(ask("PUT", path, r#"{"config":{"user.c":"3","user.d":""}}"#).0, 200);
        assert_eq!(
            daemon.get(&format!("{zones}?recursion=1")),
            serde_json::json!([{"name": "z.net", "description": "", "config": {"user.c": "3"}, "used_by": []}])
        );
        assert_eq!(ask("POST", path, r#"{"name":"y.net"}"#).0, 501);

        let (records, record) = (format!("{path}/records"), format!("{path}/records/www"));
        let body = r#"{"name":"www","entries":[{"type":"A","value":"1.2.3.4","ttl":60}],"config":{"user.a":"1"}}"#;
        assert_eq!(ask("POST", &records, body).0, 201);
        assert_eq!(ask("POST", &records, body).0, 409);
        assert_eq!(daemon.get(&records), serde_json::json!([record]));
        assert_eq!(ask("POST", zones, r#"{"name":"y.net"}"#).0, 201);
        assert_eq!(ask("POST", "/1.0/network-zones/y.net/records", body).0, 201, "LXD has each name in one zone only");
        assert_eq!(ask("DELETE", "/1.0/network-zones/y.net", "").0, 200);
        let patch = r#"{"entries":[{"type":"A","value":"1.2.3.5"}],"config":{"user.b":"2"}}"#;
        assert_eq!(ask("PATCH", &record, patch).0, 200);
        assert_eq!(
            daemon.get(&format!("{records}?recursion=1")),
            serde_json::json!([{
                "name": "www", "description": "", "entries": [{"type": "A", "value": "1.2.3.5"}],
                "config": {"user.a": "1", "user.b": "2"},
            }])
        );
        assert_eq!(ask("DELETE", &record, "").0, 200);
        assert_eq!(ask("DELETE", &record, ""), (404, "Network zone record not found".into()));
        // Records go with their zone.
        assert_eq!(ask("POST", &records, body).0, 201);
        assert_eq!(ask("DELETE", path, "").0, 200);
        let left = daemon.lxd(["sql", "global", "SELECT count(*) FROM networks_zones_records"], b"");
        assert!(left.ok().contains("| 0 "), "{}", left.out);
        let _ = host;
    });
}

#[test]
fn projects_have_zones_of_their_own_and_only_allowed_ones() {
    story(|host| {
        let daemon = host.daemon();
        daemon.lxc(["project", "create", "p", "-c", "features.networks=true", "-c", "restricted=true"]).ok();
        let refused = "Project isn't allowed to use this DNS zone";
        assert!(zone(&daemon, "create a.foo.net --project p").refused().contains(refused));
        daemon.lxc(["project", "set", "p", "restricted.networks.zones", "foo.net, bar.net"]).ok();
        assert!(zone(&daemon, "create afoo.net --project p").refused().contains(refused));
        zone(&daemon, "create a.foo.net --project p").ok();
        zone(&daemon, "create bar.net --project p").ok();
        assert_eq!(zone(&daemon, "list -f csv --project p").ok(), "a.foo.net,,0\nbar.net,,0\n");
        assert_eq!(zone(&daemon, "list -f csv").ok(), "");
        // A name is taken for all projects, and seen only in its own.
        assert!(zone(&daemon, "create bar.net").refused().contains("The network zone already exists"));
        assert!(zone(&daemon, "show bar.net").refused().contains("Network zone not found"));
        // A network of another project may name it, and keeps it.
        let keys = ["ipv4.address=none", "ipv6.address=none", "dns.zone.forward=bar.net"];
        daemon.lxc(["network", "create", "zonebr2"].iter().chain(&keys)).ok();
        assert!(zone(&daemon, "delete bar.net --project p").refused().contains("Cannot delete a zone that is in use"));
        daemon.lxc(["network", "delete", "zonebr2"]).ok();
        zone(&daemon, "delete bar.net --project p").ok();
        // A restricted project that uses the networks of the default one is held to its list as well.
        daemon.lxc(["project", "create", "q", "-c", "restricted=true"]).ok();
        assert!(zone(&daemon, "create c.net --project q").refused().contains(refused));
        daemon.lxc(["project", "delete", "q"]).ok();
        zone(&daemon, "delete a.foo.net --project p").ok();
        daemon.lxc(["project", "delete", "p"]).ok();
        let _ = host;
    });
}
