//! Groups of the running kernel, in whatever layout this machine has.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use corten_host::cgroup::{Controller, Error, Group, Layout, Limit, Version};

use crate::{is_root, unique};

const PATIENCE: Duration = Duration::from_secs(5);

/// A group that goes away with the test, whatever happens in it.
struct Scratch {
    layout: Layout,
    group: Group,
}

impl Scratch {
    fn new(what: &str) -> Scratch {
        let layout = Layout::discover().expect("this machine has cgroups");
        let group = Group::create(&layout, &unique(what)).expect("a new group");
        Scratch { layout, group }
    }

    /// A process in the group that waits for its input to end.
    fn process(&self) -> Child {
        let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat runs");
        self.group.enter(child.id()).expect("the process enters");
        child
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.group.kill().expect("killing works");
        self.group.remove(PATIENCE).expect("removal works");
    }
}

#[test]
fn a_group_is_made_entered_killed_and_removed_everywhere() {
    if !is_root("a_group_is_made_entered_killed_and_removed_everywhere") {
        return;
    }
    let scratch = Scratch::new("life");
    let mut child = scratch.process();
    assert_eq!(scratch.group.pids().expect("listed"), [child.id()]);
    let own = std::fs::read_to_string(format!("/proc/{}/cgroup", child.id())).expect("readable");
    for hierarchy in scratch.layout.hierarchies() {
        let line = own.lines().find(|line| line.split(':').nth(1) == Some(&hierarchy.label)).expect("its line");
        assert!(line.ends_with(scratch.group.name()), "{line}");
    }
    let again = Group::create(&scratch.layout, scratch.group.name()).unwrap_err();
    assert!(matches!(again, Error::InUse { count: 1, .. }), "{again}");
    // Groups that a container made below are removed with it.
    for member in scratch.group.members() {
        std::fs::create_dir_all(member.path.join("a/b")).expect("a group below");
    }
    scratch.group.kill().expect("killed");
    scratch.group.wait_empty(PATIENCE).expect("all ended");
    assert!(!child.wait().expect("reaped").success());
    scratch.group.remove(PATIENCE).expect("removed");
    assert!(scratch.group.members().iter().all(|member| !member.path.exists()));
    assert!(matches!(Group::open(&scratch.layout, scratch.group.name()), Err(Error::NotFound(_))));
}

#[test]
fn a_group_left_behind_is_made_anew() {
    if !is_root("a_group_left_behind_is_made_anew") {
        return;
    }
    let scratch = Scratch::new("left");
    let pids = |group: &Group| group.member(Controller::Pids).map(|member| member.get("pids.max").expect("readable"));
    scratch.group.apply(&[Limit::Pids(Some(7))]).expect("this machine limits processes");
    assert_eq!(pids(&scratch.group).as_deref(), Some("7"));
    let anew = Group::create(&scratch.layout, scratch.group.name()).expect("made anew");
    assert_eq!(pids(&anew).as_deref(), Some("max"));
}

#[test]
fn freezing_stops_and_thawing_goes_on() {
    if !is_root("freezing_stops_and_thawing_goes_on") {
        return;
    }
    let scratch = Scratch::new("freeze");
    let mut child = scratch.process();
    assert!(!scratch.group.frozen().expect("known"));
    let begun = Instant::now();
    scratch.group.freeze(PATIENCE).expect("frozen");
    assert!(scratch.group.frozen().expect("known"));
    drop(child.stdin.take());
    assert_eq!(child.try_wait().expect("waited"), None);
    scratch.group.thaw(PATIENCE).expect("thawed");
    assert!(child.wait().expect("reaped").success());
    println!("frozen and thawed in {:?}", begun.elapsed());
    // A frozen group can be killed, too.
    let mut child = scratch.process();
    scratch.group.freeze(PATIENCE).expect("frozen");
    scratch.group.kill().expect("killed");
    scratch.group.wait_empty(PATIENCE).expect("all ended");
    assert!(!child.wait().expect("reaped").success());
}

#[test]
fn limits_are_set_changed_and_taken_away() {
    if !is_root("limits_are_set_changed_and_taken_away") {
        return;
    }
    let scratch = Scratch::new("limits");
    let mib = 1 << 20;
    let set = |memory: Option<u64>, swap: Option<u64>| {
        scratch.group.apply(&[Limit::MemorySwap(swap), Limit::Memory(memory)]).expect("limits are taken");
        let member = scratch.group.member(Controller::Memory).expect("this machine limits memory");
        match member.hierarchy.version {
            Version::V1 => {
                let both = member.get("memory.memsw.limit_in_bytes").expect("readable").parse::<u64>().expect("number");
                let memory = member.get("memory.limit_in_bytes").expect("readable").parse::<u64>().expect("number");
                (memory, both - memory)
            }
            Version::V2 => {
                let limit = |name| member.limit(name).expect("readable").unwrap_or(u64::MAX);
                (limit("memory.max"), limit("memory.swap.max"))
            }
        }
    };
    assert_eq!(set(Some(64 * mib), Some(0)), (64 * mib, 0));
    assert_eq!(set(Some(32 * mib), Some(8 * mib)), (32 * mib, 8 * mib));
    assert_eq!(set(Some(96 * mib), Some(0)), (96 * mib, 0));
    assert!(set(None, None).0 > 1 << 60);
}

#[test]
fn a_new_owner_may_make_groups_but_not_change_limits() {
    if !is_root("a_new_owner_may_make_groups_but_not_change_limits") {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let scratch = Scratch::new("owner");
    scratch.group.chown(100_000, 100_001).expect("given away");
    let owner = |path: &std::path::Path| {
        let found = std::fs::metadata(path).expect("there");
        (found.uid(), found.gid())
    };
    for member in scratch.group.members() {
        assert_eq!(owner(&member.path), (100_000, 100_001));
        assert_eq!(owner(&member.path.join("cgroup.procs")), (100_000, 100_001));
    }
    let pids = scratch.group.member(Controller::Pids).expect("this machine limits processes");
    assert_eq!(owner(&pids.path.join("pids.max")), (0, 0));
}

#[test]
fn making_entering_and_removing_costs_little() {
    if !is_root("making_entering_and_removing_costs_little") {
        return;
    }
    let layout = Layout::discover().expect("this machine has cgroups");
    let mut times = Vec::new();
    for round in 0..20 {
        let begun = Instant::now();
        let group = Group::create(&layout, &unique(&format!("cost{round}"))).expect("a new group");
        let made = begun.elapsed();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat runs");
        let begun = Instant::now();
        group.enter(child.id()).expect("entered");
        let entered = begun.elapsed();
        drop(child.stdin.take());
        child.wait().expect("reaped");
        let begun = Instant::now();
        group.remove(PATIENCE).expect("removed");
        times.push((made + entered, made, entered, begun.elapsed()));
    }
    times.sort();
    println!(
        "median: all {:?} (made {:?}, entered {:?}), removed {:?}",
        times[10].0, times[10].1, times[10].2, times[10].3
    );
    // Wall time on a busy machine: only an order of magnitude can be demanded.
    assert!(times[0].0 < Duration::from_millis(20), "{times:?}");
}

#[test]
fn figures_are_read() {
    if !is_root("figures_are_read") {
        return;
    }
    let scratch = Scratch::new("figures");
    let mut child = scratch.process();
    assert_eq!(scratch.group.process_count().expect("counted"), 1);
    assert!(scratch.group.memory().expect("counted").limit.is_none());
    scratch.group.apply(&[Limit::Memory(Some(64 << 20))]).expect("limited");
    assert_eq!(scratch.group.memory().expect("counted").limit, Some(64 << 20));
    assert!(!scratch.group.memory_counters().expect("counted").is_empty());
    assert!(!scratch.group.cpu_times().expect("counted").is_empty());
    assert!(!scratch.group.effective_cpus().expect("known").is_empty());
    scratch.group.disk_traffic().expect("counted");
    scratch.group.cpu_usage().expect("counted");
    drop(child.stdin.take());
    child.wait().expect("reaped");
}

/// What a process in the group may do: whether `head -c1` of a device works.
fn can_read(group: &Group, device: &str) -> bool {
    let script = format!("read go; head -c1 {device} >/dev/full 2>&1 || head -c0 {device}");
    let mut child =
        Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sh");
    group.enter(child.id()).expect("entered");
    drop(child.stdin.take());
    child.wait().expect("reaped").success()
}

#[test]
fn the_kernel_takes_the_device_filter_and_follows_it() {
    if !is_root("the_kernel_takes_the_device_filter_and_follows_it") {
        return;
    }
    use corten_host::cgroup::devices::{Policy, Rule, default_rules, filter};
    let scratch = Scratch::new("devices");
    // Files of version 1, or the filter on a host that has only version 2.
    scratch.group.apply_devices(&default_rules()).expect("the rules are taken");
    assert!(can_read(&scratch.group, "/dev/zero"));
    assert!(!can_read(&scratch.group, "/dev/kmsg"));
    // The filter by itself works also beside version 1, in a group that has no rules there.
    let scratch = Scratch::new("filter");
    let Some(unified) = scratch.group.unified() else {
        eprintln!("skipped the filter of version 2: no unified hierarchy is mounted");
        return;
    };
    let dir = std::fs::File::open(&unified.path).expect("the group's directory");
    let attach = |rules: &[Rule]| {
        let program = filter::assemble(&Policy::of(rules));
        corten_host::syscall::bpf::replace_device_filter(&dir, &program).expect("the kernel takes it");
        assert_eq!(corten_host::syscall::bpf::attached(&dir).expect("listed").len(), 1);
    };
    attach(&default_rules());
    assert!(can_read(&scratch.group, "/dev/zero") && !can_read(&scratch.group, "/dev/kmsg"));
    let mut wider = default_rules();
    wider.push(Rule::allow("c 1:11 r").expect("a rule"));
    attach(&wider);
    assert!(can_read(&scratch.group, "/dev/kmsg"));
}

#[test]
fn a_rare_controller_is_handed_on_when_a_limit_needs_it() {
    if !is_root("a_rare_controller_is_handed_on_when_a_limit_needs_it") {
        return;
    }
    let scratch = Scratch::new("rare");
    let Some(member) = scratch.group.member(Controller::Hugetlb) else {
        let limit = Limit::Hugetlb { page: "2MB".into(), bytes: Some(0) };
        assert!(matches!(scratch.group.apply(&[limit]), Err(Error::Unsupported { .. })));
        return;
    };
    let control = member.hierarchy.base.join("cgroup.subtree_control");
    let before = std::fs::read_to_string(&control).unwrap_or_default();
    scratch.group.apply(&[Limit::Hugetlb { page: "2MB".into(), bytes: Some(4 << 20) }]).expect("limited");
    if member.hierarchy.version == Version::V2 {
        assert_eq!(member.get("hugetlb.2MB.max").expect("readable"), (4 << 20).to_string());
        if !before.contains("hugetlb") {
            std::fs::write(&control, "-hugetlb").expect("as it was");
        }
    }
}
