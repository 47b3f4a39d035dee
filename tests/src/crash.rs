//! The daemon killed at random moments of every verb, again and again; after each kill the next daemon must show the
//! world as it was before the verb, or as it is after it, with nothing left of anything else.
//!
//! All is drawn from one seed: the verbs, and how far into each the kill falls, as a part of the time that the verb took
//! when nobody was killed. A seed replays the same verbs and the same moments, as far as a clock can.

mod check;
mod inside;
mod random;
mod room;
mod seen;
mod verb;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::{Host, image};
use check::Baseline;
use random::Random;
use seen::{Seen, World};
use verb::{Verb, all};

/// What is to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The storage driver.
    pub driver: &'static str,
    /// How many kills.
    pub kills: u32,
    /// What all is drawn from.
    pub seed: u64,
}

/// A kill may fall a little after the verb's usual end.
const LATEST: f64 = 1.1;

/// One in so many kills takes the monitor of `c1` as well.
const MONITOR_TOO: u64 = 8;

/// Kills a daemon of the story's own as often as planned.
///
/// # Panics
/// When something is not as it must be, with the seed and what was done last.
pub fn run(host: &Host, plan: Plan) {
    let world = set_up(host, plan.driver);
    let mut trial =
        Trial { world, random: Random::new(plan.seed), usual: BTreeMap::new(), killed: 0, told: String::new() };
    trial.baseline_of_bystander();
    let baseline = Baseline::look(&trial.world);
    let verbs = all();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    while trial.killed < plan.kills {
        let verb = verbs[trial.random.below(verbs.len() as u64) as usize];
        *counts.entry(verb.name).or_default() += 1;
        if !trial.usual.contains_key(verb.name) {
            trial.rehearse(verb, &baseline);
        }
        trial.kill_within(verb, &baseline, plan);
    }
    println!("{}: {} kills, seed {}: {counts:?}", plan.driver, trial.killed, plan.seed);
}

/// How many bytes are left on the disk when a verb begins so that it gets some way.
const LEFT: [u64; 3] = [64 << 10, 1 << 20, 4 << 20];

/// What is on the disk that becomes full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All that the daemon has.
    All,
    /// The pools and nothing else.
    Pools,
    /// The databases and nothing else.
    Databases,
}

impl Full {
    /// Puts a small disk there, and gives the place below the story's folder.
    fn mount(self, host: &Host) -> &'static str {
        let (place, size) = match self {
            Full::All => ("one", "160M"),
            Full::Pools => ("one/storage-pools", "120M"),
            Full::Databases => ("one/database", "24M"),
        };
        host.sh(&format!(
            "truncate -s {size} {DISK}; mkfs.ext4 -q -m 0 -O ^has_journal {DISK}; mkdir -p {place}
             mount -o loop {DISK} {place}; rmdir {place}/lost+found"
        ));
        place
    }
}

/// Tries on a full disk what makes room there, and what does not.
///
/// # Panics
/// When something is not as it must be.
pub fn making_room(host: &Host, driver: &'static str, full: Full) {
    let place = full.mount(host);
    let mut world = set_up(host, driver);
    let baseline = Baseline::look(&world);
    room::can_be_made(&mut world, full, &host.folder().join(place).join("filler"));
    baseline.check(&world);
    drop(world);
    host.sh(&format!("umount -l {place}"));
}

/// Tries every verb on a disk that is full, and where `is_long` also on one that is about to be: each ends whole or undone,
/// and nothing of it is left.
///
/// # Panics
/// When something is not as it must be.
pub fn on_a_full_disk(host: &Host, driver: &'static str, full: Full, is_long: bool) {
    let place = full.mount(host);
    let mut world = set_up(host, driver);
    let baseline = Baseline::look(&world);
    let filler = host.folder().join(place).join("filler");
    let mut refused = 0;
    for (number, verb) in all().into_iter().enumerate() {
        for left in [0, LEFT[number % LEFT.len()]].into_iter().take(if is_long { 2 } else { 1 }) {
            world.prepare(verb, number as u64);
            let before = world.look();
            fill(&filler, left);
            let ran = world.lxc(&(verb.words)(&world));
            std::fs::remove_file(&filler).expect("it is ours");
            refused += u32::from(ran.status != 0);
            let told = format!("driver {driver}, {full:?}, {} with {left} bytes left: {}", verb.name, ran.err);
            let _told = check::TellOnPanic(&told);
            assert!(ran.status == 0 || !verb.makes_room(), "what makes room was refused");
            // A row is taken back at once, whatever the disk has left; what files it wants is for the next daemon.
            for next in [false, true] {
                if next {
                    world.daemon.kill();
                    world.daemon.begin();
                }
                is_whole_or_undone(verb, &world, &before, ran.status == 0);
            }
            baseline.check(&world);
        }
    }
    assert!(refused > 0, "the disk was full");
    println!("{driver}, {full:?}: {refused} verbs were refused");
    drop(world);
    host.sh(&format!("umount -l {place}"));
}

/// Looks whether a verb that `was_done` has left what it leaves, and one that was refused that or nothing.
fn is_whole_or_undone(verb: &Verb, world: &World, before: &Seen, was_done: bool) {
    let (after, wanted) = (world.look(), (verb.after)(world, before));
    let between: Vec<Seen> = verb.between.iter().map(|between| between(before)).collect();
    let mut states = [before, &wanted].into_iter().chain(&between);
    let as_asked = if was_done { after.is_like(&wanted) } else { states.any(|state| after.is_like(state)) };
    assert!(as_asked, "neither before:\n{}nor after:\n{}", after.unlike(before), after.unlike(&wanted));
}

/// The file that the small disk is in.
pub(crate) const DISK: &str = "disk.img";

/// Fills the disk but for `left` bytes.
fn fill(path: &std::path::Path, left: u64) {
    let mut file = std::fs::File::create(path).expect("there was room");
    let block = [1u8; 1 << 16];
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    let length = file.metadata().expect("it is open").len();
    file.set_len(length.saturating_sub(left)).expect("it is ours");
}

/// A daemon with a pool, a network, an image, and `c0`, which runs all the time and must never notice.
fn set_up(host: &Host, driver: &str) -> World {
    let daemon = host.daemon();
    daemon.with_pool(driver);
    daemon.lxc(["network", "create", "crashbr0", "ipv4.address=10.97.0.1/24", "ipv6.address=none"]).ok();
    daemon.lxc(["profile", "device", "add", "default", "eth0", "nic", "network=crashbr0", "name=eth0"]).ok();
    daemon.lxc(["network", "create", "crashbr9", "ipv4.address=10.99.0.1/24", "ipv6.address=none"]).ok();
    daemon.import_busybox("busybox");
    let second = image::busybox_squashfs(host.folder());
    daemon.lxc(["image", "import", &second.display().to_string(), "--alias", "squashed"]).ok();
    daemon.lxc(["launch", "squashed", "c0"]).ok();
    host.sh("cp -r busybox-tree other-tree; echo other > other-tree/rootfs/etc/other
             tar -C other-tree --numeric-owner -czf other.tar.gz metadata.yaml rootfs");
    let other = host.sh("sha256sum other.tar.gz | cut -d ' ' -f 1").trim().to_string();
    daemon.lxc(["storage", "create", "second", driver]).ok();
    daemon.lxc(["init", "busybox", "saved"]).ok();
    daemon.lxc(["export", "saved", "saved.tar.gz"]).ok();
    daemon.lxc(["delete", "saved"]).ok();
    let folder = host.folder().to_path_buf();
    let images = daemon.get("/1.0/images");
    let first = seen::entries(&images).filter_map(|url| Some(url.as_str()?.rsplit('/').next()?.to_string())).collect();
    let (other_image, backup) = (folder.join("other.tar.gz"), folder.join("saved.tar.gz"));
    World { daemon, driver: driver.to_string(), other_image, backup, folder, other, first }
}

struct Trial {
    world: World,
    random: Random,
    /// How long each verb takes when nobody is killed.
    usual: BTreeMap<&'static str, Duration>,
    killed: u32,
    /// What was done since the start, for whoever reads of a failure.
    told: String,
}

impl Trial {
    fn baseline_of_bystander(&self) {
        assert!(self.world.look().instances["c0"].pid.is_some(), "the bystander runs");
    }

    /// Does the verb once undisturbed, to see that it works and how long it takes.
    fn rehearse(&mut self, verb: &'static Verb, baseline: &Baseline) {
        self.world.prepare(verb, self.random.below(1 << 30));
        let before = self.world.look();
        let begun = Instant::now();
        self.world.lxc(&(verb.words)(&self.world)).ok();
        self.usual.insert(verb.name, begun.elapsed());
        let (after, wanted) = (self.world.look(), (verb.after)(&self.world, &before));
        assert!(after.is_like(&wanted), "{} does what it does:\n{}", verb.name, after.unlike(&wanted));
        let told = format!("{} alone", verb.name);
        let _told = check::TellOnPanic(&told);
        baseline.check(&self.world);
    }

    fn kill_within(&mut self, verb: &'static Verb, baseline: &Baseline, plan: Plan) {
        let marker = self.random.below(1 << 30);
        let part = self.random.part() * LATEST;
        let monitor_too = self.random.below(MONITOR_TOO) == 0;
        self.world.prepare(verb, marker);
        let before = self.world.look();
        let moment = self.usual[verb.name].mul_f64(part);
        let words = (verb.words)(&self.world);
        let line = format!("{} killed after {moment:?} ({part:.3} of its usual time)", words.join(" "));
        self.told = format!("{}kill {}: {line}\n", last_lines(&self.told), self.killed);
        let mut client = self.world.daemon.lxc_command(&words);
        client.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let client = client.spawn().expect("lxc was built");
        // The moment is what is being tried: there is no event to wait for.
        std::thread::sleep(moment);
        self.world.daemon.kill();
        let lost = if monitor_too { self.world.kill_monitor(&before, "c1") } else { false };
        let ran = client.wait_with_output().expect("lxc ends with its daemon");
        self.killed += 1;
        let replay = replay(plan, self.killed, &self.told, &String::from_utf8_lossy(&ran.stderr));
        let _told = check::TellOnPanic(&replay);
        self.world.daemon.begin();
        let after = self.world.look();
        let wanted = (verb.after)(&self.world, &before);
        let between: Vec<Seen> = verb.between.iter().map(|between| between(&before)).collect();
        let as_found = |state: &Seen| if lost { state.without_running("c1", &after) } else { state.clone() };
        let mut states = [&before, &wanted].into_iter().chain(&between);
        assert!(
            states.any(|state| after.is_like(&as_found(state))),
            "neither before:\n{}nor after:\n{}",
            after.unlike(&before),
            after.unlike(&wanted)
        );
        let restarted: Vec<&str> = verb.restarts.iter().copied().chain(lost.then_some("c1")).collect();
        assert!(before.same_processes(&after, &restarted), "a container was restarted: {before:?} {after:?}");
        baseline.check(&self.world);
    }
}

/// What to tell of a failure: the last verbs, and how to see it again.
fn replay(Plan { driver, seed, .. }: Plan, killed: u32, told: &str, client: &str) -> String {
    format!(
        "driver {driver}, seed {seed}, after kill {}; the client said: {client}{told}\
         replay: cargo xtask crash --kills {killed} --seed {seed} --driver {driver}",
        killed - 1
    )
}

/// Of what was done, the last part.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].iter().map(|line| format!("{line}\n")).collect()
}
