//! On a disk that is full to the last byte: what makes room is done, what needs room is refused, and afterwards all is as
//! ever.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::seen::World;
use super::{Full, check::TellOnPanic, fill};
use crate::Ran;

/// What the daemon keeps for what makes room: its name below its folder, and its length in bytes.
const BALLAST: (&str, u64) = ("database/global/ballast", 8 << 20);

/// What makes room, in an order in which each finds what it removes.
const MAKING_ROOM: [&str; 10] = [
    "stop r1 --force",
    "delete r1",
    "delete r2/s1",
    "delete r2",
    "storage volume delete default rv/s1",
    "storage volume delete default rv",
    "profile delete spare",
    "image alias delete spare",
    "image delete OTHER",
    "network delete spare0",
];

/// Tries it with the disk whose filler is `filler`.
///
/// # Panics
/// When something is not as it must be.
pub fn can_be_made(world: &mut World, full: Full, filler: &Path) {
    if world.look().images.iter().any(|image| *image == world.other) {
        say(world, "image delete OTHER").ok();
    }
    for words in [
        "launch busybox r1",
        "init busybox r2",
        "snapshot r2 s1",
        "storage volume create default rv",
        "storage volume snapshot default rv s1",
        "profile create spare",
        "image alias create spare FIRST",
        "network create spare0 ipv4.address=none ipv6.address=none",
    ] {
        say(world, words).ok();
    }
    let image = world.other_image.display().to_string();
    world.daemon.lxc(["image", "import", &image]).ok();
    has_ballast(world, "before");
    fill(filler, 0);
    if full != Full::Pools {
        adding_is_refused(world, filler);
    }
    // Who starts on such a disk can make room as well.
    world.daemon.kill();
    world.daemon.begin();
    for words in MAKING_ROOM {
        fill(filler, 0);
        say(world, words).ok();
        has_ballast(world, words);
    }
    std::fs::remove_file(filler).expect("it is ours");
    say(world, "launch busybox r1").ok();
    say(world, "delete r1 --force").ok();
    has_ballast(world, "afterwards");
}

/// What is said that must be known of the world: `OTHER` and `FIRST` are fingerprints.
fn say(world: &World, words: &str) -> Ran {
    let first = world.first.first().map_or("", String::as_str);
    let words: Vec<&str> = words
        .split(' ')
        .map(|word| match word {
            "OTHER" => &world.other,
            "FIRST" => first,
            word => word,
        })
        .collect();
    world.daemon.lxc(words)
}

/// The log of the database may have some room of its own; when that is used up, nothing is taken any more.
fn adding_is_refused(world: &World, filler: &Path) {
    let value = "v".repeat(256 << 10);
    let set =
        |number: u32| world.daemon.lxc_with(["config", "set", "r2", &format!("user.{number}"), "-"], value.as_bytes());
    let full = (0..100).find(|number| {
        fill(filler, 0);
        set(*number).status != 0
    });
    let full = full.expect("the disk is never full");
    for number in [full, full + 1] {
        let refused = set(number);
        let told = refused.refused();
        let folder = world.daemon.dir.join("database/global").display().to_string();
        let left = told.split_once(&format!("{folder} has ")).and_then(|(_, rest)| rest.split_once(" KiB left"));
        let left = left.and_then(|(number, _)| number.parse::<u64>().ok()).expect("it says where and how much");
        assert!(left < 64, "the disk is full: {told}");
        assert!(world.daemon.get("/1.0/instances/r2")["config"][format!("user.{number}")].is_null());
    }
    has_ballast(world, "what adds has taken it");
}

#[track_caller]
fn has_ballast(world: &World, told: &str) {
    let _told = TellOnPanic(told);
    let (name, length) = BALLAST;
    let found = std::fs::metadata(world.daemon.dir.join(name)).expect("there is a ballast");
    assert_eq!(found.len(), length);
    assert!(found.blocks() * 512 >= length, "it has {} bytes of the disk", found.blocks() * 512);
}
