//! Properties of every key of every table: what is written is read back the same, by the API and in YAML, and what is no
//! value of the key is refused with words that name the key or the value, and changes nothing.
#![forbid(unsafe_code)]

use corten_api::yaml;
use corten_config::entity::{Entity, Guest, Table};
use corten_config::key::{AnyKey, On};
use corten_config::storage::Volume;
use corten_config::{device, instance, network, project, server, storage};
use serde_json::{Value, json};
use stories::{Daemon, Host, story};

/// Values of all shapes: each is good for some keys and bad for the others.
const SHAPES: &[&str] = &[
    "true",
    "false",
    "0",
    "1",
    "7",
    "10",
    "100",
    "65536",
    "-1",
    "1.5",
    "10%",
    "10MiB",
    "3GB",
    "0-1",
    "0,1",
    "25ms/100ms",
    "5M",
    "1d",
    "@daily",
    "0 6 * * *",
    "auto",
    "none",
    "10.1.2.3",
    "10.1.2.3/24",
    "10.1.2.0/24",
    "fd42::1",
    "fd42::/64",
    "00:16:3e:01:02:03",
    "a",
    "a,b",
    "a b",
    "/a/b",
    "tcp:127.0.0.1:80",
    "both 1000 1000",
    "https://a.example",
    "snap%d",
    "#cloud-config\n{}\n",
    "é \"quoted\" 'text': # no comment\n  - two lines\n",
    "0644",
    "100Mbit",
    "100iops",
    "gzip",
    "\u{1}",
    "{{",
];

/// What is refused although the value is right by itself, by the beginning of the key and with these words: what is not
/// there yet, and what has to fit something else.
type Refused = (&'static str, &'static str);

/// The key's own name, or one that fits its pattern.
fn name_of(key: &dyn AnyKey) -> String {
    let name = key.facts().name;
    if let Some(prefix) = name.strip_suffix('*') {
        return format!("{prefix}probe");
    }
    match (name.split_once('<'), name.split_once('>')) {
        (Some((before, _)), Some((_, after))) => format!("{before}t0{after}"),
        _ => name.to_owned(),
    }
}

/// Values that the key takes, and values that it does not; three of each at most.
fn values(key: &dyn AnyKey) -> (Vec<&'static str>, Vec<&'static str>) {
    let facts = key.facts();
    let all = || facts.ok.iter().chain(facts.bad).chain(SHAPES).copied().filter(|value| !value.is_empty());
    let mut good: Vec<_> = all().filter(|value| key.check(value).is_ok()).collect();
    let mut bad: Vec<_> = all().filter(|value| key.check(value).is_err()).collect();
    for list in [&mut good, &mut bad] {
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|value| seen.insert(*value));
        list.truncate(3);
    }
    (good, bad)
}

/// One thing with a `config`.
struct Thing<'a> {
    daemon: &'a Daemon,
    path: &'a str,
    exceptions: &'a [Refused],
}

impl Thing<'_> {
    fn config(&self) -> Value {
        self.daemon.ask("GET", self.path, "").body["metadata"]["config"].clone()
    }

    fn patch(&self, name: &str, value: &str) -> stories::http::Answer {
        self.daemon.ask("PATCH", self.path, &json!({"config": {name: value}}).to_string())
    }

    /// All keys of the tables; `skip` leaves out those that a thing of this kind does not have.
    fn holds(&self, tables: &[Table], skip: impl Fn(&dyn AnyKey) -> bool) {
        let mut wrong = Vec::new();
        for key in tables.iter().flat_map(|table| table.iter()).copied().filter(|key| !skip(*key)) {
            let (good, bad) = values(key);
            let name = name_of(key);
            for value in good {
                wrong.extend(self.keeps(&name, value).err());
            }
            for value in bad {
                wrong.extend(self.refuses(&name, value).err());
            }
        }
        assert!(wrong.is_empty(), "{}:\n{}", self.path, wrong.join("\n"));
    }

    /// A good value is kept as it is, until it is unset.
    fn keeps(&self, name: &str, value: &str) -> Result<(), String> {
        let before = self.config();
        let answer = self.patch(name, value);
        if let Some((_, words)) = self.exceptions.iter().find(|(known, _)| name.starts_with(known)) {
            if answer.code >= 400 && !answer.error().contains(words) {
                return Err(format!("{name}={value:?}: {} is not {words}", answer.error()));
            }
        } else if answer.code != 200 {
            return Err(format!("{name}={value:?}: {} {}", answer.code, answer.error()));
        }
        let after = self.config();
        if answer.code != 200 {
            return if after == before { Ok(()) } else { Err(format!("{name}={value:?} was refused and kept")) };
        }
        // A bridge chooses an address for this word, and remembers that.
        if after[name] != value && value != "auto" {
            return Err(format!("{name}={value:?} is read back as {}", after[name]));
        }
        let written = yaml::to_string(&after).expect("a map of text");
        let read: std::collections::BTreeMap<String, String> = yaml::from_str(&written).expect("what was written");
        if serde_json::to_value(&read).expect("a map of text") != after {
            return Err(format!("{name}={value:?} is something else after {written}"));
        }
        let unset = self.patch(name, before[name].as_str().unwrap_or_default());
        if unset.code != 200 || self.config()[name] != before[name] {
            return Err(format!("{name} cannot be unset: {}", unset.error()));
        }
        Ok(())
    }

    /// A bad value is refused with its name, or itself, in LXD's words, and nothing is changed.
    fn refuses(&self, name: &str, value: &str) -> Result<(), String> {
        let before = self.config();
        let answer = self.patch(name, value);
        if answer.code < 400 {
            let _ = self.patch(name, before[name].as_str().unwrap_or_default());
            return Err(format!("{name}={value:?} was taken"));
        }
        if answer.code == 500 && answer.error().contains("panic") || answer.error().is_empty() {
            return Err(format!("{name}={value:?}: {} {:?}", answer.code, answer.error()));
        }
        if self.config() != before {
            return Err(format!("{name}={value:?} was refused and kept"));
        }
        Ok(())
    }
}

fn ready(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.with_pool("dir");
    daemon
}

#[test]
fn keys_of_instances_and_profiles_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["init", "--empty", "c1"]).ok();
        daemon.lxc(["profile", "create", "p1"]).ok();
        // Volatile keys are the daemon's own.
        let ours = |key: &dyn AnyKey| key.facts().name.starts_with("volatile.");
        let thing = Thing { daemon: &daemon, path: "/1.0/instances/c1", exceptions: INSTANCE };
        thing.holds(&instance::TABLES, |key| ours(key) || !Guest::Container.has(key.facts().on));
        let thing = Thing { daemon: &daemon, path: "/1.0/profiles/p1", exceptions: INSTANCE };
        // What an image says is kept of instances only.
        let of_images = |key: &dyn AnyKey| key.facts().name.starts_with("image.");
        thing.holds(&instance::TABLES, |key| ours(key) || of_images(key) || key.facts().on == On::Machine);
    });
}

const INSTANCE: &[Refused] = &[("raw.lxc", "Invalid raw.lxc line")];

#[test]
fn keys_of_projects_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["project", "create", "p1"]).ok();
        let thing = Thing { daemon: &daemon, path: "/1.0/projects/p1", exceptions: &[] };
        thing.holds(&[project::PROJECT], |_| false);
    });
}

#[test]
fn keys_of_the_server_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        let thing = Thing { daemon: &daemon, path: "/1.0", exceptions: SERVER };
        thing.holds(&server::TABLES, |key| key.facts().hidden);
    });
}

const SERVER: &[Refused] = &[
    ("candid.", "not there yet"),
    ("core.bgp_", "not there yet"),
    ("core.dns_address", "Couldn't resolve"),
    ("core.https_trusted_proxy", "not there yet"),
    ("network.ovn.", "not there yet"),
    ("core.https_address", "Couldn't resolve"),
    ("core.metrics_address", "Couldn't resolve"),
    ("maas.", "not there yet"),
    ("rbac.", "not there yet"),
    ("storage.backups_volume", "not there yet"),
    ("storage.images_volume", "not there yet"),
];

#[test]
fn keys_of_pools_and_volumes_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        let thing = Thing { daemon: &daemon, path: "/1.0/storage-pools/default", exceptions: POOL };
        thing.holds(&storage::pool_tables("dir"), |_| false);
        daemon.lxc(["storage", "volume", "create", "default", "v1"]).ok();
        let path = "/1.0/storage-pools/default/volumes/custom/v1";
        let thing = Thing { daemon: &daemon, path, exceptions: VOLUME };
        let volume = Volume { driver: "dir", kind: "custom", content: "filesystem", name: "v1" };
        let has = |key: &dyn AnyKey| corten_config::lookup(Entity::Volume(&volume), key.facts().name).is_some();
        thing.holds(&storage::volume_tables("dir"), |key| !has(key) || key.facts().name.starts_with("volatile."));
    });
}

const POOL: &[Refused] = &[("source", "cannot be changed when not in pending state")];
const VOLUME: &[Refused] = &[];

#[test]
fn keys_of_bridges_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        let keys = ["ipv4.address=10.1.2.1/24", "ipv6.address=fd42::1/64"];
        daemon.lxc(["network", "create", "br0"].iter().chain(&keys)).ok();
        let thing = Thing { daemon: &daemon, path: "/1.0/networks/br0", exceptions: BRIDGE };
        thing.holds(&network::table("bridge").into_iter().collect::<Vec<_>>(), |key| {
            key.facts().name.starts_with("volatile.")
        });
    });
}

const BRIDGE: &[Refused] = &[
    ("dns.zone.", "doesn't exist"),
    ("fan.", "FAN configuration may only be set when in 'fan' mode"),
    ("ipv4.dhcp.expiry", "dnsmasq"),
    ("ipv4.routes", "File exists"),
    ("raw.dnsmasq", "dnsmasq"),
    ("security.acls", "does not exist"),
    ("tunnel.", "not implemented yet"),
];

#[test]
fn keys_of_network_zones_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["network", "zone", "create", "z.net"]).ok();
        let thing = Thing { daemon: &daemon, path: "/1.0/network-zones/z.net", exceptions: &[] };
        thing.holds(&[network::zone::ZONE], |_| false);
    });
}

#[test]
fn keys_of_devices_are_kept_as_they_are() {
    story(|host| {
        let daemon = ready(host);
        daemon.lxc(["profile", "create", "p1"]).ok();
        let mut wrong = Vec::new();
        // A NIC on ovn needs a network of that kind, which there is not yet.
        for (kind, subtype) in device::types().filter(|(_, subtype)| *subtype != "ovn") {
            let mut base = serde_json::Map::from_iter([("type".to_owned(), json!(kind))]);
            match kind {
                "nic" | "infiniband" => drop(base.insert("nictype".to_owned(), json!(subtype))),
                "gpu" => drop(base.insert("gputype".to_owned(), json!(subtype))),
                _ => {}
            }
            let table = device::table(kind, subtype).expect("its type has one");
            let needed = table.iter().filter(|key| key.facts().required || NEEDED.contains(&(kind, key.facts().name)));
            for key in needed {
                let value = match (kind, key.facts().name) {
                    ("disk", "path") => "/mnt",
                    ("disk", "source") => "/",
                    _ => values(*key).0.first().copied().unwrap_or("x"),
                };
                base.insert(key.facts().name.to_owned(), json!(value));
            }
            for key in table {
                let (good, bad) = values(*key);
                let put = |value: &str| {
                    let mut device = base.clone();
                    device.insert(name_of(*key), json!(value));
                    let answer = daemon.ask("PUT", "/1.0/profiles/p1", &json!({"devices": {"d": device}}).to_string());
                    (answer, device)
                };
                for value in good {
                    let (answer, device) = put(value);
                    let read = daemon.ask("GET", "/1.0/profiles/p1", "").body["metadata"]["devices"]["d"].clone();
                    if answer.code == 200 && read != Value::Object(device) {
                        wrong.push(format!("{kind} {subtype} {}={value:?} is read back as {read}", key.facts().name));
                    }
                    if answer.code != 200 && !may_be_refused(answer.error()) {
                        wrong.push(format!("{kind} {subtype} {}={value:?}: {}", key.facts().name, answer.error()));
                    }
                }
                for value in bad {
                    let (answer, _) = put(value);
                    let name = name_of(*key);
                    if answer.code == 200 || !(answer.error().contains(&name) || answer.error().contains(value)) {
                        wrong.push(format!("{kind} {subtype} {name}={value:?} {}: {}", answer.code, answer.error()));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// Keys without which a device of the type is refused.
const NEEDED: &[(&str, &str)] =
    &[("disk", "path"), ("disk", "source"), ("nic", "parent"), ("unix-char", "path"), ("unix-block", "path")];

/// Rules that bind several keys, and what this host does not have.
fn may_be_refused(words: &str) -> bool {
    let known = [
        "Cannot use",
        "Unsupported",
        "requires",
        "require a",
        "must be set",
        "must be absolute",
        "cannot be specified as absolute",
        "Invalid options ceph",
        "Only the root disk",
        "Only proxy devices",
        "Network not found",
        "Not an IPv",
        "Invalid gateway",
    ];
    known.iter().any(|known| words.contains(known))
}
