//! Verbs about backups.

use super::{Need, PLAIN, Verb, with, words};

/// All of them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "export",
        needs: &[Need::Stopped("c6"), Need::Snapshot("c6", "s1"), Need::NoBackups("c6")],
        words: |_| words(&["export", "c6", "out.tar.gz"]),
        // The client takes the backup away when it has it: the daemon may be gone by then.
        between: &[|seen| with(seen, "c6", |c6| c6.backups = ["backup0".to_string()].into())],
        ..PLAIN
    },
    Verb {
        name: "export what runs",
        needs: &[Need::Running("c1"), Need::NoBackups("c1")],
        words: |_| words(&["export", "c1", "out.tar.gz", "--instance-only"]),
        between: &[|seen| with(seen, "c1", |c1| c1.backups = ["backup0".to_string()].into())],
        ..PLAIN
    },
    Verb {
        name: "import a backup",
        needs: &[Need::Absent("c9")],
        words: |world| words(&["import", &world.backup.display().to_string(), "c9"]),
        after: |_, seen| with(seen, "c9", |_| ()),
        ..PLAIN
    },
];
