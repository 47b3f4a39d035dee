//! Verbs about whole instances.

use super::{Need, PLAIN, SOME, Verb, with, without, words};

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "create",
        needs: &[Need::Absent("c2")],
        words: |_| words(&["init", "busybox", "c2"]),
        after: |_, seen| with(seen, "c2", |_| ()),
        ..PLAIN
    },
    Verb {
        name: "create on a squashfs",
        needs: &[Need::Absent("c3")],
        words: |_| words(&["init", "squashed", "c3"]),
        after: |_, seen| with(seen, "c3", |_| ()),
        ..PLAIN
    },
    Verb {
        name: "launch",
        needs: &[Need::Absent("c2")],
        words: |_| words(&["launch", "busybox", "c2"]),
        after: |_, seen| with(seen, "c2", |c2| c2.pid = SOME),
        between: &[|seen| with(seen, "c2", |_| ())],
        ..PLAIN
    },
    Verb {
        name: "start",
        needs: &[Need::Stopped("c1")],
        words: |_| words(&["start", "c1"]),
        after: |_, seen| with(seen, "c1", |c1| c1.pid = SOME),
        ..PLAIN
    },
    Verb {
        name: "stop",
        needs: &[Need::Running("c1")],
        words: |_| words(&["stop", "--force", "c1"]),
        after: |_, seen| with(seen, "c1", |c1| c1.pid = None),
        // It had ended, and nobody had written that down: what ran is started again.
        restarts: &["c1"],
        ..PLAIN
    },
    Verb {
        name: "restart",
        needs: &[Need::Running("c1")],
        words: |_| words(&["restart", "--force", "c1"]),
        between: &[|seen| with(seen, "c1", |c1| c1.pid = None)],
        restarts: &["c1"],
        ..PLAIN
    },
    Verb {
        name: "delete",
        needs: &[Need::Stopped("c2")],
        words: |_| words(&["delete", "c2"]),
        after: |_, seen| without(seen, "c2"),
        ..PLAIN
    },
    Verb {
        name: "delete what runs",
        needs: &[Need::Running("c2")],
        words: |_| words(&["delete", "--force", "c2"]),
        after: |_, seen| without(seen, "c2"),
        between: &[|seen| with(seen, "c2", |c2| c2.pid = None)],
        restarts: &["c2"],
    },
    Verb {
        name: "rename",
        needs: &[Need::Absent("c4"), Need::Stopped("c2")],
        words: |_| words(&["rename", "c2", "c4"]),
        after: |_, seen| {
            let moved = seen.instances["c2"].clone();
            with(&without(seen, "c2"), "c4", |c4| *c4 = moved)
        },
        ..PLAIN
    },
    Verb {
        name: "set a limit",
        needs: &[Need::Running("c1")],
        words: |_| words(&["config", "set", "c1", "limits.memory=64MiB"]),
        after: |_, seen| with(seen, "c1", |c1| c1.memory = "64MiB".to_string()),
        ..PLAIN
    },
    Verb {
        name: "unset a limit",
        needs: &[Need::Running("c1")],
        words: |_| words(&["config", "set", "c1", "limits.memory="]),
        after: |_, seen| with(seen, "c1", |c1| c1.memory.clear()),
        ..PLAIN
    },
];
