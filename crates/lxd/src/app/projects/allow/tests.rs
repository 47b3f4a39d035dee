//! Tables of what a project lets happen.

use corten_db::table::profiles::Profile;
use corten_db::table::projects::Project;

use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn map(pairs: Pairs<'_>) -> Config {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

fn root(size: &str) -> Devices {
    let disk = [("type", "disk"), ("path", "/"), ("pool", "p"), ("size", size)];
    Devices::from([("root".to_string(), map(if size.is_empty() { &disk[..3] } else { &disk }))])
}

fn instance(name: &str, config: Pairs<'_>) -> Member {
    member(name, &["default".to_string()], &map(config), &Devices::new())
}

/// A project with a default profile that has a root disk of 100 MB, and these instances.
fn held(project: Pairs<'_>, instances: &[(&str, Pairs<'_>)]) -> Holdings {
    let project = Project { id: 2, name: "p1".to_string(), description: String::new(), config: map(project) };
    let default = Profile {
        id: 1,
        project: "p1".to_string(),
        name: "default".to_string(),
        description: String::new(),
        config: Config::new(),
        devices: root("100MB"),
    };
    let instances = instances.iter().map(|(name, config)| instance(name, config)).collect();
    Holdings { project, profiles: vec![default], instances, volumes: Vec::new() }
}

fn words(outcome: Result<()>) -> Option<String> {
    outcome.err().map(|error| error.message)
}

#[test]
fn sums_stay_below_their_limits() {
    let cases: &[(Pairs<'_>, Pairs<'_>, Pairs<'_>, Option<&str>)] = &[
        (&[], &[], &[], None),
        (&[("limits.memory", "3GB")], &[("limits.memory", "1GB")], &[("limits.memory", "2GB")], None),
        (
            &[("limits.memory", "3GB")],
            &[("limits.memory", "2GB")],
            &[("limits.memory", "2GB")],
            Some("Reached maximum aggregate value \"3GB\" for \"limits.memory\" in project \"p1\""),
        ),
        (
            &[("limits.memory", "3GB")],
            &[("limits.memory", "1GB")],
            &[],
            Some(
                "Failed getting usage of project entities: Instance \"c2\" in project \"p1\" has no \
                 \"limits.memory\" config, either directly or via a profile",
            ),
        ),
        (
            &[("limits.memory", "3GB")],
            &[("limits.memory", "10%")],
            &[("limits.memory", "1GB")],
            Some(
                "Failed getting usage of project entities: Failed parsing \"limits.memory\" for instance \"c1\" in \
                 project \"p1\"",
            ),
        ),
        (
            &[("limits.cpu", "4")],
            &[("limits.cpu", "0,1")],
            &[("limits.cpu", "1")],
            Some(
                "Failed getting usage of project entities: Failed parsing \"limits.cpu\" for instance \"c1\" in \
                 project \"p1\"",
            ),
        ),
        (&[("limits.cpu", "4")], &[("limits.cpu", "3")], &[("limits.cpu", "1")], None),
        (
            &[("limits.processes", "10")],
            &[("limits.processes", "9")],
            &[("limits.processes", "2")],
            Some("Reached maximum aggregate value \"10\" for \"limits.processes\" in project \"p1\""),
        ),
        (&[("limits.disk", "200MB")], &[], &[], None),
        (
            &[("limits.disk", "199MB")],
            &[],
            &[],
            Some("Reached maximum aggregate value \"199MB\" for \"limits.disk\" in project \"p1\""),
        ),
    ];
    for (project, first, second, expected) in cases {
        let held = held(project, &[("c1", first), ("c2", second)]);
        assert_eq!(words(decide(&held)).as_deref(), *expected, "{project:?} {first:?} {second:?}");
    }
}

#[test]
fn volumes_count_as_disk() {
    let mut held = held(&[("limits.disk", "150MB")], &[("c1", &[])]);
    held.volumes.push(("v".to_string(), map(&[("size", "50MB")])));
    assert_eq!(words(decide(&held)), None);
    held.volumes[0].1 = map(&[("size", "51MB")]);
    assert!(words(decide(&held)).is_some_and(|text| text.contains("limits.disk")));
    held.volumes[0].1 = Config::new();
    let refused = "Failed getting usage of project entities: Custom volume \"v\" in project \"p1\" has no \"size\" \
                   config set";
    assert_eq!(words(decide(&held)).as_deref(), Some(refused));
}

#[test]
fn instances_are_counted() {
    let there: &[(&str, Pairs<'_>)] = &[("c1", &[]), ("c2", &[])];
    let cases: &[(Pairs<'_>, Option<&str>)] = &[
        (&[], None),
        (&[("limits.containers", "3"), ("limits.instances", "3"), ("limits.virtual-machines", "0")], None),
        (
            &[("limits.containers", "2")],
            Some("Reached maximum number of instances of type \"container\" in project \"p1\""),
        ),
        (&[("limits.instances", "2")], Some("Reached maximum number of instances in project \"p1\"")),
    ];
    for (project, expected) in cases {
        let outcome = limits::room_for(&held(project, there), Guest::Container);
        assert_eq!(words(outcome).as_deref(), *expected, "{project:?}");
    }
}

/// Keys of a project, those of a container, and in which words they are refused.
type Case<'a> = (Pairs<'a>, Pairs<'a>, Option<&'a str>);

#[test]
fn restrictions_forbid_keys() {
    let cases: &[Case<'_>] = &[
        (&[], &[("security.nesting", "false"), ("user.x", "y")], None),
        (
            &[],
            &[("security.nesting", "true")],
            Some(
                "Invalid value \"true\" for config \"security.nesting\" on container \"c1\" of project \"p1\": \
                 Container nesting is forbidden",
            ),
        ),
        (&[("restricted.containers.nesting", "allow")], &[("security.nesting", "true")], None),
        (
            &[],
            &[("security.privileged", "1")],
            Some(
                "Invalid value \"1\" for config \"security.privileged\" on container \"c1\" of project \"p1\": \
                 Privileged containers are forbidden",
            ),
        ),
        (&[("restricted.containers.privilege", "allow")], &[("security.privileged", "true")], None),
        (&[], &[("security.idmap.isolated", "false")], None),
        (
            &[("restricted.containers.privilege", "isolated")],
            &[("security.idmap.isolated", "false")],
            Some(
                "Invalid value \"false\" for config \"security.idmap.isolated\" on container \"c1\" of project \
                 \"p1\": Non-isolated containers are forbidden",
            ),
        ),
        (
            &[],
            &[("raw.lxc", "x")],
            Some("Use of low-level config \"raw.lxc\" on container \"c1\" of project \"p1\" is forbidden"),
        ),
        (&[("restricted.containers.lowlevel", "allow")], &[("raw.lxc", "x"), ("raw.idmap", "both 0 0")], None),
        (
            &[],
            &[("raw.idmap", "both 0 0")],
            Some("Use of low-level \"raw.idmap\" element 0 on container \"c1\" of project \"p1\" is forbidden"),
        ),
        (
            &[("restricted.idmap.uid", "1000-1999"), ("restricted.idmap.gid", "1000")],
            &[("raw.idmap", "both 1000 0\nuid 1500-1999 500-999")],
            None,
        ),
        (
            &[("restricted.idmap.uid", "1000-1999"), ("restricted.idmap.gid", "1000")],
            &[("raw.idmap", "both 1000 0\nuid 1500-2000 500-1000")],
            Some("Use of low-level \"raw.idmap\" element 1 on container \"c1\" of project \"p1\" is forbidden"),
        ),
    ];
    must_be_held_to(cases);
}

#[test]
fn restrictions_forbid_interception() {
    let cases: &[Case<'_>] = &[
        (
            &[("restricted.containers.interception", "block")],
            &[("security.syscalls.intercept.mknod", "true")],
            Some(
                "Invalid value \"true\" for config \"security.syscalls.intercept.mknod\" on container \"c1\" of \
                 project \"p1\": Container syscall interception is forbidden",
            ),
        ),
        (&[("restricted.containers.interception", "allow")], &[("security.syscalls.intercept.mknod", "true")], None),
        (
            &[("restricted.containers.interception", "block")],
            &[("security.syscalls.intercept.mount", "true")],
            Some(
                "Invalid value \"true\" for config \"security.syscalls.intercept.mount\" on container \"c1\" of \
                 project \"p1\": Container syscall interception is forbidden",
            ),
        ),
        (
            &[("restricted.containers.interception", "allow")],
            &[
                ("security.syscalls.intercept.bpf.devices", "true"),
                ("security.syscalls.intercept.mount", "true"),
                ("security.syscalls.intercept.mount.fuse", "ext4=fuse2fs"),
            ],
            None,
        ),
        (
            &[("restricted.containers.interception", "full")],
            &[("security.syscalls.intercept.mount.shift", "true")],
            Some(
                "Use of low-level config \"security.syscalls.intercept.mount.shift\" on container \"c1\" of project \
                 \"p1\" is forbidden",
            ),
        ),
        (
            &[("restricted.containers.interception", "allow")],
            &[("security.syscalls.intercept.mount.allowed", "ext4")],
            Some(
                "Use of low-level config \"security.syscalls.intercept.mount.allowed\" on container \"c1\" of project \
                 \"p1\" is forbidden",
            ),
        ),
    ];
    must_be_held_to(cases);
}

/// Whether each container with these keys is refused, and in which words, by a project with those.
fn must_be_held_to(cases: &[Case<'_>]) {
    for (project, config, expected) in cases {
        let project = [&[("restricted", "true")], *project].concat();
        let outcome = decide(&held(&project, &[("c1", config)]));
        assert_eq!(words(outcome).as_deref(), *expected, "{project:?} {config:?}");
        // Without `restricted` none of them holds.
        assert_eq!(words(decide(&held(&project[1..], &[("c1", config)]))), None);
    }
}

#[test]
fn profiles_must_be_fit_for_both_kinds() {
    let of_profile = |project: Pairs<'_>, config: Pairs<'_>| {
        let mut held = held(project, &[]);
        held.profiles[0].config = map(config);
        words(decide(&held))
    };
    let restricted = ("restricted", "true");
    let containers = ("restricted.containers.lowlevel", "allow");
    let machines = ("restricted.virtual-machines.lowlevel", "allow");
    let refused = "Use of low-level config \"raw.lxc\" on profile \"default\" of project \"p1\" is forbidden";
    assert_eq!(of_profile(&[restricted, machines], &[("raw.lxc", "x")]).as_deref(), Some(refused));
    assert_eq!(of_profile(&[restricted, containers, machines], &[("raw.lxc", "x"), ("raw.qemu", "y")]), None);
    assert!(of_profile(&[restricted, containers], &[("raw.qemu", "y")]).is_some());
}

#[test]
fn volatile_keys_are_the_servers() {
    let old = instance("c1", &[("volatile.uuid", "a")]);
    let check = |project: Pairs<'_>, config: Pairs<'_>| {
        words(restrictions::check_volatile("p1", &map(project), &instance("c1", config), &old.config))
    };
    assert_eq!(check(&[], &[("volatile.uuid", "a"), ("volatile.eth0.hwaddr", "x"), ("user.a", "b")]), None);
    let refused = "Changing \"volatile.uuid\" on container \"c1\" in project \"p1\" is forbidden";
    assert_eq!(check(&[], &[("volatile.uuid", "b")]).as_deref(), Some(refused));
    let refused = "Setting \"volatile.idmap.next\" on container \"c1\" in project \"p1\" is forbidden";
    assert_eq!(check(&[], &[("volatile.idmap.next", "[]")]).as_deref(), Some(refused));
    assert_eq!(check(&[("restricted.containers.lowlevel", "allow")], &[("volatile.idmap.next", "[]")]), None);
}

#[test]
fn new_keys_go_with_what_is_there() {
    let there: &[(&str, Pairs<'_>)] =
        &[("c1", &[("limits.memory", "1GB"), ("security.nesting", "true")]), ("c2", &[("limits.memory", "1GB")])];
    let cases: &[(Pairs<'_>, Option<&str>)] = &[
        (&[("limits.containers", "2"), ("limits.instances", "2"), ("limits.memory", "2GB")], None),
        (
            &[("limits.containers", "1")],
            Some(
                "Can't change \"limits.containers\" in project \"p1\": \"limits.containers\" is too low: there \
                 currently are 2 instances of type container in project \"p1\"",
            ),
        ),
        (
            &[("limits.instances", "1")],
            Some(
                "Can't change limits.instances in project \"p1\": \"limits.instances\" is too low: there currently \
                 are 2 total instances in project \"p1\"",
            ),
        ),
        (&[("limits.memory", "1GB")], Some("\"limits.memory\" is too low: current total is \"1.9GiB\"")),
        (
            &[("limits.processes", "100")],
            Some(
                "Instance \"c1\" in project \"p1\" has no \"limits.processes\" config, either directly or via a profile",
            ),
        ),
        (
            &[("restricted.containers.nesting", "block")],
            Some(
                "Conflict detected when changing \"restricted.containers.nesting\" in project \"p1\": Invalid value \
                 \"true\" for config \"security.nesting\" on container \"c1\" of project \"p1\": Container nesting is \
                 forbidden",
            ),
        ),
        (&[("restricted.containers.nesting", "allow")], None),
        (&[("user.x", "y")], None),
    ];
    for (config, expected) in cases {
        assert_eq!(words(new_keys(&held(&[], there), &map(config))).as_deref(), *expected, "{config:?}");
    }
    // What does not change is not looked at.
    assert_eq!(words(new_keys(&held(&[("limits.containers", "1")], there), &map(&[("limits.containers", "1")]))), None);
}
