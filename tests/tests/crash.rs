//! Whenever the daemon is killed, the next one finds the world whole: the short form. The long form is
//! `cargo xtask crash`, which sets the three variables.
#![forbid(unsafe_code)]

use stories::crash::{Full, Plan, making_room, on_a_full_disk, run};
use stories::story;

/// How many kills of each driver, what they are drawn from, and the only driver to try.
const KILLS: &str = "CORTEN_CRASH_KILLS";
const SEED: &str = "CORTEN_CRASH_SEED";
const DRIVER: &str = "CORTEN_CRASH_DRIVER";

fn is_asked_for(driver: &str) -> bool {
    let asked = std::env::var(DRIVER).map_or(true, |only| only == driver);
    if !asked {
        println!("skipped: only the other driver was asked for");
    }
    asked
}

fn trial(driver: &'static str) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    if !is_asked_for(driver) {
        return;
    }
    let seed = number(SEED).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
        u64::from(now.subsec_nanos())
    });
    let kills = number(KILLS).map_or(20, |kills| u32::try_from(kills).expect("a smaller number"));
    story(|host| run(host, Plan { driver, kills, seed }));
}

fn full(driver: &'static str, what: Full) {
    if !is_asked_for(driver) {
        return;
    }
    let is_long = std::env::var_os(KILLS).is_some();
    story(|host| on_a_full_disk(host, driver, what, is_long));
}

fn room(driver: &'static str, what: Full) {
    if is_asked_for(driver) {
        story(|host| making_room(host, driver, what));
    }
}

#[test]
fn a_killed_daemon_leaves_nothing_half_done_on_dir() {
    trial("dir");
}

#[test]
fn a_killed_daemon_leaves_nothing_half_done_on_overlay() {
    trial("overlay");
}

#[test]
fn on_dir_a_full_disk_leaves_nothing_half_done() {
    full("dir", Full::All);
}

#[test]
fn on_overlay_a_full_disk_leaves_nothing_half_done() {
    full("overlay", Full::All);
}

#[test]
fn full_pools_leave_nothing_half_done() {
    full("overlay", Full::Pools);
}

#[test]
fn full_databases_leave_nothing_half_done() {
    full("dir", Full::Databases);
}

#[test]
fn on_dir_a_full_disk_keeps_nobody_from_deleting() {
    room("dir", Full::All);
}

#[test]
fn on_overlay_a_full_disk_keeps_nobody_from_deleting() {
    room("overlay", Full::All);
}

#[test]
fn full_pools_keep_nobody_from_deleting() {
    room("overlay", Full::Pools);
}

#[test]
fn full_databases_keep_nobody_from_deleting() {
    room("dir", Full::Databases);
}
