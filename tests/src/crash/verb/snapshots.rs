//! Verbs about snapshots.

use super::super::seen::Kept;
use super::{Need, PLAIN, Verb, restored, with, without, words};

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "snapshot",
        needs: &[Need::Running("c1"), Need::NoSnapshot("c1", "s1")],
        words: |_| words(&["snapshot", "c1", "s1"]),
        after: |_, seen| {
            let kept = Kept::of(&seen.instances["c1"]);
            with(seen, "c1", |c1| c1.snapshots.extend([("s1".to_string(), kept)]))
        },
        ..PLAIN
    },
    Verb {
        name: "snapshot of what is stopped",
        needs: &[Need::Stopped("c1"), Need::NoSnapshot("c1", "s2")],
        words: |_| words(&["snapshot", "c1", "s2"]),
        after: |_, seen| {
            let kept = Kept::of(&seen.instances["c1"]);
            with(seen, "c1", |c1| c1.snapshots.extend([("s2".to_string(), kept)]))
        },
        ..PLAIN
    },
    Verb {
        name: "restore",
        needs: &[Need::Snapshot("c1", "s1"), Need::Running("c1"), Need::Marked, Need::Stopped("c1")],
        words: |_| words(&["restore", "c1", "s1"]),
        after: |_, seen| restored(seen, "s1"),
        ..PLAIN
    },
    Verb {
        name: "restore what runs",
        needs: &[Need::Snapshot("c1", "s1"), Need::Running("c1")],
        words: |_| words(&["restore", "c1", "s1"]),
        after: |_, seen| restored(seen, "s1"),
        between: &[
            |seen| with(seen, "c1", |c1| c1.pid = None),
            |seen| with(&restored(seen, "s1"), "c1", |c1| c1.pid = None),
        ],
        restarts: &["c1"],
    },
    Verb {
        name: "rename a snapshot",
        needs: &[Need::Snapshot("c1", "s1"), Need::NoSnapshot("c1", "s2")],
        words: |_| words(&["rename", "c1/s1", "c1/s2"]),
        after: |_, seen| {
            with(seen, "c1", |c1| {
                let kept = c1.snapshots.remove("s1").unwrap_or_default();
                c1.snapshots.insert("s2".to_string(), kept);
            })
        },
        ..PLAIN
    },
    Verb {
        name: "delete a snapshot",
        needs: &[Need::Snapshot("c1", "s2")],
        words: |_| words(&["delete", "c1/s2"]),
        after: |_, seen| with(seen, "c1", |c1| c1.snapshots.retain(|name, _| name != "s2")),
        ..PLAIN
    },
    Verb {
        name: "delete with snapshots",
        needs: &[Need::Stopped("c6"), Need::Snapshot("c6", "s1"), Need::Snapshot("c6", "s2")],
        words: |_| words(&["delete", "c6"]),
        after: |_, seen| without(seen, "c6"),
        ..PLAIN
    },
    Verb {
        name: "rename with snapshots",
        needs: &[Need::Absent("c7"), Need::Stopped("c6"), Need::Snapshot("c6", "s1")],
        words: |_| words(&["rename", "c6", "c7"]),
        after: |_, seen| {
            let moved = seen.instances["c6"].clone();
            with(&without(seen, "c6"), "c7", |c7| *c7 = moved)
        },
        ..PLAIN
    },
];
