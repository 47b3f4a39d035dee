//! The verbs that are disturbed: what each needs, what is typed, and what it makes of the world.

mod backups;
mod copies;
mod devices;
mod images;
mod instances;
mod networks;
mod snapshots;
mod volumes;

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
    /// No image but those of the start and the other one.
    NoPublished,
    /// An instance is on this pool.
    On(&'static str, &'static str),
    /// A device of `c1`, which is added by these words.
    Device(&'static str, &'static [&'static str]),
    NoDevice(&'static str),
    /// A volume of this name on the first pool, and a snapshot of it.
    Volume(&'static str),
    VolumeSnapshot(&'static str, &'static str),
    NoVolume(&'static str),
    NoVolumeSnapshot(&'static str, &'static str),
    NoBackups(&'static str),
    Network(&'static str),
    NoNetwork(&'static str),
    /// A key of the default profile is this.
    Profile(&'static str, &'static str),
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

impl Verb {
    /// Whether it is done whatever the disk has left.
    pub fn makes_room(&self) -> bool {
        self.name == "stop" || self.name.starts_with("delete")
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_string()).collect()
}

/// The world with a change of one instance.
fn with(seen: &Seen, name: &str, change: impl FnOnce(&mut Instance)) -> Seen {
    let mut seen = seen.clone();
    change(seen.instances.entry(name.to_string()).or_insert_with(Instance::fresh));
    seen
}

/// The world with `c1` as its snapshot is.
fn restored(seen: &Seen, snapshot: &str) -> Seen {
    with(seen, "c1", |c1| {
        Kept { marker: c1.marker, memory: c1.memory, devices: c1.devices } = c1.snapshots[snapshot].clone();
    })
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
pub fn all() -> Vec<&'static Verb> {
    let groups = [
        instances::VERBS,
        snapshots::VERBS,
        copies::VERBS,
        devices::VERBS,
        volumes::VERBS,
        backups::VERBS,
        images::VERBS,
        networks::VERBS,
    ];
    groups.into_iter().flatten().collect()
}
