//! Verbs about networks.

use super::{Need, PLAIN, Verb, words};

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "create a network",
        needs: &[Need::NoNetwork("crashbr1"), Need::NoNetwork("crashbr2")],
        words: |_| words(&["network", "create", "crashbr1", "ipv4.address=10.98.0.1/24", "ipv6.address=none"]),
        after: |_, seen| {
            let mut seen = seen.clone();
            seen.networks.insert("crashbr1".to_string());
            seen
        },
        ..PLAIN
    },
    Verb {
        name: "delete a network",
        needs: &[Need::Network("crashbr1")],
        words: |_| words(&["network", "delete", "crashbr1"]),
        after: |_, seen| {
            let mut seen = seen.clone();
            seen.networks.remove("crashbr1");
            seen
        },
        ..PLAIN
    },
    Verb {
        name: "rename a network",
        needs: &[Need::Network("crashbr1"), Need::NoNetwork("crashbr2")],
        words: |_| words(&["network", "rename", "crashbr1", "crashbr2"]),
        after: |_, seen| {
            let mut seen = seen.clone();
            seen.networks.remove("crashbr1");
            seen.networks.insert("crashbr2".to_string());
            seen
        },
        ..PLAIN
    },
];
