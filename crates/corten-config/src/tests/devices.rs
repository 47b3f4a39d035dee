//! Devices that LXD 5.0.2 refuses, with its words.

use corten_api::error::{Error, Result};

use crate::Devices;
use crate::device::{check_all, root_disk};
use crate::entity::Guest;
use crate::key::Config;

fn device(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn network_type(name: &str) -> Result<String> {
    match name {
        "lxdbr0" => Ok("bridge".to_owned()),
        _ => Err(Error::not_found(format!(
            "Failed to load network \"{name}\" for project \"default\": Network not found"
        ))),
    }
}

/// The words after `Device validation failed for "d": `; empty if nothing is refused.
fn words(guest: Option<Guest>, pairs: &[(&str, &str)]) -> String {
    let devices = Devices::from([("d".to_owned(), device(pairs))]);
    let error = check_all(&devices, guest, &network_type).err();
    error.map_or_else(String::new, |error| {
        error.message.strip_prefix("Device validation failed for \"d\": ").expect("the device is named").to_owned()
    })
}

fn assert_all(guest: Option<Guest>, cases: &[(&[(&str, &str)], &str)]) {
    for (pairs, expected) in cases {
        assert_eq!(words(guest, pairs), *expected, "{pairs:?}");
    }
}

const CONTAINER: Option<Guest> = Some(Guest::Container);

#[test]
fn types() {
    assert_all(
        CONTAINER,
        &[
            (&[("type", "none")], ""),
            (&[("type", "none"), ("x", "y")], "Invalid device option \"x\""),
            (&[("type", "teapot")], "Failed loading device \"d\": Unsupported device type"),
            (&[("x", "y")], "Failed loading device \"d\": Missing device type in config"),
            (&[("type", "pci"), ("address", "01:00.0")], "Unsupported device type"),
            (&[("type", "nic"), ("nictype", "x")], "Failed loading device \"d\": Unsupported device type"),
        ],
    );
    assert_eq!(words(Some(Guest::Machine), &[("type", "unix-char"), ("path", "/dev/kvm")]), "Unsupported device type");
    assert_eq!(words(None, &[("type", "pci"), ("address", "01:00.0")]), "");
}

#[test]
fn disks() {
    assert_all(
        CONTAINER,
        &[
            (&[("type", "disk"), ("path", "/"), ("pool", "default"), ("size", "1GiB")], ""),
            (&[("type", "disk"), ("path", "/srv"), ("source", "/srv"), ("readonly", "true")], ""),
            (
                &[("type", "disk"), ("path", "/srv")],
                "Disk entry is missing the required \"source\" or \"path\" property",
            ),
            (&[("type", "disk"), ("path", "/")], "Root disk entry must have a \"pool\" property set"),
            (
                &[("type", "disk"), ("path", "/"), ("source", "/x"), ("pool", "p")],
                "Root disk entry may not have a \"source\" property set",
            ),
            (
                &[("type", "disk"), ("path", "/srv"), ("source", "/srv"), ("size", "1GiB")],
                "Only the root disk may have a size quota",
            ),
            (
                &[("type", "disk"), ("path", "/srv"), ("source", "srv")],
                "Source path must be absolute for local sources",
            ),
            (&[("type", "disk"), ("path", "/srv"), ("source", "/srv"), ("foo", "x")], "Invalid device option \"foo\""),
            (
                &[("type", "disk"), ("path", "/srv"), ("source", "/srv"), ("readonly", "x")],
                "Invalid value for device option \"readonly\": Invalid value for a boolean \"x\"",
            ),
        ],
    );
    let one = device(&[("type", "disk"), ("path", "/srv"), ("source", "/srv")]);
    let twice = Devices::from([("a".to_owned(), one.clone()), ("b".to_owned(), one)]);
    let error = check_all(&twice, CONTAINER, &network_type).expect_err("one path for two");
    let expected = "Device validation failed for \"a\": More than one disk device uses the same path \"/srv\"";
    assert_eq!(error.message, expected);
    assert_eq!(root_disk(&twice).expect_err("no root").message, "No root device could be found");
}

#[test]
fn nics() {
    assert_all(
        CONTAINER,
        &[
            (&[("type", "nic"), ("nictype", "bridged"), ("parent", "br0"), ("name", "eth0")], ""),
            (&[("type", "nic"), ("network", "lxdbr0"), ("ipv4.address", "10.0.0.5")], ""),
            (&[("type", "nic"), ("nictype", "bridged")], "Invalid value for device option \"parent\": Required value"),
            (
                &[("type", "nic"), ("network", "lxdbr0"), ("parent", "br0")],
                "Cannot use \"parent\" property in conjunction with \"network\" property",
            ),
            (
                &[("type", "nic"), ("network", "missing")],
                "Failed loading device \"d\": Failed to load network \"missing\" for project \"default\": Network not found",
            ),
            (
                &[("type", "nic"), ("nictype", "p2p"), ("hwaddr", "x")],
                "Invalid value for device option \"hwaddr\": Invalid MAC address, must be 6 bytes of hex separated by colons",
            ),
            (&[("type", "nic"), ("nictype", "p2p"), ("parent", "x")], "Invalid device option \"parent\""),
            (
                &[("type", "nic"), ("nictype", "routed"), ("ipv4.routes", "10.0.0.0/24")],
                "ipv4.routes requires ipv4.address to be set",
            ),
            (
                &[("type", "nic"), ("nictype", "bridged"), ("parent", "b0"), ("vlan", "5"), ("vlan.tagged", "4,5")],
                "Invalid value for device option \"vlan.tagged\": Tagged VLAN ID \"5\" cannot be the same as untagged VLAN ID",
            ),
        ],
    );
    let machine = Some(Guest::Machine);
    let physical = [("type", "nic"), ("nictype", "physical"), ("parent", "eth1"), ("mtu", "1500")];
    assert_eq!(words(machine, &physical), "Invalid device option \"mtu\"");
    assert_eq!(words(CONTAINER, &physical), "");
}

#[test]
fn proxies() {
    let proxy = |listen: &'static str, connect: &'static str, more: &[(&'static str, &'static str)]| {
        let mut pairs = vec![("type", "proxy"), ("listen", listen), ("connect", connect)];
        pairs.extend(more);
        words(CONTAINER, &pairs)
    };
    assert_eq!(proxy("tcp:127.0.0.1:80", "tcp:127.0.0.1:80", &[]), "");
    assert_eq!(
        proxy("tcp:127.0.0.1:80", "tcp:127.0.0.1:80-81", &[]),
        "Mismatch between listen port(s) and connect port(s) count"
    );
    assert_eq!(
        proxy("tcp:0.0.0.0:80", "tcp:10.0.0.5:80", &[("nat", "true")]),
        "Cannot listen on wildcard address \"0.0.0.0\" when in nat mode"
    );
    assert_eq!(
        proxy("tcp:127.0.0.1:80", "unix:/x", &[("mode", "0600")]),
        "Only proxy devices for non-abstract unix sockets can carry uid, gid, or mode properties"
    );
    assert_eq!(
        words(CONTAINER, &[("type", "proxy"), ("listen", "x:1")]),
        "Invalid value for device option \"listen\": Unknown protocol type \"x\""
    );
}
