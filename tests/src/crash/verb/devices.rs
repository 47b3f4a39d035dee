//! Verbs about devices of an instance that runs, its own and those of its profile.

use super::super::seen::Seen;
use super::{Need, PLAIN, Verb, with, words};

/// A second NIC.
const NIC: &[&str] = &["nic", "network=crashbr9", "name=eth1"];
/// One that is not made in one go: routes need its host's end.
const ROUTED: &[&str] = &["nic", "nictype=p2p", "name=eth2", "ipv4.routes=10.96.0.0/24"];
/// A folder of the host.
const FOLDER: &[&str] = &["disk", "source=/usr/share", "path=/mnt/folder"];
/// A volume.
const VOLUME: &[&str] = &["disk", "pool=default", "source=v9", "path=/mnt/volume"];
/// A node.
const NODE: &[&str] = &["unix-char", "source=/dev/zero", "path=/dev/node"];
/// A proxy.
const PROXY: &[&str] = &["proxy", "listen=tcp:127.0.0.1:7788", "connect=tcp:127.0.0.1:80"];

fn add(name: &str, more: &[&str]) -> Vec<String> {
    words(&[&["config", "device", "add", "c1", name], more].concat())
}

fn remove(name: &str) -> Vec<String> {
    words(&["config", "device", "remove", "c1", name])
}

fn has(seen: &Seen, name: &str) -> Seen {
    with(seen, "c1", |c1| c1.devices.extend([name.to_string()]))
}

fn lacks(seen: &Seen, name: &str) -> Seen {
    with(seen, "c1", |c1| c1.devices.retain(|device| device != name))
}

/// The world with this limit for those that have none of their own.
fn profile_limit(seen: &Seen, value: &str) -> Seen {
    let mut seen = seen.clone();
    seen.profile = value.to_string();
    seen
}

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "plug in a NIC",
        needs: &[Need::Running("c1"), Need::NoDevice("eth1")],
        words: |_| add("eth1", NIC),
        after: |_, seen| has(seen, "eth1"),
        ..PLAIN
    },
    Verb {
        name: "pull out a NIC",
        needs: &[Need::Running("c1"), Need::Device("eth1", NIC)],
        words: |_| remove("eth1"),
        after: |_, seen| lacks(seen, "eth1"),
        ..PLAIN
    },
    Verb {
        name: "plug in a NIC with routes",
        needs: &[Need::Running("c1"), Need::NoDevice("eth2")],
        words: |_| add("eth2", ROUTED),
        after: |_, seen| has(seen, "eth2"),
        ..PLAIN
    },
    Verb {
        name: "start with a NIC with routes",
        needs: &[Need::Device("eth2", ROUTED), Need::Stopped("c1")],
        words: |_| words(&["start", "c1"]),
        after: |_, seen| with(seen, "c1", |c1| c1.pid = super::SOME),
        ..PLAIN
    },
    Verb {
        name: "pull out a NIC with routes",
        needs: &[Need::Running("c1"), Need::Device("eth2", ROUTED)],
        words: |_| remove("eth2"),
        after: |_, seen| lacks(seen, "eth2"),
        ..PLAIN
    },
    Verb {
        name: "plug in a folder",
        needs: &[Need::Running("c1"), Need::NoDevice("folder")],
        words: |_| add("folder", FOLDER),
        after: |_, seen| has(seen, "folder"),
        ..PLAIN
    },
    Verb {
        name: "pull out a folder",
        needs: &[Need::Running("c1"), Need::Device("folder", FOLDER)],
        words: |_| remove("folder"),
        after: |_, seen| lacks(seen, "folder"),
        ..PLAIN
    },
    Verb {
        name: "plug in a volume",
        needs: &[Need::Running("c1"), Need::NoDevice("volume"), Need::Volume("v9")],
        words: |_| add("volume", VOLUME),
        after: |_, seen| has(seen, "volume"),
        ..PLAIN
    },
    Verb {
        name: "pull out a volume",
        needs: &[Need::Running("c1"), Need::Volume("v9"), Need::Device("volume", VOLUME)],
        words: |_| remove("volume"),
        after: |_, seen| lacks(seen, "volume"),
        ..PLAIN
    },
    Verb {
        name: "plug in a node",
        needs: &[Need::Running("c1"), Need::NoDevice("node")],
        words: |_| add("node", NODE),
        after: |_, seen| has(seen, "node"),
        ..PLAIN
    },
    Verb {
        name: "pull out a node",
        needs: &[Need::Running("c1"), Need::Device("node", NODE)],
        words: |_| remove("node"),
        after: |_, seen| lacks(seen, "node"),
        ..PLAIN
    },
    Verb {
        name: "plug in a proxy",
        needs: &[Need::Running("c1"), Need::NoDevice("proxy")],
        words: |_| add("proxy", PROXY),
        after: |_, seen| has(seen, "proxy"),
        ..PLAIN
    },
    Verb {
        name: "pull out a proxy",
        needs: &[Need::Running("c1"), Need::Device("proxy", PROXY)],
        words: |_| remove("proxy"),
        after: |_, seen| lacks(seen, "proxy"),
        ..PLAIN
    },
    Verb {
        name: "set a limit in the profile",
        needs: &[Need::Running("c1"), Need::Profile("limits.processes", "")],
        words: |_| words(&["profile", "set", "default", "limits.processes=200"]),
        after: |_, seen| profile_limit(seen, "200"),
        ..PLAIN
    },
    Verb {
        name: "unset a limit in the profile",
        needs: &[Need::Running("c1"), Need::Profile("limits.processes", "200")],
        words: |_| words(&["profile", "unset", "default", "limits.processes"]),
        after: |_, seen| profile_limit(seen, ""),
        ..PLAIN
    },
];
