//! Verbs about images.

use super::super::seen::{PUBLISHED, Seen};
use super::{Need, PLAIN, Verb, with, words};

fn published(seen: &Seen) -> Seen {
    let mut seen = seen.clone();
    seen.images.insert(PUBLISHED.to_string());
    seen
}

/// All of them.
pub const VERBS: &[Verb] = &[
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
    Verb {
        name: "publish as an image",
        needs: &[Need::NoPublished, Need::Stopped("c1")],
        words: |_| words(&["publish", "c1", "--alias", "made"]),
        after: |_, seen| published(seen),
        ..PLAIN
    },
    Verb {
        name: "publish a snapshot as an image",
        needs: &[Need::NoPublished, Need::Snapshot("c1", "s1")],
        words: |_| words(&["publish", "c1/s1", "--alias", "made"]),
        after: |_, seen| published(seen),
        ..PLAIN
    },
];
