//! Whole configurations that LXD 5.0.2 refuses, with its words, as tried on the original.

use crate::entity::{Entity, Guest};
use crate::key::Config;
use crate::storage::Volume;
use crate::{check, storage};

fn config(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

type Pairs = &'static [(&'static str, &'static str)];

/// The words of a refusal; empty if there is none.
fn words(entity: Entity<'_>, pairs: &[(&str, &str)]) -> String {
    check(entity, &config(pairs)).err().map_or_else(String::new, |error| error.message)
}

#[test]
fn instances() {
    let cases: [(Pairs, &str); 20] = [
        (&[("limits.cpu", "2"), ("user.x", "anything"), ("environment.A", "b")], ""),
        (&[("foo.bar", "1")], "Unknown configuration key: foo.bar"),
        (&[("raw.qemu", "x")], "Unknown configuration key: raw.qemu"),
        (&[("limits.cpu", "x")], "Invalid CPU limit syntax"),
        (&[("limits.memory", "x")], "Invalid value: x"),
        (&[("limits.cpu.priority", "11")], "Invalid value for a limit \"11\". Must be between 0 and 10"),
        (&[("security.privileged", "maybe")], "Invalid value for a boolean \"maybe\""),
        (&[("limits.processes", "many")], "Invalid value for an integer \"many\""),
        (&[("limits.cpu.allowance", "5")], "Invalid allowance: 5"),
        (&[("boot.autostart.delay", "soon")], "Invalid value for an integer \"soon\""),
        (&[("cluster.evacuate", "x")], "Invalid value \"x\" (not one of [auto migrate live-migrate stop])"),
        (&[("snapshots.expiry", "1x")], "Invalid expiry expression"),
        (&[("environment.A", "a\nb")], "Environment variables cannot contain line breaks"),
        (&[("raw.lxc", "lxc.x")], "Invalid raw.lxc line: lxc.x"),
        (&[("raw.lxc", "lxc.ephemeral = 1")], "Setting lxc.ephemeral is not allowed"),
        (&[("raw.lxc", "lxc.net.0.link = a")], "Only interface-specific ipv4/ipv6 lxc.net. keys are allowed"),
        (&[("raw.lxc", "lxc.net.0.ipv4.address = 1.2.3.4")], ""),
        (
            &[("security.syscalls.allow", "a"), ("security.syscalls.deny", "b")],
            "security.syscalls.allow is mutually exclusive with security.syscalls.deny*",
        ),
        (
            &[("raw.seccomp", "a"), ("security.syscalls.deny", "b")],
            "raw.seccomp is mutually exclusive with security.syscalls*",
        ),
        (
            &[("security.syscalls.deny", "a"), ("security.syscalls.blacklist", "b")],
            "Mutually exclusive keys security.syscalls.deny and security.syscalls.blacklist are set",
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(words(Entity::Instance(Guest::Container), pairs), expected, "{pairs:?}");
    }
}

#[test]
fn profiles() {
    let cases: [(Pairs, &str); 4] = [
        (&[("raw.qemu", "x"), ("raw.lxc", "lxc.a=b")], ""),
        (&[("volatile.uuid", "x")], "Volatile keys can only be set on instances"),
        (&[("image.os", "x")], "Image keys can only be set on instances"),
        (&[("foo", "x")], "Unknown configuration key: foo"),
    ];
    for (pairs, expected) in cases {
        assert_eq!(words(Entity::Profile, pairs), expected, "{pairs:?}");
    }
}

#[test]
fn servers() {
    let cases: [(Pairs, &str); 7] = [
        (&[("core.https_address", ":8443"), ("user.x", "y")], ""),
        (&[("foo", "bar")], "cannot set 'foo' to 'bar': unknown key"),
        (&[("core.shutdown_timeout", "x")], "cannot set 'core.shutdown_timeout' to 'x': invalid integer"),
        (&[("images.auto_update_cached", "x")], "cannot set 'images.auto_update_cached' to 'x': invalid boolean"),
        (
            &[("cluster.max_voters", "4")],
            "cannot set 'cluster.max_voters' to '4': Value must be an odd number equal to or higher than 3",
        ),
        (
            &[("core.bgp_asn", "-1"), ("foo", "bar"), ("zoo", "bar")],
            "cannot set 'core.bgp_asn' to '-1': Value isn't within valid range. Must be between 0 and 4294967294 \
             (and 2 more errors)",
        ),
        (&[("cluster.https_address", "")], ""),
    ];
    for (pairs, expected) in cases {
        assert_eq!(words(Entity::Server, pairs), expected, "{pairs:?}");
    }
}

#[test]
fn networks() {
    let bridge = Entity::Network("bridge", "lxdbr0");
    let cases: [(Pairs, &str); 9] = [
        (&[("ipv4.address", "10.1.0.1/24"), ("ipv6.address", "auto"), ("ipv4.nat", "true")], ""),
        (
            &[("ipv4.address", "10.1.0.0/24")],
            "Invalid value for network \"lxdbr0\" option \"ipv4.address\": Not a usable IPv4 address \"10.1.0.0/24\"",
        ),
        (
            &[("ipv4.address", "x")],
            "Invalid value for network \"lxdbr0\" option \"ipv4.address\": invalid CIDR address: x",
        ),
        (&[("foo", "bar")], "Invalid option for network \"lxdbr0\" option \"foo\""),
        (&[("tunnel.a", "bar")], "Invalid network configuration key: tunnel.a"),
        (&[("tunnel.longername.id", "1")], "Network name too long for tunnel interface: lxdbr0-longername"),
        (&[("bridge.mode", "fan"), ("ipv4.address", "auto")], "IPv4 configuration may not be set when in 'fan' mode"),
        (&[("fan.type", "ipip")], "FAN configuration may only be set when in 'fan' mode"),
        (&[("bridge.mode", "fan"), ("bridge.mtu", "1500")], "Maximum MTU for a VXLAN FAN bridge is 1450"),
    ];
    for (pairs, expected) in cases {
        assert_eq!(words(bridge, pairs), expected, "{pairs:?}");
    }
    let macvlan = Entity::Network("macvlan", "m");
    let required = "Invalid value for network \"m\" option \"parent\": Required value";
    assert_eq!(words(macvlan, &[]), required);
    assert_eq!(words(macvlan, &[("parent", "eth0")]), "");
}

#[test]
fn pools_and_volumes() {
    let cases: [(&str, Pairs, &str); 6] = [
        ("dir", &[("source", "/srv"), ("volume.size", "1GiB"), ("rsync.bwlimit", "1MB")], ""),
        ("dir", &[("size", "1GiB")], "Invalid option \"size\""),
        ("zfs", &[("size", "big")], "Invalid value for option \"size\": Invalid value: big"),
        (
            "zfs",
            &[("volume.zfs.blocksize", "1")],
            "Invalid value for option \"volume.zfs.blocksize\": Value should be between 512 and 16MiB, and be power of 2",
        ),
        ("overlay", &[("source", "/srv"), ("volume.zfs.blocksize", "1")], "Invalid option \"volume.zfs.blocksize\""),
        (
            "lvm",
            &[("lvm.use_thinpool", "no"), ("lvm.thinpool_name", "x")],
            "The key lvm.use_thinpool cannot be set to false when lvm.thinpool_name is set",
        ),
    ];
    for (driver, pairs, expected) in cases {
        assert_eq!(words(Entity::Pool(driver), pairs), expected, "{driver} {pairs:?}");
    }
    let volume = |kind| Volume { driver: "dir", kind, content: "filesystem", name: "v1" };
    assert_eq!(words(Entity::Volume(&volume("custom")), &[("size", "1GiB"), ("security.shifted", "true")]), "");
    assert_eq!(
        words(Entity::Volume(&volume("container")), &[("size", "1GiB")]),
        "Volume \"size\" property is not valid for volume type"
    );
    assert_eq!(
        words(Entity::Volume(&volume("container")), &[("security.shifted", "true")]),
        "Invalid option for volume \"v1\" option \"security.shifted\""
    );
    assert_eq!(
        words(Entity::Volume(&volume("custom")), &[("snapshots.expiry", "x")]),
        "Invalid value for volume \"v1\" option \"snapshots.expiry\": Invalid expiry expression"
    );
    let pool = config(&[("volume.size", "5GiB"), ("volume.snapshots.expiry", "1w"), ("source", "/srv")]);
    let filled = storage::with_pool_defaults(&volume("custom"), &config(&[("size", "1GiB")]), &pool);
    assert_eq!(filled, config(&[("size", "1GiB"), ("snapshots.expiry", "1w")]));
}

#[test]
fn projects_and_members() {
    let cases: [(Pairs, &str); 5] = [
        (&[("restricted.devices.nic", "managed"), ("limits.cpu", "4"), ("user.a", "b")], ""),
        (&[("foo", "bar")], "Invalid project configuration key \"foo\""),
        (
            &[("restricted.backups", "maybe")],
            "Invalid project configuration key \"restricted.backups\" value: Invalid value \"maybe\" (not one of [block allow])",
        ),
        (
            &[("restricted.idmap.uid", "5-1")],
            "Invalid project configuration key \"restricted.idmap.uid\" value: Item \"5-1\": Start number 5 must be lower \
             than end number 1",
        ),
        (
            &[("restricted", "true"), ("features.profiles", "false")],
            "Projects without their own profiles cannot be restricted",
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(words(Entity::Project, pairs), expected, "{pairs:?}");
    }
    let refused = "Invalid cluster configuration key \"scheduler.instance\" value";
    assert_eq!(words(Entity::Member, &[("scheduler.instance", "x")]), refused);
}
