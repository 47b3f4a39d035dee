//! Rules that bind several keys of a device, or several devices of an instance.

use std::collections::BTreeSet;
use std::net::IpAddr;

use corten_api::error::{Error, Result};

use super::Context;
use crate::key::Config;
use crate::value::boolean::is_true;
use crate::value::choice::Gateway;
use crate::value::go_text::quoted;
use crate::value::ip::{V4, V6};
use crate::value::list::ListOf;
use crate::value::proxy_address::{End, ProxyAddress};
use crate::value::subnet::Cidr;
use crate::value::{Kind, ip, list};

/// Reads a key of a device; one that is not set is empty.
fn get<'d>(device: &'d Config, key: &str) -> &'d str {
    device.get(key).map_or("", String::as_str)
}

fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::invalid(message))
}

/// Rules that LXD looks at before the keys themselves: what a managed network settles cannot be set beside it.
pub(super) fn before(subtype: &str, device: &Config, context: &Context<'_>) -> Result<()> {
    if get(device, "type") != "nic" {
        return Ok(());
    }
    let settled: &[&str] = match (subtype, get(device, "network").is_empty()) {
        (_, true) => &[],
        ("bridged", _) => &["nictype", "parent", "mtu", "maas.subnet.ipv4", "maas.subnet.ipv6"],
        ("macvlan", _) => &["nictype", "parent", "mtu", "vlan", "maas.subnet.ipv4", "maas.subnet.ipv6", "gvrp"],
        ("sriov", _) => &["nictype", "parent", "mtu", "vlan", "maas.subnet.ipv4", "maas.subnet.ipv6"],
        ("ovn", _) => &["mtu"],
        _ => &[],
    };
    if let Some(key) = settled.iter().find(|key| !get(device, key).is_empty()) {
        return refuse(format!("Cannot use {} property in conjunction with \"network\" property", quoted(key)));
    }
    if subtype != "bridged" {
        return Ok(());
    }
    if get(device, "network").is_empty() && (context.network_type)(get(device, "parent")).is_err() {
        for (family, name) in [("ipv4", "IPv4"), ("ipv6", "IPv6")] {
            check_unmanaged(device, family, name)?;
        }
    }
    let filtered = ["security.ipv4_filtering", "security.ipv6_filtering"].iter().any(|key| is_true(get(device, key)));
    let tagged = ["vlan", "vlan.tagged"].iter().any(|key| !get(device, key).is_empty());
    match filtered && tagged {
        true => refuse("IP filtering cannot be used with VLAN filtering"),
        false => Ok(()),
    }
}

/// On a bridge that is not ours there is no DHCP server to give a fixed address, and filtering must be told the
/// address.
fn check_unmanaged(device: &Config, family: &str, name: &str) -> Result<()> {
    let filtered = is_true(get(device, &format!("security.{family}_filtering")));
    let fixed = !get(device, &format!("{family}.address")).is_empty();
    let maas = !get(device, &format!("maas.subnet.{family}")).is_empty();
    match (filtered, fixed) {
        (true, false) => refuse(format!(
            "{name} filtering requires a manually specified {family}.address when using an unmanaged parent bridge"
        )),
        (false, true) if !maas => {
            refuse(format!("Cannot use manually specified {family}.address when using unmanaged parent bridge"))
        }
        _ => Ok(()),
    }
}

/// The first key of a device that only containers have.
pub(super) fn machine_lacks<'d>(kind: &str, subtype: &str, device: &'d Config) -> Option<&'d str> {
    let lacking: &[&str] = match (kind, subtype) {
        ("nic", "physical") => &["mtu", "hwaddr", "vlan"],
        ("nic", "sriov") => &["mtu"],
        ("gpu", "physical") => &["uid", "gid", "mode"],
        _ => &[],
    };
    device.keys().map(String::as_str).find(|key| lacking.contains(key))
}

/// Rules that LXD looks at after the keys.
pub(super) fn check(subtype: &str, device: &Config, context: &Context<'_>) -> Result<()> {
    match get(device, "type") {
        "disk" => check_disk(device, context),
        "nic" => check_nic(subtype, device, context),
        "proxy" => check_proxy(device, context),
        "gpu" => check_gpu(subtype, device),
        "unix-char" | "unix-block" if get(device, "source").is_empty() && get(device, "path").is_empty() => {
            refuse("Unix device entry is missing the required \"source\" or \"path\" property")
        }
        "unix-hotplug" if get(device, "vendorid").is_empty() && get(device, "productid").is_empty() => {
            refuse("Unix hotplug devices require a vendorid or a productid")
        }
        "tpm" if context.guest == Some(crate::entity::Guest::Container) => {
            match ["path", "pathrm"].iter().find(|key| get(device, key).is_empty()) {
                Some(key) => refuse(format!("Invalid value for device option {}: Required value", quoted(key))),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn check_disk(device: &Config, context: &Context<'_>) -> Result<()> {
    let get = |key: &str| get(device, key);
    let set = |key: &str| !get(key).is_empty();
    let root = get("path") == "/";
    let ceph = get("source").starts_with("ceph:") || get("source").starts_with("cephfs:");
    let message = if set("required") && set("optional") {
        "Cannot use both \"required\" and deprecated \"optional\" properties at the same time"
    } else if !set("source") && !root {
        "Disk entry is missing the required \"source\" or \"path\" property"
    } else if root && set("source") {
        "Root disk entry may not have a \"source\" property set"
    } else if root && !set("pool") {
        "Root disk entry must have a \"pool\" property set"
    } else if set("size") && !root {
        "Only the root disk may have a size quota"
    } else if set("size.state") && !root {
        "Only the root disk may have a migration size quota"
    } else if set("recursive") && (root || set("pool") || ceph) {
        "The recursive option is only supported for additional bind-mounted paths"
    } else if is_true(get("recursive")) && is_true(get("readonly")) {
        "Recursive read-only bind-mounts aren't currently supported by the kernel"
    } else if !ceph && (set("ceph.cluster_name") || set("ceph.user_name")) {
        let source = quoted(get("source"));
        return refuse(format!("Invalid options ceph.cluster_name/ceph.user_name for source {source}"));
    } else if set("path") && paths_used(context).filter(|path| *path == get("path")).count() > 1 {
        return refuse(format!("More than one disk device uses the same path {}", quoted(get("path"))));
    } else if !set("pool") && set("source") && is_local(get("source")) && !get("source").starts_with('/') {
        "Source path must be absolute for local sources"
    } else if set("pool") && set("shift") {
        "The \"shift\" property cannot be used with custom storage volumes (set \"security.shifted=true\" on the volume \
         instead)"
    } else if set("pool") && get("source").starts_with('/') {
        "Storage volumes cannot be specified as absolute paths"
    } else {
        return Ok(());
    };
    refuse(message)
}

/// Whether a source without pool is a path of this host.
pub fn is_local(source: &str) -> bool {
    !source.starts_with("ceph:") && !source.starts_with("cephfs:") && source != "cloud-init:config"
}

fn paths_used<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    let disks = context.siblings.values().filter(|device| get(device, "type") == "disk");
    disks.map(|device| get(device, "path"))
}

fn check_nic(subtype: &str, device: &Config, context: &Context<'_>) -> Result<()> {
    let named = |device: &&Config| get(device, "type") == "nic" && !get(device, "name").is_empty();
    let mut seen = BTreeSet::new();
    for name in context.siblings.values().filter(named).map(|device| get(device, "name")) {
        if !seen.insert(name) && !get(device, "name").is_empty() {
            let name = quoted(name);
            return refuse(format!("Invalid value for device option \"name\": Duplicate NIC name detected {name}"));
        }
    }
    let parent_needed = matches!(subtype, "bridged" | "macvlan" | "sriov") && get(device, "network").is_empty();
    if parent_needed && get(device, "parent").is_empty() {
        return refuse("Invalid value for device option \"parent\": Required value");
    }
    match subtype {
        "bridged" => check_tagged(device),
        "ipvlan" => check_ipvlan(device),
        "routed" => check_routed(device),
        _ => Ok(()),
    }
}

/// The untagged VLAN cannot be a tagged one too.
fn check_tagged(device: &Config) -> Result<()> {
    match list::items(get(device, "vlan.tagged")).find(|id| *id == get(device, "vlan")) {
        Some(id) => refuse(format!(
            "Invalid value for device option \"vlan.tagged\": Tagged VLAN ID {} cannot be the same as untagged VLAN ID",
            quoted(id)
        )),
        None => Ok(()),
    }
}

/// What an address or gateway may be depends on the mode: in `l2` they have a prefix and are set inside.
fn check_ipvlan(device: &Config) -> Result<()> {
    let layer2 = get(device, "mode") == "l2";
    let refused =
        |key: &str, why: String| Error::invalid(format!("Invalid value for device option {}: {why}", quoted(key)));
    for (key, v4) in [("ipv4.address", true), ("ipv6.address", false)] {
        let text = get(device, key);
        let checked = match (text.is_empty(), layer2, v4) {
            (true, ..) => Ok(()),
            (_, true, v4) => text.split(',').try_for_each(|item| check_layer2(item.trim(), v4)),
            (_, false, true) => ListOf(V4).parse(text).map(drop),
            (_, false, false) => ListOf(V6).parse(text).map(drop),
        };
        checked.map_err(|why| refused(key, why))?;
    }
    for (key, v4) in [("ipv4.gateway", true), ("ipv6.gateway", false)] {
        let text = get(device, key);
        let checked = match (text.is_empty(), layer2, v4) {
            (true, ..) => Ok(()),
            (_, true, true) => V4.parse(text).map(drop),
            (_, true, false) => V6.parse(text).map(drop),
            (_, false, _) => Gateway.parse(text).map(drop),
        };
        checked.map_err(|why| refused(key, why))?;
    }
    Ok(())
}

/// One address of an interface in `l2` mode, with or without prefix.
fn check_layer2(item: &str, v4: bool) -> Result<(), String> {
    let bare = if v4 { V4.parse(item).is_ok() } else { V6.parse(item).is_ok() };
    let full = if bare { format!("{item}/{}", if v4 { 24 } else { 64 }) } else { item.to_owned() };
    let family = if v4 { "IPv4" } else { "IPv6" };
    match Cidr::parse(&full)?.address.is_ipv4() == v4 {
        true => Ok(()),
        false => Err(format!("Not an {family} CIDR address: {full}")),
    }
}

fn check_routed(device: &Config) -> Result<()> {
    for key in ["ipv4.address", "ipv6.address"] {
        let mut seen = BTreeSet::new();
        if let Some(twice) = list::items(get(device, key)).find(|address| !seen.insert(*address)) {
            return refuse(format!("Duplicate address {} in {}", quoted(twice), quoted(key)));
        }
    }
    for family in ["ipv4", "ipv6"] {
        let set = |key: &str| !get(device, &format!("{family}.{key}")).is_empty();
        if set("routes") && !set("address") {
            return refuse(format!("{family}.routes requires {family}.address to be set"));
        }
    }
    match get(device, "parent").is_empty() && !get(device, "vlan").is_empty() {
        true => refuse("The vlan setting can only be used when combined with a parent interface"),
        false => Ok(()),
    }
}

fn check_gpu(subtype: &str, device: &Config) -> Result<()> {
    let excluded = |key: &str, others: &[&str], words: &str| match others.iter().find(|o| !get(device, o).is_empty()) {
        Some(other) if !get(device, key).is_empty() => {
            refuse(format!("Cannot use {} {words} {} is set", quoted(other), quoted(key)))
        }
        _ => Ok(()),
    };
    excluded("pci", &["id", "productid", "vendorid"], "when when")?;
    excluded("id", &["pci", "productid", "vendorid"], "when when")?;
    if subtype != "mig" {
        return Ok(());
    }
    excluded("mig.uuid", &["mig.gi", "mig.ci"], "when")?;
    let set = |key: &str| !get(device, key).is_empty();
    match set("mig.uuid") || (set("mig.gi") && set("mig.ci")) {
        true => Ok(()),
        false => refuse("Either \"mig.uuid\" or both \"mig.gi\" and \"mig.ci\" must be set"),
    }
}

fn check_proxy(device: &Config, context: &Context<'_>) -> Result<()> {
    let nat = is_true(get(device, "nat"));
    if context.guest == Some(crate::entity::Guest::Machine) && !nat {
        return refuse("Only NAT mode is supported for proxies on VM instances");
    }
    let end = |key: &str| ProxyAddress.parse(get(device, key)).map_err(Error::invalid);
    let (listen, connect) = (end("listen")?, end("connect")?);
    let (listening, connecting) = (listen.ports.len(), connect.ports.len());
    let one_to_many = if listen.protocol == "unix" { connecting > 1 } else { connecting > listening };
    if one_to_many {
        return refuse("Mismatch between listen port(s) and connect port(s) count");
    }
    if is_true(get(device, "proxy_protocol")) && (connect.protocol != "tcp" || nat) {
        return refuse("The PROXY header can only be sent to tcp servers in non-nat mode");
    }
    let owned = ["uid", "gid", "mode"].iter().any(|key| !get(device, key).is_empty());
    if owned && (listen.protocol != "unix" || listen.is_abstract()) {
        return refuse("Only proxy devices for non-abstract unix sockets can carry uid, gid, or mode properties");
    }
    if nat { check_nat(get(device, "bind"), &listen, &connect) } else { Ok(()) }
}

fn check_nat(bind: &str, listen: &End, connect: &End) -> Result<()> {
    if !matches!(bind, "" | "host") {
        return refuse("Only host-bound proxies can use NAT");
    }
    if listen.protocol == "unix" || connect.protocol == "unix" || listen.protocol != connect.protocol {
        let (from, to) = (&listen.protocol, &connect.protocol);
        return refuse(format!("Proxying {from} <-> {to} is not supported when using NAT"));
    }
    match (ip::parse(&listen.address), ip::parse(&connect.address)) {
        (Some(address), _) if address.is_unspecified() => {
            refuse(format!("Cannot listen on wildcard address {} when in nat mode", quoted(&address.to_string())))
        }
        (from, to) if from.is_some_and(|a: IpAddr| a.is_ipv4()) != to.is_some_and(|a: IpAddr| a.is_ipv4()) => {
            refuse("Cannot mix IP versions between listen and connect in nat mode")
        }
        _ => Ok(()),
    }
}
