//! Verbs that make an instance of another, or bring it elsewhere.

use super::super::seen::{Instance, Kept, Seen};
use super::{Need, PLAIN, Verb, with, without, words};

/// What a copy has of the instance it was made of.
fn copy_of(instance: &Instance) -> Instance {
    Instance { pid: None, backups: std::collections::BTreeSet::new(), ..instance.clone() }
}

/// The world with `c8` as a copy of `c1`.
fn copied(seen: &Seen) -> Seen {
    let copy = copy_of(&seen.instances["c1"]);
    with(seen, "c8", |c8| *c8 = copy)
}

/// The world with `c8` as a copy of a snapshot of `c1`.
fn of_snapshot(seen: &Seen) -> Seen {
    let c1 = &seen.instances["c1"];
    let kept = &c1.snapshots["s1"];
    let Kept { marker, memory, devices } = kept.clone();
    let copy = Instance { marker, memory, devices, ..Instance::fresh() };
    with(seen, "c8", |c8| *c8 = copy)
}

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "copy",
        needs: &[Need::Absent("c8"), Need::Stopped("c1")],
        words: |_| words(&["copy", "c1", "c8"]),
        after: |_, seen| copied(seen),
        ..PLAIN
    },
    Verb {
        name: "copy what runs",
        needs: &[Need::Absent("c8"), Need::Snapshot("c1", "s1"), Need::Running("c1")],
        words: |_| words(&["copy", "c1", "c8", "--instance-only"]),
        after: |_, seen| with(&copied(seen), "c8", |c8| c8.snapshots.clear()),
        ..PLAIN
    },
    Verb {
        name: "copy with snapshots to another pool",
        needs: &[Need::Absent("c8"), Need::Snapshot("c1", "s1"), Need::Stopped("c1")],
        words: |_| words(&["copy", "c1", "c8", "--storage", "second"]),
        after: |_, seen| with(&copied(seen), "c8", |c8| c8.pool = "second".to_string()),
        ..PLAIN
    },
    Verb {
        name: "copy a snapshot",
        needs: &[Need::Absent("c8"), Need::Snapshot("c1", "s1")],
        words: |_| words(&["copy", "c1/s1", "c8"]),
        after: |_, seen| of_snapshot(seen),
        ..PLAIN
    },
    Verb {
        name: "refresh a copy",
        needs: &[
            Need::Stopped("c8"),
            // It sends the source's root disk as well, and that cannot become another pool's.
            Need::On("c8", "default"),
            Need::NoSnapshot("c8", "s1"),
            Need::Snapshot("c1", "s1"),
            Need::Running("c1"),
            // The client sends the source's volatile keys, as LXD's does: two NICs on one bridge would have one address.
            Need::NoDevice("eth1"),
            Need::Marked,
            Need::Stopped("c1"),
        ],
        words: |_| words(&["copy", "c1", "c8", "--refresh"]),
        after: |_, seen| {
            let pool = seen.instances["c8"].pool.clone();
            with(&copied(seen), "c8", |c8| c8.pool = pool)
        },
        // The client asks for files and snapshots first, and then for the keys and devices.
        between: &[|seen| {
            let Instance { marker, snapshots, .. } = copy_of(&seen.instances["c1"]);
            with(seen, "c8", |c8| (c8.marker, c8.snapshots) = (marker, snapshots))
        }],
        ..PLAIN
    },
    Verb {
        name: "move to another pool",
        needs: &[Need::Stopped("c6"), Need::Snapshot("c6", "s1"), Need::On("c6", "default"), Need::Stopped("c6")],
        words: |_| words(&["move", "c6", "--storage", "second"]),
        after: |_, seen| with(seen, "c6", |c6| c6.pool = "second".to_string()),
        ..PLAIN
    },
    Verb {
        name: "move back under another name",
        needs: &[Need::Absent("c7"), Need::Stopped("c6"), Need::On("c6", "second")],
        words: |_| words(&["move", "c6", "c7", "--storage", "default"]),
        after: |_, seen| {
            let moved = seen.instances["c6"].clone();
            with(&without(seen, "c6"), "c7", |c7| *c7 = Instance { pool: "default".to_string(), ..moved })
        },
        ..PLAIN
    },
];
