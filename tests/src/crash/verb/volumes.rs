//! Verbs about volumes that users make.

use super::super::seen::{Seen, Volume};
use super::{Need, PLAIN, Verb, words};

fn with_volume(seen: &Seen, name: &str, change: impl FnOnce(&mut Volume)) -> Seen {
    let mut seen = seen.clone();
    change(seen.volumes.entry(name.to_string()).or_default());
    seen
}

fn without_volume(seen: &Seen, name: &str) -> Seen {
    let mut seen = seen.clone();
    seen.volumes.remove(name);
    seen
}

fn volume(more: &[&str]) -> Vec<String> {
    words(&[&["storage", "volume"], more].concat())
}

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "create a volume",
        needs: &[Need::NoVolume("default/v1")],
        words: |_| volume(&["create", "default", "v1"]),
        after: |_, seen| with_volume(seen, "default/v1", |_| ()),
        ..PLAIN
    },
    Verb {
        name: "delete a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s1")],
        words: |_| volume(&["delete", "default", "v1"]),
        after: |_, seen| without_volume(seen, "default/v1"),
        ..PLAIN
    },
    Verb {
        name: "rename a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s1"), Need::NoVolume("default/v2")],
        words: |_| volume(&["rename", "default", "v1", "v2"]),
        after: |_, seen| {
            let old = seen.volumes["default/v1"].clone();
            with_volume(&without_volume(seen, "default/v1"), "default/v2", |new| *new = old)
        },
        ..PLAIN
    },
    Verb {
        name: "copy a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s1"), Need::NoVolume("second/v3")],
        words: |_| volume(&["copy", "default/v1", "second/v3"]),
        after: |_, seen| {
            let old = seen.volumes["default/v1"].clone();
            with_volume(seen, "second/v3", |new| *new = old)
        },
        ..PLAIN
    },
    Verb {
        name: "move a volume",
        needs: &[Need::Volume("v1"), Need::NoVolume("second/v1")],
        words: |_| volume(&["move", "default/v1", "second/v1"]),
        after: |_, seen| {
            let old = seen.volumes["default/v1"].clone();
            with_volume(&without_volume(seen, "default/v1"), "second/v1", |new| *new = old)
        },
        ..PLAIN
    },
    Verb {
        name: "take a snapshot of a volume",
        needs: &[Need::Volume("v1"), Need::NoVolumeSnapshot("v1", "s1")],
        words: |_| volume(&["snapshot", "default", "v1", "s1"]),
        after: |_, seen| {
            let marker = seen.volumes["default/v1"].marker.clone();
            with_volume(seen, "default/v1", |volume| volume.snapshots.extend([("s1".to_string(), marker)]))
        },
        ..PLAIN
    },
    Verb {
        name: "restore a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s1")],
        words: |_| volume(&["restore", "default", "v1", "s1"]),
        after: |_, seen| with_volume(seen, "default/v1", |volume| volume.marker.clone_from(&volume.snapshots["s1"])),
        ..PLAIN
    },
    Verb {
        name: "rename a snapshot of a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s1"), Need::NoVolumeSnapshot("v1", "s2")],
        words: |_| volume(&["rename", "default", "v1/s1", "v1/s2"]),
        after: |_, seen| {
            with_volume(seen, "default/v1", |volume| {
                let kept = volume.snapshots.remove("s1").unwrap_or_default();
                volume.snapshots.insert("s2".to_string(), kept);
            })
        },
        ..PLAIN
    },
    Verb {
        name: "delete a snapshot of a volume",
        needs: &[Need::Volume("v1"), Need::VolumeSnapshot("v1", "s2")],
        words: |_| volume(&["delete", "default", "v1/s2"]),
        after: |_, seen| with_volume(seen, "default/v1", |volume| volume.snapshots.retain(|name, _| name != "s2")),
        ..PLAIN
    },
];
