//! Which devices instances and profiles of a restricted project may have. Pure.

use std::path::{Component, Path, PathBuf};

use corten_api::error::{Error, Result};
use corten_config::value::list::items;
use corten_db::table::Config;

use super::{Bearer, word};

/// Types that are allowed or not, and what is said about them.
const SIMPLE: [(&str, &str); 8] = [
    ("unix-char", "Unix character devices are forbidden"),
    ("unix-block", "Unix block devices are forbidden"),
    ("unix-hotplug", "Unix hotplug devices are forbidden"),
    ("infiniband", "Infiniband devices are forbidden"),
    ("gpu", "GPU devices are forbidden"),
    ("usb", "USB devices are forbidden"),
    ("pci", "PCI devices are forbidden"),
    ("proxy", "Proxy devices are forbidden"),
];

/// Refuses devices that break the restrictions.
///
/// # Errors
/// In LXD's words, naming the device.
pub fn check(project: &str, restrictions: &Config, bearer: &Bearer<'_>) -> Result<()> {
    for (name, device) in bearer.devices {
        if let Some(why) = refusal(restrictions, device) {
            let told = bearer.told(project);
            return Err(Error::internal(format!("Invalid device {name:?} on {told}: {why}")));
        }
    }
    Ok(())
}

fn refusal(restrictions: &Config, device: &Config) -> Option<String> {
    let kind = device.get("type").map_or("", String::as_str);
    match kind {
        "nic" => of_nic(restrictions, device).map(str::to_string),
        "disk" => of_disk(restrictions, device),
        kind => {
            let (_, why) = SIMPLE.iter().find(|(simple, _)| *simple == kind)?;
            (word(restrictions, &format!("restricted.devices.{kind}")) != "allow").then(|| (*why).to_string())
        }
    }
}

fn of_nic(restrictions: &Config, device: &Config) -> Option<&'static str> {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    let (network, parent) = (get("network"), get("parent"));
    match word(restrictions, "restricted.devices.nic") {
        "block" => return Some("Network devices are forbidden"),
        "managed" if network.is_empty() => return Some("Only managed network devices are allowed"),
        _ => {}
    }
    let allowed = match (network, parent) {
        ("", "") => true,
        ("", parent) => network_in_list(restrictions, parent, false),
        (network, _) => network_in_list(restrictions, network, true),
    };
    (!allowed).then_some("Network not allowed in project")
}

/// Whether the restrictions let instances onto this network or host interface.
pub fn network_in_list(restrictions: &Config, name: &str, managed: bool) -> bool {
    match word(restrictions, "restricted.devices.nic") {
        "block" => return false,
        "managed" if !managed => return false,
        _ => {}
    }
    match word(restrictions, "restricted.networks.access") {
        "" => true,
        list => items(list).any(|one| one == name),
    }
}

fn of_disk(restrictions: &Config, device: &Config) -> Option<String> {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    let (path, pool, source) = (get("path"), get("pool"), get("source"));
    let is_root = path == "/" && !pool.is_empty();
    if is_root || (path.is_empty() && source == "cloud-init:config") {
        return None;
    }
    match word(restrictions, "restricted.devices.disk") {
        "block" => Some("Disk devices are forbidden".to_string()),
        "managed" if pool.is_empty() => Some("Attaching disks not backed by a pool is forbidden".to_string()),
        "allow" if !pool.is_empty() => None,
        "allow" => {
            allowed_parent(restrictions, source).is_none().then(|| format!("Disk source path {source:?} not allowed"))
        }
        _ => None,
    }
}

/// The folder of `restricted.devices.disk.paths` that a disk's source lies in; the empty one where all are allowed.
pub fn allowed_parent(restrictions: &Config, source: &str) -> Option<PathBuf> {
    let list = word(restrictions, "restricted.devices.disk.paths");
    if list.is_empty() {
        return Some(PathBuf::new());
    }
    let source = cleaned(source);
    items(list).map(cleaned).find(|parent| source.starts_with(parent))
}

/// The path without `.`, `..` and doubled slashes, without looking at the file system.
fn cleaned(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
    }

    #[test]
    fn devices_are_refused_or_not() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: &[(Pairs, Pairs, Option<&str>)] = &[
            (&[], &[("type", "none")], None),
            (&[], &[("type", "disk"), ("path", "/"), ("pool", "p")], None),
            (&[], &[("type", "disk"), ("path", "/x"), ("pool", "p"), ("source", "v")], None),
            (
                &[],
                &[("type", "disk"), ("path", "/x"), ("source", "/x")],
                Some("Attaching disks not backed by a pool is forbidden"),
            ),
            (
                &[("restricted.devices.disk", "block")],
                &[("type", "disk"), ("path", "/x"), ("pool", "p"), ("source", "v")],
                Some("Disk devices are forbidden"),
            ),
            (&[("restricted.devices.disk", "block")], &[("type", "disk"), ("source", "cloud-init:config")], None),
            (&[("restricted.devices.disk", "allow")], &[("type", "disk"), ("path", "/x"), ("source", "/x")], None),
            (&[], &[("type", "unix-char")], Some("Unix character devices are forbidden")),
            (&[("restricted.devices.unix-char", "allow")], &[("type", "unix-char")], None),
            (&[], &[("type", "proxy")], Some("Proxy devices are forbidden")),
            (&[], &[("type", "nic"), ("nictype", "p2p")], Some("Only managed network devices are allowed")),
            (&[], &[("type", "nic"), ("network", "n")], None),
            (
                &[("restricted.networks.access", "m, k")],
                &[("type", "nic"), ("network", "n")],
                Some("Network not allowed in project"),
            ),
            (&[("restricted.networks.access", "m, n")], &[("type", "nic"), ("network", "n")], None),
            (&[("restricted.devices.nic", "block")], &[("type", "nic")], Some("Network devices are forbidden")),
            (&[("restricted.devices.nic", "allow")], &[("type", "nic"), ("parent", "br")], None),
            (
                &[("restricted.devices.nic", "allow"), ("restricted.networks.access", "n")],
                &[("type", "nic"), ("parent", "br")],
                Some("Network not allowed in project"),
            ),
        ];
        for (restrictions, device, expected) in cases {
            assert_eq!(refusal(&map(restrictions), &map(device)).as_deref(), *expected, "{restrictions:?} {device:?}");
        }
    }

    #[test]
    fn sources_lie_in_allowed_folders_or_not() {
        let restrictions = map(&[("restricted.devices.disk.paths", "/srv/a,/srv/b/")]);
        for (source, parent) in [
            ("/srv/a", Some("/srv/a")),
            ("/srv/a/x", Some("/srv/a")),
            ("/srv//b/./x", Some("/srv/b")),
            ("/srv/ab", None),
            ("/srv/a/../c", None),
            ("/", None),
        ] {
            assert_eq!(allowed_parent(&restrictions, source), parent.map(PathBuf::from), "{source}");
        }
        assert_eq!(allowed_parent(&Config::new(), "/any"), Some(PathBuf::new()));
    }
}
