//! The verbs that are disturbed: what each needs, what is typed, and what it makes of the world.

use super::seen::{Instance, Kept, Seen, World};

/// What must be so before a verb begins.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    Absent(&'static str),
    Stopped(&'static str),
    Running(&'static str),
    Snapshot(&'static str, &'static str),
    NoSnapshot(&'static str, &'static str),
    /// `c1`, which runs, has a marker that no snapshot has.
    Marked,
    OtherImage,
    NoOtherImage,
}

/// One thing that a user does.
pub struct Verb {
    pub name: &'static str,
    pub needs: &'static [Need],
    /// The words after `lxc`.
    pub words: fn(&World) -> Vec<String>,
    /// The world after it.
    pub after: fn(&World, &Seen) -> Seen,
    /// Where it may also stop, when it has parts that are each whole.
    pub between: &'static [fn(&Seen) -> Seen],
    /// Instances that have another first process after it.
    pub restarts: &'static [&'static str],
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_string()).collect()
}

/// The world with a change of one instance.
fn with(seen: &Seen, name: &str, change: impl FnOnce(&mut Instance)) -> Seen {
    let mut seen = seen.clone();
    change(seen.instances.entry(name.to_string()).or_default());
    seen
}

/// The world with `c1` as its snapshot is.
fn restored(seen: &Seen, snapshot: &str) -> Seen {
    with(seen, "c1", |c1| Kept { marker: c1.marker, memory: c1.memory } = c1.snapshots[snapshot].clone())
}

fn without(seen: &Seen, name: &str) -> Seen {
    let mut seen = seen.clone();
    seen.instances.remove(name);
    seen
}

/// Any first process will do; see [`Seen::is_like`].
const SOME: Option<i64> = Some(1);

/// A verb of one part that leaves running what runs.
const PLAIN: Verb =
    Verb { name: "", needs: &[], words: |_| Vec::new(), after: |_, seen| seen.clone(), between: &[], restarts: &[] };

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
    Verb {
        name: "import an image",
        needs: &[Need::NoOtherImage],
        words: |world| words(&["image", "import", &world.other_image.display().to_string()]),
        after: |world, seen| {
            let mut seen = seen.clone();
            seen.images.insert(world.other.clone());
            seen
        },
        ..PLAIN
    },
    Verb {
        name: "delete an image",
        needs: &[Need::OtherImage, Need::Absent("c5")],
        words: |world| words(&["image", "delete", &world.other]),
        after: |world, seen| {
            let mut seen = seen.clone();
            seen.images.remove(&world.other);
            seen
        },
        ..PLAIN
    },
    Verb {
        name: "create on a fresh image",
        needs: &[Need::Absent("c5"), Need::NoOtherImage, Need::OtherImage],
        words: |world| words(&["init", &world.other, "c5"]),
        after: |_, seen| with(seen, "c5", |_| ()),
        ..PLAIN
    },
];
